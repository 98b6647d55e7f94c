"""Token texts of a model's file for a person to read: bytes made characters again, nothing that a terminal obeys."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError
from localsteer.gguf_header import ArraySummary, GgufHeader

_TOKENS = "tokenizer.ggml.tokens"
_TYPES = "tokenizer.ggml.token_type"
_STRING, _INT32, _UINT32 = 8, 5, 4  # GGUF's numbers for types
_CONTROL, _USER_DEFINED, _UNUSED = 3, 4, 5  # llama.cpp's numbers for kinds of tokens
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_SHOWN = {" ": "␣", "\n": "⏎", "\r": "␍", "\t": "⇥"}


def _bytes_of_letters() -> dict[str, int]:
    """GPT-2's printable stand-ins for the 256 bytes, turned round."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTES = _bytes_of_letters()


def readable(text: str) -> str:
    """``text`` with a sign for each blank, and the number of each character that cannot be seen or must not be sent:
    ``␣the``, ``⏎``, ``⟨U+001B⟩``.
    """
    return "".join(_readable(character) for character in text)


def _readable(character: str) -> str:
    if character in _SHOWN:
        return _SHOWN[character]
    if unicodedata.category(character)[0] in "CZ":
        return f"⟨U+{ord(character):04X}⟩"
    return character


def token_texts(path: Path, header: GgufHeader, tokens: Iterable[int]) -> dict[int, str]:
    """The readable texts of ``tokens``; ``header`` must have been read without ``arrays``.

    Bytes that are no whole character are shown as ``⟨E2 80⟩``. Raises ModelError for a damaged vocabulary.
    """
    array = header.metadata.get(_TOKENS)
    if not isinstance(array, ArraySummary) or array.type != _STRING:
        raise ModelError(f"{path} holds no vocabulary; a complete model is needed.")
    wanted = set(tokens)
    content = array.content(path)
    kinds = token_kinds(path, header)
    like_gpt2 = header.text("tokenizer.ggml.model") == "gpt2"
    found, at, length_at = {}, 0, struct.Struct("<Q").unpack_from
    for token in range(array.count):
        length = length_at(content, at)[0]
        at += 8
        if token in wanted:
            raw = content[at : at + length]
            kind = int(kinds[token]) if token < kinds.size else 0
            found[token] = _spelled(raw.decode("utf-8", "replace"), kind, like_gpt2)
        at += length
    return found


def token_kinds(path: Path, header: GgufHeader) -> npt.NDArray[np.int32]:
    """int32[n_vocab]: llama.cpp's kind of each token, empty where the file does not say."""
    array = header.metadata.get(_TYPES)
    if not isinstance(array, ArraySummary) or array.type not in (_INT32, _UINT32):
        return np.zeros(0, dtype=np.int32)
    return np.frombuffer(array.content(path), dtype="<i4").astype(np.int32)


def unused_tokens(path: Path, header: GgufHeader) -> npt.NDArray[np.int64]:
    """Numbers of the tokens that only fill the vocabulary up."""
    return np.flatnonzero(token_kinds(path, header) == _UNUSED)


def _spelled(text: str, kind: int, like_gpt2: bool) -> str:
    if kind in (_CONTROL, _USER_DEFINED):
        return readable(text)
    if like_gpt2:
        if not all(letter in _BYTES for letter in text):
            return readable(text)
        return _from_bytes(bytes(_BYTES[letter] for letter in text))
    if _BYTE.fullmatch(text):
        return _from_bytes(bytes.fromhex(text[3:5]))
    return readable(text.replace("▁", " "))


def _from_bytes(raw: bytes) -> str:
    try:
        return readable(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return f"⟨{raw.hex(' ').upper()}⟩"
