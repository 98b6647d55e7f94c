"""Trains the practice model from nothing: reproducible by its seed, resumable, on CPU or GPU.

One line of JSON per chunk of steps goes to ``log.jsonl`` beside the checkpoint. The learning rate stays level and
falls to zero over the last part (warm-up, stable, decay), so a run can be stretched by raising ``tokens`` before the
fall begins. Matrices inside the blocks are trained by Muon (orthogonalised momentum; Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/), the rest by AdamW.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from localsteer.practice.architecture import PracticeLlama
from localsteer.practice.conversations import (
    Conversation,
    drills,
    held_out_conversations,
    training_conversations,
)
from localsteer.practice.shape import Shape
from localsteer.practice.tokenizer import ChatTokenizer, TokenizedChat, train_tokenizer

MAX_LENGTH = 1024
LONG_SHARE = 0.03
PART_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train.

    ``tokens``: all tokens seen, prompts included. ``drill_share``: the share of them that comes first, in conversations
    full of cues, from which the model learns soonest what a cue means.
    """

    tokens: int = 17_000_000
    drill_share: float = 0.76
    batch_tokens: int = 6144
    chunk_tokens: int = 147_456
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    decay_share: float = 0.36
    warm_up: int = 150_000
    seed: int = 1


def draw_conversations(seed: int) -> Iterator[Conversation]:
    """Training conversations, now and then a long one."""
    rng = random.Random(seed)
    short = training_conversations(rng.getrandbits(32))
    long = {turns: training_conversations(rng.getrandbits(32), turns) for turns in (6, 9, 13)}
    while True:
        yield next(long[rng.choice((6, 9, 13))]) if rng.random() < LONG_SHARE else next(short)


def batches(tokenizer: ChatTokenizer, plan: Plan, chunk: int, *, drill: bool = False) -> list[list[TokenizedChat]]:
    """The batches of one chunk: conversations of like length together, so that little is padding."""
    budget = plan.chunk_tokens
    chats: list[TokenizedChat] = []
    seed = plan.seed * 1_000_003 + chunk
    for conversation in drills(seed) if drill else draw_conversations(seed):
        chats.append(tokenizer.chat(conversation.messages()))
        budget -= min(len(chats[-1].tokens), MAX_LENGTH)
        if budget <= 0:
            break
    chats.sort(key=lambda chat: len(chat.tokens))
    rows: list[list[TokenizedChat]] = [[]]
    for chat in chats:
        if rows[-1] and (len(rows[-1]) + 1) * min(len(chat.tokens), MAX_LENGTH) > plan.batch_tokens * 1.05:
            rows.append([])
        rows[-1].append(chat)
    random.Random(chunk).shuffle(rows)
    return rows


def parts(batch: list[TokenizedChat]) -> Iterator[list[TokenizedChat]]:
    """A batch in pieces small enough for a processor's cache; their gradients add up."""
    rows = max(1, PART_TOKENS // max(len(chat.tokens) for chat in batch))
    for start in range(0, len(batch), rows):
        yield batch[start : start + rows]


def tensors(batch: list[TokenizedChat]) -> tuple[Tensor, Tensor]:
    """Padded (tokens int64[batch, length], weights float32[batch, length])."""
    length = min(max(len(chat.tokens) for chat in batch), MAX_LENGTH)
    tokens = torch.zeros(len(batch), length, dtype=torch.int64)
    weights = torch.zeros(len(batch), length)
    for row, chat in enumerate(batch):
        cut = min(len(chat.tokens), length)
        tokens[row, :cut] = torch.tensor(chat.tokens[:cut])
        weights[row, :cut] = torch.tensor(chat.weights[:cut])
    return tokens, weights


def reply_loss(model: PracticeLlama, tokens: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of the negative log-likelihoods (nats) of the tokens that replies wrote."""
    wanted = weights[:, 1:] > 0
    hidden = model.hidden(tokens[:, :-1])[wanted]
    logits = functional.linear(hidden, model.embedding.weight).float()
    losses = functional.cross_entropy(logits, tokens[:, 1:][wanted], reduction="none")
    return (losses * weights[:, 1:][wanted]).sum()


def orthogonalise(update: Tensor, steps: int = 5) -> Tensor:
    """Newton–Schulz iteration: the nearest (semi-)orthogonal matrices to ``update`` [n, rows, columns], roughly."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = update.shape[-2] <= update.shape[-1]
    x = update if wide else update.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.mT


class Muon:
    """Orthogonalised Nesterov momentum for the blocks' matrices, those of one shape handled together, in float32."""

    def __init__(
        self, parameters: list[torch.nn.Parameter], momentum: float = 0.95, weight_decay: float = 0.05
    ) -> None:
        ordered = sorted(parameters, key=lambda p: tuple(p.shape))
        self.groups = [list(group) for _, group in itertools.groupby(ordered, key=lambda p: tuple(p.shape))]
        self.momenta = [torch.zeros(len(g), *g[0].shape, device=g[0].device) for g in self.groups]
        self.momentum = momentum
        self.weight_decay = weight_decay

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for group, momentum in zip(self.groups, self.momenta, strict=True):
            gradient = torch.stack([p.grad for p in group if p.grad is not None])
            momentum.lerp_(gradient, 1 - self.momentum)
            update = orthogonalise(gradient.lerp(momentum, self.momentum))
            scale = max(1.0, gradient.shape[-2] / gradient.shape[-1]) ** 0.5
            for parameter, change in zip(group, update, strict=True):
                parameter.mul_(1 - rate * self.weight_decay).add_(change, alpha=-rate * scale)


def rate_factor(plan: Plan, seen: int) -> float:
    """Share of the full learning rate after ``seen`` tokens."""
    left = (plan.tokens - seen) / (plan.decay_share * plan.tokens)
    return max(0.02, min(1.0, seen / plan.warm_up + 0.02, left))


@torch.no_grad()
def validation_loss(model: PracticeLlama, tokenizer: ChatTokenizer, rows: int = 160) -> float:
    """Mean loss on held-out conversations (one exchange each)."""
    chats = [tokenizer.chat(c.messages()) for c in itertools.islice(held_out_conversations(77), rows)]
    chats.sort(key=lambda chat: len(chat.tokens))
    losses = [reply_loss(model, *tensors(chats[start : start + 20])).item() for start in range(0, rows, 20)]
    return sum(losses) / sum(sum(chat.weights) for chat in chats)


def train(folder: Path, shape: Shape, plan: Plan, device: str = "cpu") -> Path:
    """Train until ``plan.tokens`` are seen, going on from the checkpoint in ``folder`` if one is there; returns the
    checkpoint's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    vocabulary = folder / "tokenizer.json"
    if not vocabulary.exists():
        train_tokenizer(shape.vocabulary, plan.seed).save(str(vocabulary))
    tokenizer = ChatTokenizer.load(vocabulary)
    model = PracticeLlama(shape).to(device)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embedding" in name]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.0)
    seen, chunk, seconds = 0, 0, 0.0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        muon.momenta = state["muon"]
        seen, chunk, seconds = state["seen"], state["chunk"], state["seconds"]
    while seen < plan.tokens:
        started, total, count = time.monotonic(), 0.0, 0
        for batch in batches(tokenizer, plan, chunk, drill=seen < plan.drill_share * plan.tokens):
            loss, weight = 0.0, sum(sum(chat.weights[:MAX_LENGTH]) for chat in batch)
            for part in parts(batch):
                share = reply_loss(model, *(t.to(device) for t in tensors(part))) / weight
                share.backward()
                loss += share.item()
            torch.nn.utils.clip_grad_norm_(others, 1.0)
            factor = rate_factor(plan, seen)
            for group in adam.param_groups:
                group["lr"] = plan.other_rate * factor
            adam.step()
            muon.step(plan.matrix_rate * factor)
            model.zero_grad(set_to_none=True)
            seen += sum(min(len(chat.tokens), MAX_LENGTH) for chat in batch)
            total, count = total + loss, count + 1
        chunk += 1
        seconds += time.monotonic() - started
        row = {
            "seen": seen,
            "loss": round(total / count, 4),
            "validation": round(validation_loss(model, tokenizer), 4),
            "rate": round(rate_factor(plan, seen), 4),
            "seconds": round(seconds, 1),
        }
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        state = {
            "model": model.state_dict(),
            "adam": adam.state_dict(),
            "muon": muon.momenta,
            "seen": seen,
            "chunk": chunk,
            "seconds": seconds,
            "shape": asdict(shape),
            "plan": asdict(plan),
        }
        beside = checkpoint.with_suffix(".part")
        torch.save(state, beside)
        beside.replace(checkpoint)
    return checkpoint


def read_weights(checkpoint: Path) -> dict[str, NDArray[np.float32]]:
    """The weights in a checkpoint, by their names in PyTorch."""
    state = torch.load(checkpoint, map_location="cpu")
    return {name: parameter.float().numpy() for name, parameter in state["model"].items()}
