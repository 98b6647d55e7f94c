"""Which tool wrote a control-vector file, as far as its metadata shows, and where it puts the layers.

``direction.N`` is added by llama.cpp to the output of block N. Not every tool means that: some write the direction of
block N − 1 there, one counts from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from localsteer.gguf_header import GgufHeader
from localsteer.steering import vector_keys

_INT32 = 5  # GGUF_TYPE_INT32


@dataclass(frozen=True, slots=True)
class Origin:
    """``layer_offset`` is to be added to the layers of its files; ``from_zero``: they hold layer 0 too, which
    llama.cpp cannot steer and which is left out.
    """

    tool: str
    layer_offset: int = 0
    from_zero: bool = False


OURS = Origin("localsteer")
CVECTOR_GENERATOR = Origin("llama-cvector-generator", layer_offset=-1)
CONTROL_VECTORS = Origin("jukofyork's control-vectors", layer_offset=-1)
REPENG = Origin("repeng")
EASYSTEER = Origin("EasySteer", from_zero=True)


def origin_of(header: GgufHeader) -> Origin | None:
    """The tool that wrote the file, or None where its metadata fits several that do not mean the same.

    llama-cvector-generator alone writes its layer count as a signed number; repeng counts the directions in the file,
    jukofyork's tool the layers of the model, and leaves some out; EasySteer notes its method.
    """
    if vector_keys.VERSION in header.metadata:
        return OURS
    if "controlvector.method" in header.metadata:
        return EASYSTEER
    if vector_keys.LAYER_COUNT not in header.metadata:
        return None
    if header.types[vector_keys.LAYER_COUNT] == _INT32:
        return CVECTOR_GENERATOR
    count = header.number(vector_keys.LAYER_COUNT)
    layers = {tensor.name for tensor in header.tensors}
    if count != len(layers):
        return CONTROL_VECTORS
    # All layers from 1 on: either tool writes that.
    return None if layers == {f"direction.{layer}" for layer in range(1, count + 1)} else REPENG
