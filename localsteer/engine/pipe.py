"""Messages over a byte pipe: four bytes of length, then a pickle that holds nothing but the protocol's classes."""

from __future__ import annotations

import io
import pickle
import struct
from typing import IO

from localsteer.engine import (
    compare_protocol,
    experiment_protocol,
    protocol,
    reading_protocol,
    reply_protocol,
    vector_protocol,
)
from localsteer.errors import EngineError

_PARTS = (protocol, compare_protocol, experiment_protocol, reading_protocol, reply_protocol, vector_protocol)
_WORDS = {module.__name__: module for module in _PARTS}
_LENGTH = struct.Struct(">I")


class PipeClosed(Exception):
    """The other side is gone."""


class _ProtocolUnpickler(pickle.Unpickler):
    """The child reads files of strangers; whatever they make of it, it can only ever send us values of the protocol."""

    def find_class(self, module: str, name: str) -> type:
        found = getattr(_WORDS.get(module), name, None)
        if not isinstance(found, type):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of the protocol")
        return found


def packed(message: protocol.Command | protocol.Event) -> bytes:
    """A message as it goes over the pipe. Raises EngineError for one that holds what cannot go."""
    try:
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        return _LENGTH.pack(len(body)) + body
    except Exception as error:
        raise EngineError(f"{type(message).__name__} cannot be sent to another process ({error}).") from error


def write_messages(stream: IO[bytes], *messages: protocol.Command | protocol.Event) -> None:
    """Write messages whole, in one go. Raises PipeClosed when nobody reads any more, EngineError as :func:`packed`."""
    write_packed(stream, b"".join(map(packed, messages)))


def write_packed(stream: IO[bytes], data: bytes) -> None:
    """Write what :func:`packed` has made. Raises PipeClosed when nobody reads any more."""
    try:
        stream.write(data)
        stream.flush()
    except (OSError, ValueError) as error:
        raise PipeClosed from error


def read_message(stream: IO[bytes]) -> object:
    """Read one message, waiting for it. Raises PipeClosed at the end of the stream, also in the middle of a message."""
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    return _ProtocolUnpickler(io.BytesIO(_read_exactly(stream, length))).load()


def _read_exactly(stream: IO[bytes], count: int) -> bytes:
    try:
        data = stream.read(count)
    except (OSError, ValueError) as error:
        raise PipeClosed from error
    if len(data) != count:
        raise PipeClosed
    return data
