"""Whether the figures in a model's header can be true, as far as llama.cpp relies on it.

On most wrong figures llama.cpp refuses the file; on those here it ends the process (``GGML_ASSERT`` in
``src/llama-model.cpp`` and ggml), or reads what is not there.
"""

from __future__ import annotations

import math
import re
from math import prod
from pathlib import Path

from localsteer.gguf_header.reader import ArraySummary, GgufHeader, TensorInfo, damaged
from localsteer.gguf_header.types import TENSOR_TYPES

MOST_LAYERS = 512  # LLAMA_MAX_LAYERS
_MOST_EXPERTS = 1024  # LLAMA_MAX_EXPERTS
_ALWAYS_EXPERTS = ("bailingmoe2", "grovemoe", "smallthinker")
_MOST_WEIGHTS = 1 << 63
_LONGEST_TENSOR_NAME = 63  # GGML_MAX_NAME without the end
_WEIGHTS_AT = 32  # TENSOR_ALIGNMENT
_BLOCKS = {name: block for name, block, _ in TENSOR_TYPES.values()}
_NO_WEIGHTS = ("F64", "I8", "I16", "I32", "I64", "Q8_1", "Q8_K")
_OF_WHOLE_NUMBERS = re.compile(r"blk\.\d+\.ffn_gate_tid2eid\.weight")
"""DeepSeek 4's table of which token goes to which experts."""
_ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")


def check_tensors(path: Path, header: GgufHeader) -> None:
    """Raise ModelError for tensors that no writer of GGUF puts like this."""
    expected = header.data_offset
    for tensor in header.tensors:
        if len(tensor.name.encode("utf-8")) > _LONGEST_TENSOR_NAME:
            raise damaged(path, f"a tensor has a name of {len(tensor.name)} characters")
        if prod(max(1, length) for length in tensor.shape) >= _MOST_WEIGHTS:
            raise damaged(path, f"tensor {tensor.name} has the shape {_shape(tensor.shape)}")
        if not _computes(tensor):
            raise damaged(path, f"llama.cpp cannot compute with {tensor.type_name} in tensor {tensor.name}")
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


def _computes(tensor: TensorInfo) -> bool:
    """Whether ggml has a way to multiply with a tensor of such a type, or to add it, as is done with single rows."""
    if len(tensor.shape) == 1 and tensor.nbytes is not None:
        return tensor.type_name == "F32"
    return tensor.type_name not in _NO_WEIGHTS or _OF_WHOLE_NUMBERS.fullmatch(tensor.name) is not None


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
    by_layer = said.integers(path) if isinstance(said, ArraySummary) else (header.number(prefix + "used_count"),)
    used = max(by_layer, default=0)
    sound = experts <= _MOST_EXPERTS and used <= experts and (used > 0) == (experts > 0)
    sound = sound and (experts > 0 or header.architecture not in _ALWAYS_EXPERTS)
    if groups:
        sound = sound and groups < experts
    if groups > 1:
        sound = sound and experts % groups == 0 and 0 < groups_used < groups
    if not sound:
        raise damaged(path, f"it says that it uses {used:,} of {experts:,} experts, in {groups:,} groups")


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{length:,}" for length in shape)
