"""The practice model as a PyTorch module: a Llama (RMSNorm, rotary positions, grouped-query attention, SwiGLU, tied
embeddings).

Rotary positions turn *interleaved* pairs of dimensions, as llama.cpp does for the architecture "llama", so the
exporter need not permute the query and key matrices. Used for training only; the app runs the exported GGUfunctional.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from localsteer.practice.shape import Shape


def rotations(shape: Shape, length: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each float32[length, head_width / 2]."""
    frequencies = shape.rope_base ** (-torch.arange(0, shape.head_width, 2).float() / shape.head_width)
    angles = torch.arange(length).float()[:, None] * frequencies[None]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn interleaved pairs of ``x`` [batch, heads, length, head_width] by their position's angle."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


class Block(nn.Module):
    """Attention and feed-forward, each with its norm and residual connection."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head_width
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.query = nn.Linear(shape.width, shape.width, bias=False)
        self.key = nn.Linear(shape.width, kv, bias=False)
        self.value = nn.Linear(shape.width, kv, bias=False)
        self.output = nn.Linear(shape.width, shape.width, bias=False)
        self.feed_forward_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, future: Tensor) -> tuple[Tensor, Tensor]:
        """What comes out, and where the first head looks: float[batch, length (from), length (to)]."""
        batch, length, _ = x.shape
        normed = self.attention_norm(x)

        def heads(projected: Tensor) -> Tensor:
            return projected.view(batch, length, -1, self.shape.head_width).transpose(1, 2)

        query = rotate(heads(self.query(normed)), cos, sin)
        key = rotate(heads(self.key(normed)), cos, sin)
        # Written out, because for heads this narrow it is faster on a CPU than the fused kernel's backward pass.
        groups = self.shape.heads // self.shape.kv_heads
        shared = (batch, self.shape.kv_heads, groups * length, self.shape.head_width)
        scores = query.reshape(shared) @ key.mT * self.shape.head_width**-0.5
        scores = scores.view(batch, self.shape.heads, length, length) + future[:length, :length]
        weights = scores.softmax(-1)
        first_head = weights[:, 0]
        weights = weights.view(batch, self.shape.kv_heads, groups * length, length)
        attended = (weights @ heads(self.value(normed))).view(batch, self.shape.heads, length, -1)
        x = x + self.output(attended.transpose(1, 2).reshape(batch, length, -1))
        normed = self.feed_forward_norm(x)
        hidden: Tensor = x + self.down(functional.silu(self.gate(normed)) * self.up(normed))
        return hidden, first_head


class PracticeLlama(nn.Module):
    """The whole model; ``forward(tokens: int64[batch, length]) -> logits float[batch, length, vocabulary]``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        cos, sin = rotations(shape, shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        future = torch.full((shape.context, shape.context), -torch.inf).triu(1)
        self.register_buffer("future", future, persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                spread = 0.02 if "embedding" in name else parameter.shape[1] ** -0.5
                if name.endswith(("output.weight", "down.weight")):
                    spread /= (2 * shape.layers) ** 0.5
                nn.init.normal_(parameter, std=spread)

    def hidden(
        self, tokens: Tensor, steer: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Output of the middle block, and normed output of the last: each float[batch, length, width]; and where the
        first heads of the middle block and of the one after it look: each float[batch, length, length].

        ``steer`` makes of the middle block's output what the blocks above it go on with.
        """
        length = tokens.shape[1]
        cos, sin = self.get_buffer("cos")[:length], self.get_buffer("sin")[:length]
        x = middle = self.embedding(tokens)
        looks: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            x, first_head = block(x, cos, sin, self.get_buffer("future"))
            if number in (self.shape.middle, self.shape.middle + 1):
                looks.append(first_head)
            if number == self.shape.middle:
                middle = x
                x = middle if steer is None else steer(middle)
        return middle, self.norm(x), (looks[0], looks[1])

    def forward(self, tokens: Tensor) -> Tensor:
        return functional.linear(self.hidden(tokens)[1], self.embedding.weight)
