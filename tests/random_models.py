"""GGUF models with random weights, small enough to be written and loaded in a moment, that take the same way through
llama.cpp as real ones: byte-complete vocabularies, special tokens, chat templates, grouped-query attention.

What they write is gibberish, but deterministic gibberish, sharp enough that steering changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, LlamaFileType
from gguf.quants import quantize

from tests.random_vocabulary import Vocabulary, add_vocabulary

FileType = Literal["F32", "F16", "Q8_0"]
Floats = npt.NDArray[np.float32]
_FILE_TYPES = {"F32": LlamaFileType.ALL_F32, "F16": LlamaFileType.MOSTLY_F16, "Q8_0": LlamaFileType.MOSTLY_Q8_0}

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


@dataclass(frozen=True, slots=True)
class Shape:
    """What a Llama is made of, without its vocabulary. ``tied``: the output matrix is the embedding."""

    n_layer: int = 4
    n_embd: int = 64
    n_ff: int = 128
    n_head: int = 4
    n_kv: int = 2
    n_ctx: int = 512
    tied: bool = False


@dataclass(frozen=True, slots=True)
class Tensor:
    """``gain``: the standard deviation of what comes out of it when what goes in has 1; None for a vector of ones."""

    name: str
    shape: tuple[int, ...]
    gain: float | None = None


def add_shape(writer: gguf.GGUFWriter, shape: Shape, ftype: LlamaFileType) -> None:
    """Write the metadata of a Llama of this shape."""
    writer.add_context_length(shape.n_ctx)
    writer.add_embedding_length(shape.n_embd)
    writer.add_block_count(shape.n_layer)
    writer.add_feed_forward_length(shape.n_ff)
    writer.add_head_count(shape.n_head)
    writer.add_head_count_kv(shape.n_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.n_embd // shape.n_head)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(ftype)


def tensors(shape: Shape, n_vocab: int, *, scale: float, sharpness: float) -> Iterator[Tensor]:
    """All weights in the order of the file. A tied embedding has the gain of the output."""
    wide, keys = shape.n_embd, shape.n_embd // shape.n_head * shape.n_kv
    yield Tensor("token_embd.weight", (n_vocab, wide), sharpness if shape.tied else float(np.sqrt(wide)))
    yield Tensor("output_norm.weight", (wide,))
    if not shape.tied:
        yield Tensor("output.weight", (n_vocab, wide), sharpness)
    for layer in range(shape.n_layer):
        block = f"blk.{layer}."
        yield Tensor(block + "attn_norm.weight", (wide,))
        yield Tensor(block + "attn_q.weight", (wide, wide), 2.0)
        yield Tensor(block + "attn_k.weight", (keys, wide), 2.0)
        yield Tensor(block + "attn_v.weight", (keys, wide), scale)
        yield Tensor(block + "attn_output.weight", (wide, wide), scale)
        yield Tensor(block + "ffn_norm.weight", (wide,))
        yield Tensor(block + "ffn_gate.weight", (shape.n_ff, wide), 1.0)
        yield Tensor(block + "ffn_up.weight", (shape.n_ff, wide), scale)
        yield Tensor(block + "ffn_down.weight", (wide, shape.n_ff), scale)


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
    add_start: bool = True,
    ends: bool = True,
) -> Path:
    """Write a Llama with random weights to ``path`` and return the path.

    ``n_vocab`` is the most tokens it may have (at least 400). ``scale`` multiplies what each block adds to the
    residual stream; ``sharpness`` is about the standard deviation of the logits. Control tokens other than the end of
    a turn are practically never written. ``n_embd`` must be a multiple of 32 for Q8_0. ``architecture`` only renames
    the file's architecture. ``user_defined``: special tokens of the BPE vocabulary that are no control tokens;
    ``add_start``: the model wants a beginning-of-text token; ``ends`` False: it practically never ends a reply by
    itself.
    """
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name or f"Random {vocabulary} {seed}")
    shape = Shape(n_layer, n_embd, 2 * n_embd, n_head, n_kv, n_ctx)
    add_shape(writer, shape, _FILE_TYPES[ftype])
    size, never_written = add_vocabulary(
        writer, vocabulary, n_vocab, user_defined=user_defined, add_start=add_start, ends=ends
    )
    writer.add_vocab_size(size)
    if template is not None:
        writer.add_chat_template(template)

    def matrix(shape: tuple[int, ...], gain: float) -> Floats:
        return np.asarray(random.standard_normal(shape) * gain / np.sqrt(shape[1]), dtype=np.float32)

    output = matrix((size, n_embd), sharpness)
    output[sorted(never_written)] = 0.0
    for tensor in tensors(shape, size, scale=scale, sharpness=sharpness):
        if tensor.name == "output.weight":
            data = output
        elif tensor.gain is None:
            data = np.ones(tensor.shape, dtype=np.float32)
        else:
            data = matrix(tensor.shape, tensor.gain)
        _add_tensor(writer, tensor.name, data, ftype)
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
