"""Whether the figures in a model's header can be true, as far as llama.cpp relies on it.

On most wrong figures llama.cpp refuses the file; on those here it ends the process (``GGML_ASSERT`` in
``src/llama-model.cpp``, ``src/llama-vocab.cpp`` and ggml), or reads what is not there.
"""

from __future__ import annotations

import math
import struct
from math import prod
from pathlib import Path

from localsteer.errors import ModelError
from localsteer.gguf_header.reader import ArraySummary, GgufHeader, damaged
from localsteer.gguf_header.types import TENSOR_TYPES

MOST_LAYERS = 512  # LLAMA_MAX_LAYERS
_MOST_EXPERTS = 1024  # LLAMA_MAX_EXPERTS
_MOST_WEIGHTS = 1 << 63
_LONGEST_TENSOR_NAME = 63  # GGML_MAX_NAME without the end
_WEIGHTS_AT = 32  # TENSOR_ALIGNMENT
_BLOCKS = {name: block for name, block, _ in TENSOR_TYPES.values()}
_ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
_NO_VOCABULARY = ("", "none", "no_vocab")


def check_tensors(path: Path, header: GgufHeader) -> None:
    """Raise ModelError for tensors that no writer of GGUF puts like this."""
    expected = header.data_offset
    for tensor in header.tensors:
        if len(tensor.name.encode("utf-8")) > _LONGEST_TENSOR_NAME:
            raise damaged(path, f"a tensor has a name of {len(tensor.name)} characters")
        if prod(max(1, length) for length in tensor.shape) >= _MOST_WEIGHTS:
            raise damaged(path, f"tensor {tensor.name} has the shape {_shape(tensor.shape)}")
        if tensor.shape and tensor.shape[0] % _BLOCKS.get(tensor.type_name, 1):
            raise damaged(
                path, f"rows of {tensor.shape[0]} weights cannot be {tensor.type_name} (tensor {tensor.name})"
            )
        if tensor.nbytes is None:  # of a type that this program does not know: llama.cpp may
            return
        if tensor.offset != expected:
            raise damaged(path, f"tensor {tensor.name} does not begin where the one before it ends")
        expected += -(-tensor.nbytes // header.alignment) * header.alignment
    if any(tensor.offset % _WEIGHTS_AT for tensor in header.tensors[:1]):
        raise damaged(path, f"its weights do not begin at a multiple of {_WEIGHTS_AT} bytes")


def check_figures(path: Path, header: GgufHeader) -> None:
    """Raise ModelError for figures of a model that cannot be."""
    name = header.architecture
    if header.n_layer > MOST_LAYERS:
        raise damaged(path, f"it says that it has {header.n_layer:,} layers")
    if header.number(f"{name}.nextn_predict_layers") > header.n_layer:
        raise damaged(path, "it predicts ahead with more layers than it has")
    _check_experts(path, header)
    for key in ("layer_norm_epsilon", "layer_norm_rms_epsilon"):
        epsilon = header.metadata.get(f"{name}.attention.{key}")
        if isinstance(epsilon, float) and not (math.isfinite(epsilon) and epsilon >= 0):
            raise damaged(path, f"its {key} is {epsilon}")
    scaling = header.text(f"{name}.rope.scaling.type")
    if scaling is not None and scaling not in _ROPE_SCALINGS:
        raise damaged(path, "llama.cpp does not know the way in which it scales positions")


def _check_experts(path: Path, header: GgufHeader) -> None:
    prefix = f"{header.architecture}.expert_"
    experts, groups = header.number(prefix + "count"), header.number(prefix + "group_count")
    groups_used, said = header.number(prefix + "group_used_count"), header.metadata.get(prefix + "used_count", 0)
    each = isinstance(said, ArraySummary)
    used = header.number(prefix + "used_count")
    sound = experts <= _MOST_EXPERTS and used <= experts and (each or (used > 0) == (experts > 0))
    if groups:
        sound = sound and groups < experts
    if groups > 1:
        sound = sound and experts % groups == 0 and 0 < groups_used < groups
    if not sound:
        raise damaged(path, f"it says that it uses {used:,} of {experts:,} experts, in {groups:,} groups")


def check_vocabulary(path: Path, header: GgufHeader) -> None:
    """Raise ModelError for a model without a vocabulary, or with one that names a token twice. ``header`` must have
    been read without ``arrays``. Takes some ten milliseconds for a large one.
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
    if len(texts) != len(set(texts)):
        raise damaged(path, "two tokens of its vocabulary are the same")


_INTEGERS, _FLOATS, _STRING = (5,), (5, 6), 8


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


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{length:,}" for length in shape)
