"""GGUF models with random weights, small enough to be written and loaded in a moment, that take the same way through
llama.cpp as real ones: byte-complete vocabularies, special tokens, chat templates, grouped-query attention.

What they write is gibberish, but deterministic gibberish, sharp enough that steering changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import gguf
import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, LlamaFileType, TokenType
from gguf.quants import quantize

Vocabulary = Literal["bpe", "spm"]
FileType = Literal["F32", "F16", "Q8_0"]
Floats = npt.NDArray[np.float32]

LLAMA3_TEMPLATE = (
    "{{- bos_token }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{{- message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
)
"""Header, blank line, trimmed content, end of turn, as in Llama 3."""

MISTRAL_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
"""No header before a reply and no system role, as in Mistral 7B Instruct 0.1."""

CHATML_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""ChatML; content is not trimmed and there is no beginning-of-text token."""

ZEPHYR_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
"""Plain-text headers, the end-of-text token after every message, as in TinyLlama and Zephyr."""

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


def _bpe_vocabulary(n_vocab: int) -> tuple[list[str], list[int], list[str]]:
    """Tokens, their types and merges. Special tokens stand at the end, as in Llama 3."""
    alphabet = byte_alphabet()
    newline, space = alphabet[ord("\n")], alphabet[ord(" ")]
    tokens, merges = list(alphabet), []
    for word in [newline * 2, *WORDS, *(space + word for word in WORDS)]:
        for left, right in _prefixes(word):
            if left + right not in tokens and len(tokens) + len(BPE_SPECIAL) < n_vocab:
                tokens.append(left + right)
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
    more: Mapping[str, TokenType] = MappingProxyType({}),
    add_start: bool = True,
) -> tuple[int, set[int]]:
    """Write the vocabulary; returns its size and the control tokens a model has no reason to write.

    ``user_defined``: special tokens of the BPE vocabulary that are no control tokens. ``more``: tokens that stand
    behind all others, and their types.
    """
    if vocabulary == "bpe":
        tokens, types, merges = _bpe_vocabulary(n_vocab)
        tokens, types = [*tokens, *more], [*types, *map(int, more.values())]
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
        return len(tokens), {tokens.index(special) for special in BPE_SPECIAL if special != "<|eot_id|>"}
    tokens, types, scores = _spm_vocabulary(n_vocab)
    tokens, types = [*tokens, *more], [*types, *map(int, more.values())]
    scores += [-float(n_vocab + number) for number in range(len(more))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_scores(scores)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(add_start)
    writer.add_add_space_prefix(True)
    return len(tokens), {0, 1}


def _add_tensor(writer: gguf.GGUFWriter, name: str, data: Floats, ftype: FileType) -> None:
    if data.ndim == 1 or ftype == "F32":
        writer.add_tensor(name, data)
    elif ftype == "F16":
        writer.add_tensor(name, data.astype(np.float16))
    else:
        writer.add_tensor(name, quantize(data, GGMLQuantizationType.Q8_0), raw_dtype=GGMLQuantizationType.Q8_0)


def write_random_llama(
    path: Path,
    *,
    vocabulary: Vocabulary = "bpe",
    template: str | None = LLAMA3_TEMPLATE,
    n_layer: int = 4,
    n_embd: int = 64,
    n_head: int = 4,
    n_kv: int = 2,
    n_vocab: int = 600,
    n_ctx: int = 512,
    seed: int = 0,
    ftype: FileType = "F32",
    scale: float = 1.0,
    sharpness: float = 4.0,
    name: str | None = None,
    architecture: str = "llama",
    user_defined: tuple[str, ...] = (),
    more: Mapping[str, TokenType] = MappingProxyType({}),
    add_start: bool = True,
    ends: bool = True,
) -> Path:
    """Write a Llama with random weights to ``path`` and return the path.

    ``n_vocab`` is the most tokens it may have (at least 400). ``scale`` multiplies what each block adds to the
    residual stream; ``sharpness`` is about the standard deviation of the logits. Control tokens other than the end of
    a turn are practically never written. ``n_embd`` must be a multiple of 32 for Q8_0. ``architecture`` only renames
    the file's architecture. ``user_defined``: special tokens of the BPE vocabulary that are no control tokens;
    ``more``: further tokens and their types;
    ``add_start``: the model wants a beginning-of-text token; ``ends`` False: it practically never ends a reply by
    itself.
    """
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name or f"Random {vocabulary} {seed}")
    writer.add_context_length(n_ctx)
    writer.add_embedding_length(n_embd)
    writer.add_block_count(n_layer)
    writer.add_feed_forward_length(2 * n_embd)
    writer.add_head_count(n_head)
    writer.add_head_count_kv(n_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(n_embd // n_head)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(
        {"F32": LlamaFileType.ALL_F32, "F16": LlamaFileType.MOSTLY_F16, "Q8_0": LlamaFileType.MOSTLY_Q8_0}[ftype]
    )
    size, never_written = add_vocabulary(
        writer, vocabulary, n_vocab, user_defined=user_defined, more=more, add_start=add_start
    )
    if not ends:
        never_written |= {2 if vocabulary == "spm" else _bpe_vocabulary(n_vocab)[0].index("<|eot_id|>")}
    writer.add_vocab_size(size)
    if template is not None:
        writer.add_chat_template(template)

    def matrix(rows: int, columns: int, gain: float) -> Floats:
        return np.asarray(random.standard_normal((rows, columns)) * gain / np.sqrt(columns), dtype=np.float32)

    ones: Floats = np.ones(n_embd, dtype=np.float32)
    head = n_embd // n_head
    output = matrix(size, n_embd, sharpness)
    output[sorted(never_written)] = 0.0
    _add_tensor(writer, "token_embd.weight", random.standard_normal((size, n_embd)).astype(np.float32), ftype)
    _add_tensor(writer, "output_norm.weight", ones, ftype)
    _add_tensor(writer, "output.weight", output, ftype)
    for layer in range(n_layer):
        block = f"blk.{layer}."
        _add_tensor(writer, block + "attn_norm.weight", ones, ftype)
        _add_tensor(writer, block + "attn_q.weight", matrix(n_head * head, n_embd, 2.0), ftype)
        _add_tensor(writer, block + "attn_k.weight", matrix(n_kv * head, n_embd, 2.0), ftype)
        _add_tensor(writer, block + "attn_v.weight", matrix(n_kv * head, n_embd, scale), ftype)
        _add_tensor(writer, block + "attn_output.weight", matrix(n_embd, n_head * head, scale), ftype)
        _add_tensor(writer, block + "ffn_norm.weight", ones, ftype)
        _add_tensor(writer, block + "ffn_gate.weight", matrix(2 * n_embd, n_embd, 1.0), ftype)
        _add_tensor(writer, block + "ffn_up.weight", matrix(2 * n_embd, n_embd, scale), ftype)
        _add_tensor(writer, block + "ffn_down.weight", matrix(n_embd, 2 * n_embd, scale), ftype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_vocabulary_only(path: Path, *, vocabulary: Vocabulary = "bpe", architecture: str = "llama") -> Path:
    """A GGUF that holds a vocabulary and no weights, as llama.cpp's own test vocabularies do."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Vocabulary only")
    writer.add_context_length(512)
    writer.add_embedding_length(64)
    writer.add_block_count(4)
    add_vocabulary(writer, vocabulary, 600)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_encoder(path: Path) -> Path:
    """A GGUF that says of itself that it is an encoder (BERT, attention not causal)."""
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("Random encoder")
    writer.add_context_length(512)
    writer.add_embedding_length(64)
    writer.add_block_count(1)
    writer.add_causal_attention(False)
    writer.add_tensor("token_embd.weight", np.zeros((600, 64), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
