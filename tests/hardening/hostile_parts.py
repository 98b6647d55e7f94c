"""Models in two files, either of which may be spoilt."""

from __future__ import annotations

import struct
from math import prod

from tests.hardening.hostile_gguf import Gguf, Tensor, taken_apart

NAMES = ("model-00001-of-00002.gguf", "model-00002-of-00002.gguf")


def in_two_parts(sound: bytes) -> tuple[bytes, bytes]:
    """The model ``sound``, of 32-bit floats, as ``gguf-split`` cuts it: all metadata in the first part."""
    whole = taken_apart(sound)
    half = len(whole.tensors) // 2
    first = _part(whole, whole.tensors[:half], whole.entries, 0)
    return first, _part(whole, whole.tensors[half:], [], 1)


def _part(whole: Gguf, tensors: list[Tensor], entries: list[list[object]], number: int) -> bytes:
    part = Gguf([list(entry) for entry in entries])
    part.put("split.no", 2, struct.pack("<H", number))
    part.put("split.count", 2, struct.pack("<H", 2))
    part.put("split.tensors.count", 5, struct.pack("<i", len(whole.tensors)))
    for tensor in tensors:
        weights = whole.data[tensor.offset : tensor.offset + 4 * prod(tensor.shape)]
        part.tensors.append(Tensor(tensor.name, list(tensor.shape), tensor.type, len(part.data)))
        part.data += weights + bytes(-len(weights) % 32)
    return part.content()
