"""Whether the vocabulary in a model's header can be read and written with, as far as llama.cpp relies on it.

Where it is wrong llama.cpp ends the process (``src/llama-vocab.cpp``), at once or when a text first needs what is
missing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection
from pathlib import Path

from localsteer.errors import ModelError
from localsteer.gguf_header.reader import ArraySummary, GgufHeader, damaged

_NO_VOCABULARY = ("", "none", "no_vocab")
_INTEGERS, _FLOATS, _STRING = (5,), (5, 6), 8  # GGUF's numbers for types
_BYTE_TOKEN = 6  # LLAMA_TOKEN_TYPE_BYTE
_LONGEST_TOKEN = 16_384
"""Bytes. The longest of real vocabularies have a few hundred; llama.cpp's RWKV goes as deep as a token is long."""
_IN_TEXT = frozenset([*range(0xC0), *range(0xC2, 0xF5)])
"""The bytes that UTF-8 has."""
_RWKV_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|([^x])|)", re.S)
_RWKV_LETTERS = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}


def check_vocabulary(path: Path, header: GgufHeader) -> None:
    """Raise ModelError for a model without a vocabulary, or with one that names a token twice or cannot spell every
    text. ``header`` must have been read without ``arrays``. Takes some ten milliseconds for a large one.
    """
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, ArraySummary) or not tokens.count or header.vocabulary in _NO_VOCABULARY:
        raise ModelError(f"{path} holds no vocabulary, so it can read and write no text; choose another model.")
    if tokens.type != _STRING:
        raise damaged(path, "its tokens are no texts")
    for key, types in (("scores", _FLOATS), ("token_type", _INTEGERS)):
        each = header.metadata.get(f"tokenizer.ggml.{key}")
        if each is not None and not (isinstance(each, ArraySummary) and each.type in types):
            raise damaged(path, f"its {key} are of a wrong type")
        if isinstance(each, ArraySummary) and each.count < tokens.count:
            raise damaged(path, f"it has {tokens.count:,} tokens and {each.count:,} {key}")
    texts = _texts(path, tokens)
    different = set(texts)
    if len(texts) != len(different):
        raise damaged(path, "two tokens of its vocabulary are the same")
    longest = max(map(len, texts), default=0)
    if longest > _LONGEST_TOKEN:
        raise damaged(path, f"a token of its vocabulary has {longest:,} bytes")
    _check_bytes(path, header, different)


def _check_bytes(path: Path, header: GgufHeader, texts: Collection[bytes]) -> None:
    """What no token spells is spelled byte by byte."""
    kind = header.text("tokenizer.ggml.model")
    if kind == "llama":
        there = {byte for byte in _IN_TEXT if b"<0x%02X>" % byte in texts or bytes([byte]) in texts}
    elif kind == "rwkv":
        there = {spelled[0] for text in texts if len(spelled := _without_escapes(text)) == 1}
    elif kind == "bert" and _BYTE_TOKEN in _token_types(path, header):
        raise damaged(path, "it has tokens for bytes, which a vocabulary of its kind (WordPiece) cannot have")
    else:
        return
    if missing := len(_IN_TEXT - there):
        raise damaged(path, f"its vocabulary cannot spell every text: it has no tokens for {missing} of the bytes")


def _without_escapes(text: bytes) -> bytes:
    """What a token of an RWKV vocabulary stands for."""
    try:
        return _RWKV_ESCAPE.sub(_unescaped, text)
    except ValueError:
        return b""


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes.fromhex(found[1].decode())
    if not found[2]:
        raise ValueError("it escapes nothing")
    return _RWKV_LETTERS.get(found[2], found[2])


def _token_types(path: Path, header: GgufHeader) -> tuple[int, ...]:
    each = header.metadata.get("tokenizer.ggml.token_type")
    return each.integers(path) if isinstance(each, ArraySummary) else ()


def _texts(path: Path, tokens: ArraySummary) -> list[bytes]:
    """The texts of the tokens as llama.cpp takes them, up to a NUL, but for empty ones, to which it gives names of its
    own.
    """
    content = tokens.content(path)
    length_at = struct.Struct("<Q").unpack_from
    at, found = 0, []
    for _ in range(tokens.count):
        end = at + 8 + length_at(content, at)[0]
        text = content[at + 8 : end]
        at = end
        if text := text.partition(b"\0")[0] if b"\0" in text else text:
            found.append(text)
    return found
