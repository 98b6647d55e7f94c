"""Models with the vocabularies that llama.cpp knows beside BPE and SentencePiece, sound ones and too small ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import prod
from string import printable

from tests.hardening.hostile_gguf import ARRAY, STRING, Gguf, array, taken_apart, text
from tests.random_vocabulary import WORDS

_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_OF_TOKENS = ("bos_token_id", "eos_token_id", "unknown_token_id", "merges", "pre", "scores")
_LETTERS = [one for one in printable if not one.isspace()]
_PIECES = list(dict.fromkeys(["▁", *_LETTERS, *(f"▁{one}" for one in _LETTERS), *(f"▁{word}" for word in WORDS)]))

Token = tuple[str, int]


def rwkv() -> list[Token]:
    """Every byte, escaped, and words."""
    return [(f"\\x{byte:02x}", _NORMAL) for byte in range(256)] + [(word, _NORMAL) for word in WORDS]


def wordpiece() -> list[Token]:
    """BERT's: its special tokens where llama.cpp expects them."""
    special = [*(f"[unused{number}]" for number in range(100)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return [(word, _CONTROL) for word in special] + [(piece, _NORMAL) for piece in _PIECES]


def unigram() -> list[Token]:
    """T5's, without a map of characters."""
    return [("<pad>", _CONTROL), ("</s>", _CONTROL), ("<unk>", _UNKNOWN), *((piece, _NORMAL) for piece in _PIECES)]


def plamo2() -> list[Token]:
    """PLaMo 2's: four special tokens, every byte, pieces."""
    special = [(f"<|plamo:{name}|>", _CONTROL) for name in ("unk", "bos", "eos", "pad")]
    return [*special, *((f"<0x{byte:02X}>", _BYTE) for byte in range(256)), *((one, _NORMAL) for one in _PIECES)]


VOCABULARIES = {"rwkv": rwkv, "bert": wordpiece, "t5": unigram, "plamo2": plamo2}


def with_vocabulary(sound: bytes, kind: str, tokens: Sequence[Token]) -> bytes:
    """The model ``sound`` with other tokens, its first and last matrix as large as they need."""
    file = taken_apart(sound)
    for key in _OF_TOKENS:
        file.drop(f"tokenizer.ggml.{key}")
    file.put("tokenizer.ggml.model", STRING, text(kind.encode()))
    file.put("tokenizer.ggml.tokens", ARRAY, array(STRING, [text(token.encode()) for token, _ in tokens]))
    file.put("tokenizer.ggml.token_type", ARRAY, array(5, [struct.pack("<i", each) for _, each in tokens]))
    file.put("tokenizer.ggml.scores", ARRAY, array(6, [struct.pack("<f", -each) for each in range(len(tokens))]))
    file.put("tokenizer.ggml.add_bos_token", 7, b"\0")
    file.put("llama.vocab_size", 4, struct.pack("<I", len(tokens)))
    _resize(file, len(tokens))
    return file.content()


def _resize(file: Gguf, n_vocab: int) -> None:
    """The rows of the matrices by token, of 32-bit floats, over and over."""
    data = b""
    for tensor in file.tensors:
        weights = file.data[tensor.offset : tensor.offset + 4 * prod(tensor.shape)]
        if tensor.name in (b"token_embd.weight", b"output.weight"):
            tensor.shape[1] = n_vocab
            size = 4 * prod(tensor.shape)
            weights = (weights * (size // len(weights) + 1))[:size]
        tensor.offset = len(data)
        data += weights + bytes(-len(weights) % 32)
    file.data = data
