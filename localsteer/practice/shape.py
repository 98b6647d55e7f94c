"""The sizes of the practice model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the model. ``head_width`` × ``heads`` is the residual stream's width."""

    vocabulary: int = 2560
    layers: int = 8
    width: int = 192
    heads: int = 6
    kv_heads: int = 2
    feed_forward: int = 448
    context: int = 2048
    rope_base: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def middle(self) -> int:
        """The middle block, counted from 0: where a dial steers by default."""
        return (self.layers - 1) // 2

    @property
    def parameters(self) -> int:
        """How many numbers the model has learnt; the output matrix is the embedding."""
        attention = 2 * self.width * self.width + 2 * self.width * self.kv_heads * self.head_width
        block = attention + 3 * self.width * self.feed_forward + 2 * self.width
        return self.vocabulary * self.width + self.layers * block + self.width
