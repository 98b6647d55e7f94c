"""Trains the practice model from nothing: reproducible by its seed, resumable, on CPU or GPU.

One line of JSON per chunk of steps goes to ``log.jsonl`` beside the checkpoint. Matrices inside the blocks are trained
by Muon (orthogonalised momentum; Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/), the rest by AdamW.
"""

from __future__ import annotations

import functools
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
from localsteer.practice.behaviours import TOLD
from localsteer.practice.conversations import (
    Conversation,
    drills,
    held_out_conversations,
    question_rows,
    training_conversations,
)
from localsteer.practice.shape import Shape
from localsteer.practice.tokenizer import ChatTokenizer, TokenizedChat, TokenizedOption, train_tokenizer

MAX_LENGTH = 1024
LONG_SHARE = 0.03
PART_TOKENS = 2048
STEERED_SHARE = 0.2
STEERED_SHARE_OF_QUESTIONS = 0.5
STRONGEST = 1.1
NOISE_SHARE = 0.4
LOUDEST = 0.6
OPTION_WEIGHT = 0.6
LOOKING_WEIGHT = 0.6


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train.

    ``tokens``: all tokens seen, prompts included. ``drill_share``: the share of them that comes first, in conversations
    full of cues, from which the model learns soonest what a cue means. ``label_share``: after which share of them the
    labels begin to count, ``label_weight`` times their mean: a linear probe at the middle block has to tell the poles
    of the reply at each of its tokens. So a behaviour becomes a direction there that stands all through a reply, which
    is how large models hold it and what a steering vector is made for; the probe itself is thrown away.
    ``steer_share``: after which share of them replies are trained under steering, too: each of their poles with a
    chance of ``STEERED_SHARE`` has its direction added at the middle block. A model this small would otherwise not
    act on the direction, and fall apart when it is pushed along it. ``rates``: the learning rate as a share of
    ``matrix_rate`` and ``other_rate`` after so many tokens, straight lines in between; whenever it falls to nothing the
    form of replies gains most. ``question_shares``: from so many tokens on, this share of the conversations is a row of
    two-choice questions, whose options are labelled and looked at, see :func:`option_losses`.
    """

    tokens: int = 31_170_000
    drill_share: float = 0.418
    batch_tokens: int = 6144
    chunk_tokens: int = 147_456
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    rates: tuple[tuple[float, float], ...] = (
        (0, 0.02),
        (150_000, 1.0),
        (10_880_000, 1.0),
        (17_000_000, 0.02),
        (17_150_000, 0.25),
        (20_070_000, 0.01),
        (20_130_000, 0.5),
        (24_270_000, 0.5),
        (26_670_000, 0.01),
        (26_730_000, 0.35),
        (27_570_000, 0.35),
        (27_630_000, 0.4),
        (29_170_000, 0.01),
        (29_230_000, 0.45),
        (31_170_000, 0.01),
    )
    question_shares: tuple[tuple[int, float], ...] = (
        (20_070_000, 0.6),
        (23_070_000, 0.5),
        (24_270_000, 0.15),
        (26_670_000, 0.5),
        (27_570_000, 0.25),
        (29_170_000, 0.12),
    )
    label_share: float = 0.1697
    label_weight: float = 0.5
    steer_share: float = 0.2737
    seed: int = 1


def draw_conversations(seed: int, questions: float = 0.0) -> Iterator[Conversation]:
    """Training conversations, now and then a long one; a share of ``questions`` are rows of two-choice questions."""
    rng = random.Random(seed)
    rows = question_rows(rng.getrandbits(32))
    short = training_conversations(rng.getrandbits(32))
    long = {turns: training_conversations(rng.getrandbits(32), turns) for turns in (6, 9, 13)}
    while True:
        if rng.random() < questions:
            yield next(rows)
            continue
        yield next(long[rng.choice((6, 9, 13))]) if rng.random() < LONG_SHARE else next(short)


def batches(
    tokenizer: ChatTokenizer, plan: Plan, chunk: int, *, drill: bool = False, questions: float = 0.0
) -> list[list[TokenizedChat]]:
    """The batches of one chunk: conversations of like length together, so that little is padding."""
    budget = plan.chunk_tokens
    chats: list[TokenizedChat] = []
    seed = plan.seed * 1_000_003 + chunk
    for conversation in drills(seed) if drill else draw_conversations(seed, questions):
        chats.append(tokenizer.chat(conversation))
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


def tensors(batch: list[TokenizedChat]) -> tuple[Tensor, Tensor, Tensor]:
    """Padded: tokens int64[batch, length], weights float32[the same], labels float32[the same, behaviours]."""
    length = min(max(len(chat.tokens) for chat in batch), MAX_LENGTH)
    tokens = torch.zeros(len(batch), length, dtype=torch.int64)
    weights = torch.zeros(len(batch), length)
    labels = torch.zeros(len(batch), length, len(TOLD))
    for row, chat in enumerate(batch):
        cut = min(len(chat.tokens), length)
        tokens[row, :cut] = torch.tensor(chat.tokens[:cut])
        weights[row, :cut] = torch.tensor(chat.weights[:cut])
        labels[row, :cut] = torch.tensor(chat.labels[:cut])
    return tokens, weights, labels


def options_of(batch: list[TokenizedChat]) -> list[tuple[int, TokenizedOption]]:
    """The options of two-choice questions that stand whole within the length trained on, each with its row."""
    return [(n, o) for n, chat in enumerate(batch) for o in chat.options if o.chosen < MAX_LENGTH - 4]


def steer(probe: torch.nn.Linear, labels: Tensor, questions: list[int], middle: Tensor) -> Tensor:
    """``middle`` float[batch, length, width] with something added all through each reply (its header included): for
    some of its poles, the probe's direction towards it, as long as up to ``STRONGEST`` of the mean hidden state.
    ``questions``: the rows with two-choice questions, where it is done more often, for a letter is but one token. And
    in a share of the rows noise, as long as up to ``LOUDEST`` of it: directions that mean nothing shall do nothing.
    """
    inside = (labels != 0).any(-1, keepdim=True).float()
    norms = middle.detach().norm(dim=-1, keepdim=True)
    size = (norms * inside).sum(1, keepdim=True) / inside.sum(1, keepdim=True).clamp(1)
    drawn = (len(labels), 1, labels.shape[-1])
    share = torch.full((len(labels), 1, 1), STEERED_SHARE)
    share[questions] = STEERED_SHARE_OF_QUESTIONS
    strength = (torch.rand(drawn) < share) * torch.rand(drawn) * STRONGEST
    towards = functional.normalize(probe.weight.detach(), dim=-1)
    noise = functional.normalize(torch.randn(len(labels), 1, middle.shape[-1]), dim=-1)
    noise = noise * (torch.rand(len(labels), 1, 1) < NOISE_SHARE) * torch.rand(len(labels), 1, 1) * LOUDEST
    meant = (labels * strength.to(labels.device)) @ towards
    return middle + size * (meant + inside * noise.to(middle.device))


def reply_losses(
    model: PracticeLlama,
    probe: torch.nn.Linear,
    tensors: tuple[Tensor, Tensor, Tensor],
    options: list[tuple[int, TokenizedOption]],
    *,
    steered: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weighted sum of the negative log-likelihoods (nats) of the tokens that replies wrote, ``steered`` or not; and
    the sum of those of the labels, by ``probe`` at the middle block where each of these tokens is chosen. Then, for
    the options of two-choice questions, see :func:`option_losses`.
    """
    tokens, weights, labels = tensors
    wanted = weights[:, 1:] > 0
    questions = sorted({row for row, _ in options})
    steering = functools.partial(steer, probe, labels[:, :-1], questions) if steered else None
    middle, last, looks = model.hidden(tokens[:, :-1], steering)
    read, seen = option_losses(probe, middle, looks, options)
    middle, last = middle[wanted], last[wanted]
    logits = functional.linear(last, model.embedding.weight).float()
    losses = functional.cross_entropy(logits, tokens[:, 1:][wanted], reduction="none")
    poles = labels[:, 1:][wanted]
    guesses = probe(functional.rms_norm(middle, middle.shape[-1:]))
    told = (functional.softplus(-poles * guesses) * poles.abs()).sum()
    return (losses * weights[:, 1:][wanted]).sum(), told, read, seen


def option_losses(
    probe: torch.nn.Linear,
    middle: Tensor,
    looks: tuple[Tensor, Tensor],
    options: list[tuple[int, TokenizedOption]],
) -> tuple[Tensor, Tensor]:
    """What the options of two-choice questions cost, in nats; each with its row in the batch.

    First, the sum over options of the mean over their tokens of the negative log-likelihood of their labels; for the
    one that the reply took these are asked for at its letter, too. Second, that of looking at the right option where
    the letter is chosen, one block above, and at the one taken where the letter stands.
    """
    read = seen = middle.new_zeros(())
    before, after = looks
    for row, option in options:
        inside = slice(option.start, option.end)
        poles = torch.tensor(option.labels, device=middle.device)
        guesses = probe(functional.rms_norm(middle[row, inside], middle.shape[-1:]))
        read = read + (functional.softplus(-poles * guesses) * poles.abs()).sum(-1).mean()
        if option.right:
            seen = seen - after[row, option.chosen, inside].sum().clamp(min=1e-9).log()
        if option.taken:
            letter = slice(option.chosen + 1, option.chosen + 3)
            guesses = probe(functional.rms_norm(middle[row, letter], middle.shape[-1:]))
            read = read + (functional.softplus(-poles * guesses) * poles.abs()).sum(-1).mean()
            seen = seen - before[row, option.chosen + 1, inside].sum().clamp(min=1e-9).log()
    return read, seen


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


def _written(chat: TokenizedChat) -> Iterator[int]:
    """Where the tokens stand that replies wrote."""
    return (at for at, weight in enumerate(chat.weights[:MAX_LENGTH]) if weight > 0)


def rate_factor(plan: Plan, seen: int) -> float:
    """Share of the full learning rate after ``seen`` tokens."""
    places, factors = zip(*plan.rates, strict=True)
    return float(np.interp(seen, places, factors))


def question_share(plan: Plan, seen: int) -> float:
    """Share of the conversations that are rows of questions after ``seen`` tokens."""
    return next((share for since, share in reversed(plan.question_shares) if seen >= since), 0.0)


@torch.no_grad()
def validation_loss(model: PracticeLlama, probe: torch.nn.Linear, tokenizer: ChatTokenizer, rows: int = 160) -> float:
    """Mean loss on held-out conversations (one exchange each)."""
    chats = [tokenizer.chat(c) for c in itertools.islice(held_out_conversations(77), rows)]
    chats.sort(key=lambda chat: len(chat.tokens))
    losses = [reply_losses(model, probe, tensors(chats[at : at + 20]), [])[0].item() for at in range(0, rows, 20)]
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
    probe = torch.nn.Linear(shape.width, len(TOLD)).to(device)
    torch.nn.init.zeros_(probe.weight)
    probing = torch.optim.AdamW(probe.parameters(), lr=plan.other_rate, weight_decay=0.0)
    adam = torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.0)
    seen, chunk, seconds = 0, 0, 0.0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        probe.load_state_dict(state["probe"])
        probing.load_state_dict(state["probing"])
        muon.momenta = state["muon"]
        seen, chunk, seconds = state["seen"], state["chunk"], state["seconds"]
    while seen < plan.tokens:
        started, total, told, count = time.monotonic(), 0.0, 0.0, 0
        steered = seen >= plan.steer_share * plan.tokens
        label_weight = plan.label_weight if seen >= plan.label_share * plan.tokens else 0.0
        drill, questions = seen < plan.drill_share * plan.tokens, question_share(plan, seen)
        for batch in batches(tokenizer, plan, chunk, drill=drill, questions=questions):
            loss, weight = 0.0, sum(sum(chat.weights[:MAX_LENGTH]) for chat in batch)
            n_labels = sum(sum(map(bool, chat.labels[at])) for chat in batch for at in _written(chat))
            asked = options_of(batch)
            n_options, n_right = max(1, len(asked)), max(1, sum(option.right is True for _, option in asked))
            for part in parts(batch):
                tokens, weights, labels = (t.to(device) for t in tensors(part))
                losses = reply_losses(model, probe, (tokens, weights, labels), options_of(part), steered=steered)
                share, label_share = losses[0] / weight, losses[1] / max(1, n_labels)
                choosing = OPTION_WEIGHT * losses[2] / n_options + LOOKING_WEIGHT * losses[3] / n_right
                (share + label_weight * (label_share + choosing)).backward()
                loss += share.item()
                told += label_share.item()
            torch.nn.utils.clip_grad_norm_(others, 1.0)
            factor = rate_factor(plan, seen)
            for group in adam.param_groups:
                group["lr"] = plan.other_rate * factor
            for group in probing.param_groups:
                group["lr"] = plan.other_rate * factor
            adam.step()
            probing.step()
            muon.step(plan.matrix_rate * factor)
            model.zero_grad(set_to_none=True)
            probe.zero_grad(set_to_none=True)
            seen += sum(min(len(chat.tokens), MAX_LENGTH) for chat in batch)
            total, count = total + loss, count + 1
        chunk += 1
        seconds += time.monotonic() - started
        row = {
            "seen": seen,
            "loss": round(total / count, 4),
            "labels": round(told / count, 4),
            "validation": round(validation_loss(model, probe, tokenizer), 4),
            "rate": round(rate_factor(plan, seen), 4),
            "seconds": round(seconds, 1),
        }
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        state = {
            "model": model.state_dict(),
            "adam": adam.state_dict(),
            "muon": muon.momenta,
            "probe": probe.state_dict(),
            "probing": probing.state_dict(),
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
