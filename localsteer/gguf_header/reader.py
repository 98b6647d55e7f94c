"""Reads what stands at the front of a GGUF file, fast and with clear errors, without llama.cpp.

``gguf.GGUFReader`` takes seconds on the vocabulary of a large model, because it makes an array of every string. This
one walks over what nobody asked for. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2
and 3, little-endian).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, TypeAlias

from localsteer.errors import ModelError
from localsteer.file_kinds import LOOKED_AT, kind_of
from localsteer.file_reading import open_file
from localsteer.gguf_header.types import FILE_TYPES, TENSOR_TYPES

_MAGIC = b"GGUF"
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_UINT32, _STRING, _ARRAY = 4, 8, 9
_INTEGERS = {_UINT32: "I", 5: "i"}
_MOST_DIMENSIONS = 4
_MOST_ENTRIES = 1_000_000  # metadata keys or tensors; the largest models known have a few thousand
_VOCABULARIES = {"gpt2": "BPE", "llama": "SentencePiece"}
_LONGEST_NAME = 65_535  # of a key, as the format says
_LONGEST_TEXT = 16_000_000  # chat templates have a few ten thousand
_LONGEST_HEADER = 256_000_000  # vocabularies of a few hundred thousand tokens take twenty million
_MOST_VALUES = 16_000_000
_WINDOW = 1 << 20
_NAME_SHOWN = 64

Scalar: TypeAlias = int | float | bool | str


@dataclass(frozen=True, slots=True)
class ArraySummary:
    """A metadata array that was walked over: the GGUF type of its elements, how many there are, and which bytes of
    the file.
    """

    type: int
    count: int
    start: int
    end: int

    def content(self, path: Path) -> bytes:
        """The elements as the file at ``path`` has them; fewer bytes where it has become shorter. Raises OSError."""
        with open_file(path) as file:
            file.seek(self.start)
            return file.read(self.end - self.start)

    def integers(self, path: Path) -> tuple[int, ...]:
        """The elements where they are integers of 32 bits; none where they are not, or the file has gone meanwhile."""
        letter = _INTEGERS.get(self.type, "")
        try:
            content = self.content(path) if letter else b""
        except OSError:
            content = b""
        return struct.unpack_from(f"<{len(content) // 4}{letter}" if letter else "", content)


class _Ended(Exception):
    """The file ends in the middle of its header."""


Value: TypeAlias = Scalar | ArraySummary | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor. ``shape`` in GGUF's order (row length first); ``offset`` is absolute in the file; ``nbytes`` None
    if the type is newer than this program.
    """

    name: str
    shape: tuple[int, ...]
    type_name: str
    offset: int
    nbytes: int | None


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Metadata and tensor list of one file. ``types``: GGUF's number for the type of each metadata value."""

    version: int
    metadata: Mapping[str, Value]
    types: Mapping[str, int]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    file_size: int
    alignment: int

    def text(self, key: str) -> str | None:
        """A metadata value that is a string, else None."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int:
        """A metadata value that is an integer, else 0."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    @property
    def architecture(self) -> str:
        return self.text("general.architecture") or ""

    @property
    def name(self) -> str:
        """The model's own name, or an empty string."""
        return (self.text("general.name") or "").strip()

    @property
    def n_layer(self) -> int:
        return self.number(f"{self.architecture}.block_count")

    @property
    def n_embd(self) -> int:
        return self.number(f"{self.architecture}.embedding_length")

    @property
    def context_length(self) -> int:
        """The context that the model was trained with, in tokens."""
        return self.number(f"{self.architecture}.context_length")

    @property
    def quantisation(self) -> str:
        """For instance ``"Q4_K_M"``; where the file does not say, the type that most of its weights have."""
        if "general.file_type" in self.metadata:
            named = FILE_TYPES.get(self.number("general.file_type"))
            if named is not None:
                return named
        weights: dict[str, int] = {}
        for tensor in self.tensors:
            weights[tensor.type_name] = weights.get(tensor.type_name, 0) + prod(tensor.shape)
        return max(weights, key=lambda name: weights[name], default="")

    @property
    def n_params(self) -> int:
        """Number of weights in this file (of this part, where a model is split)."""
        return sum(prod(tensor.shape) for tensor in self.tensors)

    @property
    def n_vocab(self) -> int:
        """How many tokens its vocabulary has; 0 where it has none."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        return tokens.count if isinstance(tokens, ArraySummary) else len(tokens) if isinstance(tokens, tuple) else 0

    @property
    def vocabulary(self) -> str:
        """The kind of its vocabulary: "BPE", "SentencePiece", or llama.cpp's name for another; empty without one."""
        kind = self.text("tokenizer.ggml.model") or ""
        return _VOCABULARIES.get(kind, kind)

    @property
    def chat_template(self) -> str | None:
        return self.text("tokenizer.chat_template")


def read_header(path: Path, *, arrays: bool = False) -> GgufHeader:
    """Read the header of ``path``. ``arrays`` gives metadata arrays as tuples of Python values instead of
    :class:`ArraySummary`.

    Raises ModelError with one sentence that says what is wrong: no such file, a folder, not a GGUF, cut off, damaged.
    """
    try:
        with open_file(path) as file:
            beginning = file.read(LOOKED_AT)
            if not beginning.startswith(_MAGIC):
                raise ModelError(_not_gguf(path, beginning))
            return _Reader(path, file, arrays).header()
    except FileNotFoundError:
        raise ModelError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder; name the .gguf file in it.") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


def _not_gguf(path: Path, beginning: bytes) -> str:
    kind = kind_of(beginning)
    if kind is None:
        return f"{path} is not a GGUF file: it does not begin with the letters GGUF."
    return kind.instead_of(path, "a GGUF file")


class _Reader:
    """A cursor over the file's bytes, of which a window is held. Read and not mapped: where a mapped file shrinks, or
    its disk goes away, the system ends the process.
    """

    def __init__(self, path: Path, file: BinaryIO, arrays: bool) -> None:
        self._path = path
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._arrays = arrays
        self._entries = 0
        self._at = len(_MAGIC)
        self._window = b""
        self._window_at = 0

    def header(self) -> GgufHeader:
        try:
            return self._header()
        except _Ended:
            raise ModelError(f"{self._path} is cut off: its header does not end. Get the file again.") from None
        except UnicodeDecodeError:
            raise self._damaged("a text in its header is not UTF-8") from None

    def _header(self) -> GgufHeader:
        version = self._integer("<I")
        if version not in (2, 3):
            if version & 0xFFFF == 0:
                raise ModelError(f"{self._path} is a big-endian GGUF file, which this machine cannot read.")
            raise ModelError(f"{self._path} is a GGUF file of version {version}; versions 2 and 3 can be read.")
        n_tensors, n_metadata = self._count("tensors"), self._count("metadata entries")
        metadata: dict[str, Value] = {}
        types: dict[str, int] = {}
        for _ in range(n_metadata):
            key = self._string(_LONGEST_NAME)
            if key in metadata:
                raise self._damaged(f'its metadata names "{_shown(key)}" twice')
            types[key] = self._integer("<I")
            metadata[key] = self._value(types[key])
        alignment = metadata.get("general.alignment", 32)
        if types.get("general.alignment", _UINT32) != _UINT32 or not isinstance(alignment, int):
            raise self._damaged("its alignment is of a wrong type")
        if alignment <= 0 or alignment & (alignment - 1):
            raise self._damaged(f"its alignment is {alignment}")
        infos = [self._tensor_info() for _ in range(n_tensors)]
        if len({info[0] for info in infos}) < n_tensors:
            names = [info[0] for info in infos]
            raise self._damaged(f"it holds two tensors called {_shown(max(names, key=names.count))}")
        data_offset = -(-self._at // alignment) * alignment
        tensors = tuple(self._tensor(info, data_offset) for info in infos)
        return GgufHeader(version, metadata, types, tensors, data_offset, self._size, alignment)

    def _tensor_info(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string(_LONGEST_NAME)
        n_dimensions = self._integer("<I")
        if n_dimensions > _MOST_DIMENSIONS:
            raise self._damaged(f"tensor {_shown(name)} has {n_dimensions} dimensions")
        shape = tuple(self._integer("<Q") for _ in range(n_dimensions))
        return name, shape, self._integer("<I"), self._integer("<Q")

    def _tensor(self, info: tuple[str, tuple[int, ...], int, int], data_offset: int) -> TensorInfo:
        name, shape, type_number, offset = info
        type_name, block, block_bytes = TENSOR_TYPES.get(type_number, (f"type {type_number}", 0, 0))
        nbytes = prod(shape) // block * block_bytes if block else None
        end = data_offset + offset + (nbytes or 0)
        if end > self._size:
            raise ModelError(
                f"{self._path} is cut off: tensor {_shown(name)} should end at byte {end:,}, "
                f"but the file has {self._size:,}. Get the file again."
            )
        return TensorInfo(name, shape, type_name, data_offset + offset, nbytes)

    def _value(self, kind: int) -> Value:
        if kind == _STRING:
            return self._string(_LONGEST_TEXT)
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise self._damaged(f"its metadata holds a value of unknown type {kind}")
        return self._scalar(_SCALARS[kind])

    def _array(self) -> Value:
        kind, count = self._integer("<I"), self._integer("<Q")
        start = self._at
        if kind == _ARRAY:  # which the format allows and llama.cpp does not
            raise self._damaged("its metadata holds an array of arrays")
        if kind not in (*_SCALARS, _STRING):
            raise self._damaged(f"its metadata holds an array of unknown type {kind}")
        if count > self._size:
            raise self._damaged(f"a metadata array says that it has {count:,} entries")
        if self._arrays:
            self._entries += count
            if self._entries > _MOST_VALUES:
                raise self._damaged(f"its metadata arrays have more than {_MOST_VALUES:,} entries")
            return self._strings(count) if kind == _STRING else self._numbers(_SCALARS[kind], count)
        if kind == _STRING:
            self._skip_strings(count)
        else:
            self._advance(count * struct.calcsize(_SCALARS[kind]))
        return ArraySummary(kind, count, start, self._at)

    def _strings(self, count: int) -> Value:
        return tuple(self._string(_LONGEST_TEXT) for _ in range(count))

    def _numbers(self, layout: str, count: int) -> Value:
        begin = self._hold(count * struct.calcsize(layout))
        self._at += count * struct.calcsize(layout)
        return struct.unpack_from(f"<{count}{layout[1:]}", self._window, begin)

    def _skip_strings(self, count: int) -> None:
        """The hot loop: a large vocabulary has a few hundred thousand strings."""
        length_at = struct.Struct("<Q").unpack_from
        left = count
        while left:
            at = self._hold(8)
            window, last = self._window, len(self._window) - 8
            while left and at <= last:
                at += 8 + length_at(window, at)[0]
                left -= 1
            self._at = self._window_at
            self._advance(at)

    def _string(self, longest: int) -> str:
        length = self._integer("<Q")
        if length > longest and (longest == _LONGEST_NAME or self._at + length <= self._size):
            what = "name" if longest == _LONGEST_NAME else "text"
            raise self._damaged(f"a {what} in its header has {length:,} bytes")
        begin = self._hold(length)
        self._at += length
        return self._window[begin : begin + length].decode("utf-8")

    def _count(self, what: str) -> int:
        count = self._integer("<Q")
        if count > _MOST_ENTRIES:
            raise self._damaged(f"it says that it has {count:,} {what}")
        return count

    def _integer(self, layout: str) -> int:
        return int(self._scalar(layout))

    def _scalar(self, layout: str) -> int | float | bool:
        begin = self._hold(struct.calcsize(layout))
        value: int | float | bool = struct.unpack_from(layout, self._window, begin)[0]
        self._at += struct.calcsize(layout)
        return value

    def _hold(self, nbytes: int) -> int:
        """Have the next ``nbytes`` in the window; gives the place in it where they begin."""
        end = self._at + nbytes
        if end > self._window_at + len(self._window):
            if end > self._size:
                raise _Ended
            self._file.seek(self._at)
            self._window = self._file.read(max(nbytes, _WINDOW))
            self._window_at = self._at
            if len(self._window) < nbytes:
                raise _Ended
        return self._at - self._window_at

    def _advance(self, nbytes: int) -> None:
        self._at += nbytes
        if self._at > self._size:
            raise _Ended
        if self._at > _LONGEST_HEADER:
            raise self._damaged(f"its header is longer than {_LONGEST_HEADER / 1e6:.0f} MB")

    def _damaged(self, why: str) -> ModelError:
        return damaged(self._path, why)


def damaged(path: Path, why: str) -> ModelError:
    """What is wrong with the file at ``path``, as an error to raise; names that ``why`` holds are made fit for a
    terminal.
    """
    said = "".join(one if one.isprintable() else "?" for one in why)
    return ModelError(f"{path} is damaged: {said}. Get the file again.")


def _shown(value: object) -> str:
    """A name from a damaged file, fit for a sentence."""
    text = "".join(one if one.isprintable() else "?" for one in str(value)[:_NAME_SHOWN])
    return text if len(str(value)) <= _NAME_SHOWN else text + "…"
