"""Byte-complete vocabularies, made on the spot, for models with random weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, product
from string import ascii_lowercase
from typing import Literal

import gguf
from gguf import TokenType

Vocabulary = Literal["bpe", "spm"]

SOME_WORDS = (
    "the and you that was for are with his they this have from one had word but not what all were when your can said "
    "there use each which she how their will other about out many then them these some her would make like him into "
    "time has look two more write see number way could people my than first water been call who oil its now find long "
    "down day did get come made may part happy sad wedding sea"
)
WORDS = SOME_WORDS.split()

BPE_SPECIAL = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|im_start|>",
    "<|im_end|>",
)


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in byte order (``bytes_to_unicode`` of the GPT-2 release)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def _prefixes(word: str) -> Iterator[tuple[str, str]]:
    for end in range(1, len(word)):
        yield word[:end], word[end]


def _made_up(space: str) -> Iterator[str]:
    """Words of two to four letters, with and without a space in front: 950,000 of them."""
    for length in (2, 3, 4):
        for letters in product(ascii_lowercase, repeat=length):
            yield "".join(letters)
            yield space + "".join(letters)


def _bpe_vocabulary(n_vocab: int, *, filled: bool) -> tuple[list[str], list[int], list[str]]:
    """Tokens, their types and merges. Special tokens stand at the end, as in Llama 3."""
    alphabet = byte_alphabet()
    newline, space = alphabet[ord("\n")], alphabet[ord(" ")]
    known: Iterable[str] = [newline * 2, *WORDS, *(space + word for word in WORDS)]
    # In the order in which they were found.
    tokens, merges = dict.fromkeys(alphabet), []
    for word in chain(known, _made_up(space)) if filled else known:
        if len(tokens) + len(BPE_SPECIAL) >= n_vocab:
            break
        for left, right in _prefixes(word):
            if left + right not in tokens and len(tokens) + len(BPE_SPECIAL) < n_vocab:
                tokens[left + right] = None
                merges.append(f"{left} {right}")
    types = [int(TokenType.NORMAL)] * len(tokens) + [int(TokenType.CONTROL)] * len(BPE_SPECIAL)
    return [*tokens, *BPE_SPECIAL], types, merges


def _spm_vocabulary(n_vocab: int) -> tuple[list[str], list[int], list[float]]:
    """Tokens, their types and scores. Control tokens stand at the front, the 256 bytes after them, as in Llama 2."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [int(TokenType.UNKNOWN), *[int(TokenType.CONTROL)] * 2, *[int(TokenType.BYTE)] * 256]
    letters = ["▁", *(chr(code) for code in range(33, 127)), "é", "ü"]
    pieces = [*letters, *(left + right for word in WORDS for left, right in _prefixes("▁" + word))]
    for piece in pieces:
        if piece not in tokens and len(tokens) < n_vocab:
            tokens.append(piece)
            types.append(int(TokenType.NORMAL))
    return tokens, types, [0.0 if index < 259 else -float(index - 258) for index in range(len(tokens))]


def add_vocabulary(
    writer: gguf.GGUFWriter,
    vocabulary: Vocabulary,
    n_vocab: int,
    *,
    user_defined: tuple[str, ...] = (),
    add_start: bool = True,
    ends: bool = True,
    filled: bool = False,
) -> tuple[int, set[int]]:
    """Write the vocabulary; returns its size and the control tokens a model has no reason to write.

    ``user_defined``: special tokens of the BPE vocabulary that are no control tokens. ``ends`` False: the end of a turn
    is one of those that are not written. ``filled``: the BPE vocabulary has exactly ``n_vocab`` tokens.
    """
    if vocabulary == "bpe":
        tokens, types, merges = _bpe_vocabulary(n_vocab, filled=filled)
        for text in user_defined:
            types[tokens.index(text)] = int(TokenType.USER_DEFINED)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("llama-bpe")
        writer.add_token_list(tokens)
        writer.add_token_types(types)
        writer.add_token_merges(merges)
        writer.add_bos_token_id(tokens.index("<|begin_of_text|>"))
        writer.add_eos_token_id(tokens.index("<|eot_id|>"))
        writer.add_add_bos_token(add_start)
        return len(tokens), {tokens.index(special) for special in BPE_SPECIAL if special != "<|eot_id|>" or not ends}
    tokens, types, scores = _spm_vocabulary(n_vocab)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_scores(scores)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(add_start)
    writer.add_add_space_prefix(True)
    return len(tokens), {0, 1} if ends else {0, 1, 2}
