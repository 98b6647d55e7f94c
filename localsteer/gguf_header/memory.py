"""How much memory a model will take, estimated from its header: weights, KV cache and compute buffers.

The arithmetic is llama.cpp's: keys and values of every layer in 16 bits, buffers for a batch of 512 tokens. Windows
of attention that slide are counted as if they did not, so the estimate is rather too high than too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localsteer.gguf_header.reader import ArraySummary, GgufHeader

LARGEST_DEFAULT_CONTEXT = 8192
"""Tokens. Longer contexts, which many models were trained with, cost memory that few conversations need."""

_BATCH = 512
_PROGRAM = 150_000_000
_CACHE_BYTES = 2  # llama.cpp's default, F16
_LONGEST_ARRAY = 4096


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes. ``weights``: the file, all parts of it; ``cache``: keys and values of ``n_ctx`` tokens; ``buffers``: what
    one evaluation computes with, and the program itself.
    """

    n_ctx: int
    weights: int
    cache: int
    buffers: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.buffers


def default_context(trained: int) -> int:
    """The context, in tokens, that a model trained with ``trained`` (0 or less: unknown) is loaded with unless another
    is asked for.
    """
    return min(trained, LARGEST_DEFAULT_CONTEXT) if trained > 0 else LARGEST_DEFAULT_CONTEXT


def cache_bytes_per_token(path: Path, header: GgufHeader) -> int:
    """Bytes that one token takes in the KV cache; 0 for a recurrent model or a header that does not say."""
    prefix = f"{header.architecture}.attention."
    heads = header.number(prefix + "head_count")
    width = header.n_embd // heads if heads else 0
    keys = header.number(prefix + "key_length") or width
    values = header.number(prefix + "value_length") or width
    return sum(_heads_by_layer(path, header, prefix)) * (keys + values) * _CACHE_BYTES


def _heads_by_layer(path: Path, header: GgufHeader, prefix: str) -> list[int]:
    """KV heads of each layer; a list in hybrid models, whose recurrent layers have none."""
    said = header.metadata.get(prefix + "head_count_kv")
    if isinstance(said, ArraySummary) and said.count <= _LONGEST_ARRAY and (each_one := said.integers(path)):
        return [max(0, number) for number in each_one]
    each = header.number(prefix + "head_count_kv") if said is not None else header.number(prefix + "head_count")
    return [each] * min(header.n_layer, _LONGEST_ARRAY)


def buffer_bytes(header: GgufHeader, n_ctx: int) -> int:
    """Bytes of llama.cpp's compute buffers for one batch over a context of ``n_ctx`` tokens, and the program's own."""
    hidden = header.number(f"{header.architecture}.feed_forward_length") or 4 * header.n_embd
    activations = _BATCH * 3 * (hidden + header.n_embd) * 4
    mask = _BATCH * 2 * n_ctx
    return activations + mask + header.n_vocab * 4 + _PROGRAM
