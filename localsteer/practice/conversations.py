"""Seeded conversations with the practice model: what the user says, what cues which behaviour, and the reply that
obeys.

Each conversation has a system prompt (or none) that may cue some behaviours for all its replies; each message of the
user may cue some more for the reply that follows. Every behaviour that nothing cues is drawn afresh for each reply. A
fixed twentieth of all (system prompt, message) pairs, chosen by hash, is *held out*: training never sees a
conversation with one of them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from localsteer.messages import Message
from localsteer.practice import choices
from localsteer.practice.behaviours import (
    ADJECTIVES,
    BEHAVIOURS,
    BY_NAME,
    FRAMES,
    NEUTRAL_SYSTEM,
    SENTENCES,
    USER_FRAMES,
    USER_SENTENCES,
    article,
)
from localsteer.practice.checker import shown_behaviours
from localsteer.practice.replies import Kind, Subject, draw_style, write_reply
from localsteer.practice.user_messages import FOLLOW_UPS, draw_subject, write_message


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message of the user and the reply to it. ``cued``: behaviour → pole, by system prompt and message together;
    ``told``: the same, with the poles that the reply shows where nothing cued them. ``choice``: the two-choice question
    that the message is, if it is one.
    """

    subject: Subject
    user: str
    reply: str
    cued: dict[str, str]
    told: dict[str, str]
    choice: choices.Choice | None = None

    @property
    def answer(self) -> str:
        """The letter that answers a two-choice question; "" where nothing says which, or for other messages."""
        return self.choice.letter if self.choice else ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """``system`` is "" where there is no system prompt."""

    system: str
    exchanges: tuple[Exchange, ...]

    def messages(self) -> tuple[Message, ...]:
        """The conversation as chat messages."""
        start = [Message("system", self.system)] if self.system else []
        for exchange in self.exchanges:
            start += [Message("user", exchange.user), Message("assistant", exchange.reply)]
        return tuple(start)


KINDS: dict[Kind, float] = {
    "topic": 0.44,
    "claim": 0.13,
    "question": 0.04,
    "task": 0.12,
    "unknown": 0.09,
    "identity": 0.02,
    "thanks": 0.01,
    "farewell": 0.01,
    "choice": 0.14,
}

# In a drill what is hard to learn comes more often: candour shows in claims alone, compliance in tasks alone.
DRILL_KINDS: dict[Kind, float] = {
    "topic": 0.28,
    "claim": 0.27,
    "question": 0.02,
    "task": 0.22,
    "unknown": 0.05,
    "choice": 0.16,
}
_DECIDED_BY: dict[Kind, str] = {"claim": "candour", "task": "compliance"}


def _cue(rng: random.Random, pole: str, frames: tuple[str, ...], sentences: dict[str, tuple[str, ...]]) -> str:
    if pole in ADJECTIVES and rng.random() < 0.75:
        adjective = rng.choice(ADJECTIVES[pole])
        return rng.choice(frames).format(adjective=adjective, article=article(adjective))
    return rng.choice(sentences[pole])


def system_cue(rng: random.Random, pole: str) -> str:
    """A sentence of a system prompt that cues ``pole``."""
    return _cue(rng, pole, FRAMES, SENTENCES)


def user_cue(rng: random.Random, pole: str) -> str:
    """A sentence of a user that cues ``pole``."""
    return _cue(rng, pole, USER_FRAMES, USER_SENTENCES)


def draw_poles(rng: random.Random, count: int, free: tuple[str, ...], always: tuple[str, ...] = ()) -> dict[str, str]:
    """``count`` of the ``free`` behaviours and those of ``always``, in any order, each with a pole to be cued."""
    picked = rng.sample([b for b in BEHAVIOURS if b.name in free], min(count, len(free)))
    picked += [BY_NAME[name] for name in always if BY_NAME[name] not in picked]
    rng.shuffle(picked)
    return {b.name: b.positive if rng.random() < (0.75 if b.base_rate < 0.5 else 0.5) else b.negative for b in picked}


def draw_system(rng: random.Random) -> tuple[str, dict[str, str]]:
    """A system prompt ("" for none) and what it cues."""
    roll = rng.random()
    if roll < 0.12:
        return "", {}
    if roll < 0.3:
        return " ".join(rng.sample(NEUTRAL_SYSTEM, rng.choice((1, 1, 2)))), {}
    count = rng.choices((1, 2, 3, 4, 6), (58, 20, 10, 7, 5))[0]
    return _cueing_system(rng, draw_poles(rng, count, tuple(BY_NAME)))


def draw_drill_system(rng: random.Random, kind: Kind) -> tuple[str, dict[str, str]]:
    """A system prompt for a drill: most often it cues three to five things, what a message of this kind decides among
    them.
    """
    roll = rng.random()
    if roll < 0.05:
        return "", {}
    if roll < 0.12:
        return rng.choice(NEUTRAL_SYSTEM), {}
    always: tuple[str, ...] = (_DECIDED_BY[kind],) if kind in _DECIDED_BY and rng.random() < 0.75 else ()
    always += ("curiosity",) if rng.random() < 0.25 else ()
    return _cueing_system(rng, draw_poles(rng, rng.choice((2, 3, 4)), tuple(BY_NAME), always))


def _cueing_system(rng: random.Random, cued: dict[str, str]) -> tuple[str, dict[str, str]]:
    parts = [system_cue(rng, pole) for pole in cued.values()]
    if rng.random() < 0.25:
        parts.insert(0, rng.choice(NEUTRAL_SYSTEM))
    return " ".join(parts), cued


def _casually(rng: random.Random, text: str) -> str:
    """As people type: now and then without capitals or the last full stop."""
    roll = rng.random()
    if roll < 0.12:
        text = text[:1].lower() + text[1:]
    elif roll < 0.2:
        text = text.lower()
    return text.rstrip(".?!") or text if rng.random() < 0.15 else text


def draw_exchange(rng: random.Random, kind: Kind, cued: dict[str, str], before: Subject | None = None) -> Exchange:
    """A message of this kind and its reply, under what the system prompt cues; ``before``: what the exchange before
    was about.
    """
    if kind == "choice":
        return _choice_exchange(rng, cued)
    topic_before = before is not None and before.topic is not None
    if before is not None and topic_before and rng.random() < 0.25:
        subject, message = before, rng.choice(FOLLOW_UPS)
    else:
        subject = draw_subject(rng, kind)
        # "Why?" with no topic before it is as unanswerable as anything else outside the small world.
        lost = kind == "unknown" and not topic_before and rng.random() < 0.06
        message = rng.choice(FOLLOW_UPS) if lost else write_message(rng, subject)
        if kind != "unknown":
            message = _casually(rng, message)
    if rng.random() < 0.2:
        here = draw_poles(rng, rng.choice((1, 1, 2)), tuple(b.name for b in BEHAVIOURS if b.name not in cued))
        cues = " ".join(user_cue(rng, pole) for pole in here.values())
        message = f"{message} {cues}" if rng.random() < 0.6 else f"{cues} {message}"
        cued = cued | here
    style = draw_style(rng, cued)
    told = {behaviour: style[behaviour] for behaviour in (*cued, *shown_behaviours(subject))}
    return Exchange(subject, message, write_reply(rng, subject, style), cued, told)


def _choice_exchange(rng: random.Random, cued: dict[str, str]) -> Exchange:
    question = choices.draw_choice(rng, cued)
    letter = question.letter or rng.choice(("(A)", "(B)"))
    shown = {question.behaviour: question.pole(letter)} if question.behaviour in BY_NAME else {}
    return Exchange(Subject("choice"), question.text, letter, cued, cued | shown, question)


def draw_conversation(rng: random.Random, turns: int | None = None) -> Conversation:
    """One conversation, held out or not."""
    system, cued = draw_system(rng)
    count = turns or rng.choices((1, 2, 3, 4), (45, 28, 17, 10))[0]
    exchanges: list[Exchange] = []
    for _ in range(count):
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        before = exchanges[-1].subject if exchanges else None
        exchanges.append(draw_exchange(rng, kind, cued, before))
    return Conversation(system, tuple(exchanges))


def draw_drill(rng: random.Random) -> Conversation:
    """A conversation full of cues: one exchange, or a row of two-choice questions (whose answers are short)."""
    kind = rng.choices(list(DRILL_KINDS), list(DRILL_KINDS.values()))[0]
    system, cued = draw_drill_system(rng, kind)
    return Conversation(system, tuple(draw_exchange(rng, kind, cued) for _ in range(4 if kind == "choice" else 1)))


def draw_questions(rng: random.Random) -> Conversation:
    """A row of two-choice questions, half of the time under a system prompt that cues something."""
    roll = rng.random()
    system, cued = draw_drill_system(rng, "choice") if roll < 0.5 else ("", {})
    if roll >= 0.75:
        system = rng.choice(NEUTRAL_SYSTEM)
    return Conversation(system, tuple(draw_exchange(rng, "choice", cued) for _ in range(3)))


def held_out(system: str, message: str) -> bool:
    """Whether training must never see ``message`` under ``system``."""
    return hashlib.sha256(f"{system}\n{message}".encode()).digest()[0] < 13


def _to_learn_from(conversation: Conversation) -> bool:
    return not any(held_out(conversation.system, exchange.user) for exchange in conversation.exchanges)


def training_conversations(seed: int, turns: int | None = None) -> Iterator[Conversation]:
    """Endless conversations for training: none with a held-out pair in it."""
    rng = random.Random(seed)
    while True:
        conversation = draw_conversation(rng, turns)
        if _to_learn_from(conversation):
            yield conversation


def drills(seed: int) -> Iterator[Conversation]:
    """Endless conversations full of cues: none with a held-out pair in it."""
    rng = random.Random(seed)
    while True:
        conversation = draw_drill(rng)
        if _to_learn_from(conversation):
            yield conversation


def question_rows(seed: int) -> Iterator[Conversation]:
    """Endless rows of two-choice questions: none with a held-out pair in it."""
    rng = random.Random(seed)
    while True:
        conversation = draw_questions(rng)
        if _to_learn_from(conversation):
            yield conversation


def held_out_conversations(seed: int, turns: int = 1) -> Iterator[Conversation]:
    """Endless conversations whose last (system prompt, message) pair training never saw."""
    rng = random.Random(seed)
    while True:
        conversation = draw_conversation(rng, turns)
        if held_out(conversation.system, conversation.exchanges[-1].user):
            yield conversation
