"""The messages that a person has sent, so that they can be fetched back into the input another day."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress

from localsteer.errors import StorageError
from localsteer.file_reading import read_file
from localsteer.library.files import append_line, changing, write_private
from localsteer.library.places import Places

MOST = 500
_LONGEST = 20_000
_MOST_BYTES = 200_000_000
_PATIENCE = 0.2
"""Seconds for another app that changes the file, while this one hears no keys."""


def read_sent(places: Places) -> tuple[str, ...]:
    """The last ones, oldest first, at most :data:`MOST`; what is damaged is passed over."""
    try:
        lines = _lines(places)
    except OSError:
        return ()
    if len(lines) > 2 * MOST:
        with suppress(OSError, StorageError), changing(places.sent_messages, _PATIENCE):
            # Another app may have added some meanwhile.
            lines = _lines(places)
            write_private(places.sent_messages, b"".join(_line(text) + b"\n" for text in _texts(lines)))
    return _texts(lines)


def remember_sent(places: Places, text: str) -> None:
    """Keep one more. Very long ones are not worth it; a full disk costs this memory only."""
    if len(text) <= _LONGEST:
        with suppress(StorageError), ExitStack() as alone:
            with suppress(StorageError):
                alone.enter_context(changing(places.sent_messages, _PATIENCE))
            append_line(places.sent_messages, _line(text))


def _lines(places: Places) -> list[bytes]:
    return read_file(places.sent_messages, _MOST_BYTES).splitlines()


def _texts(lines: list[bytes]) -> tuple[str, ...]:
    return tuple(text for line in lines[-2 * MOST :] if (text := _text(line)))[-MOST:]


def _line(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")


def _text(line: bytes) -> str:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""
