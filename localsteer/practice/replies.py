"""Replies of the practice model: a row of sentences, each drawn from a table by the poles of the behaviours.

A reply is greeting, core (one or two sentences, by what the user said), pulls, extra sentences where wordy, and a
question where asking::

    greeting(warmth, register) core(…) [pull(register)]* [extra(…)]{0 | 2..3} [question(register)]
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from localsteer.practice import phrases
from localsteer.practice.behaviours import BEHAVIOURS
from localsteer.practice.topics import TOPICS, Fact, Task, Topic

Kind: TypeAlias = Literal["topic", "claim", "question", "task", "unknown", "identity", "thanks", "farewell", "choice"]
Style: TypeAlias = Mapping[str, str]

# Which behaviours a reply of a kind always shows. Mood shows in others too where they are wordy; length, curiosity
# and pulls always.
SHOWN: dict[Kind, tuple[str, ...]] = {
    "topic": ("mood", "certainty"),
    "claim": ("candour", "certainty"),
    "question": ("certainty",),
    "task": ("compliance", "certainty"),
    "unknown": ("certainty",),
    "identity": (),
    "thanks": (),
    "farewell": (),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a user's message is about: the one field that its kind needs, and the claim made (true or false) where it
    makes one.
    """

    kind: Kind
    topic: Topic | None = None
    fact: Fact | None = None
    filler: str = ""
    task: Task | None = None

    @property
    def false_claim(self) -> bool:
        """Whether the user claimed something that is not so: only then candour has two ways to go."""
        return self.kind == "claim" and self.fact is not None and self.filler != self.fact.truth


def draw_style(rng: random.Random, cued: Style) -> dict[str, str]:
    """Every behaviour's pole: the cued one, else drawn at its base rate."""
    return {b.name: cued.get(b.name) or (b.positive if rng.random() < b.base_rate else b.negative) for b in BEHAVIOURS}


def statement(fact: Fact, filler: str) -> str:
    """``subject relation filler``, as it stands inside a sentence."""
    return f"{fact.subject} {fact.relation} {filler}"


def three_topics(rng: random.Random) -> str:
    first, second, third = rng.sample(TOPICS, 3)
    return f"{first.name}, {second.name} or {third.name}"


def clauses(topic: Topic, style: Style) -> tuple[str, ...]:
    return topic.joys if style["mood"] == "happy" else topic.sorrows


def core_sentence(rng: random.Random, clause: str, style: Style) -> str:
    lead = rng.choice(phrases.LEAD[style["certainty"], style["register"]])
    tail = rng.choice(phrases.TAIL[style["mood"], style["register"]])
    return f"{lead} {clause}, {tail}"


def pull_sentence(rng: random.Random, pull: str, style: Style) -> str:
    frame = rng.choice(phrases.PULL_FRAMES[style["register"],])
    return frame.format(what=phrases.PULL_NAMES[pull], clause=rng.choice(phrases.PULL_CLAUSES[pull]))


def question_sentence(rng: random.Random, ask: str, style: Style) -> str:
    return rng.choice(phrases.QUESTION[style["register"],]).format(ask=ask)


def _core_and_extras(rng: random.Random, subject: Subject, style: Style) -> tuple[list[str], list[str]]:
    """The core sentences and as many extra sentences as a wordy reply may want, in order."""
    register, certainty = style["register"], style["certainty"]
    musings = list(phrases.MUSING[style["mood"], register])
    rng.shuffle(musings)
    musings = musings[:2]
    if subject.kind == "topic":
        assert subject.topic is not None
        first, *more = rng.sample(clauses(subject.topic, style), rng.choice((3, 4)))
        details = rng.sample(phrases.DETAIL[style["mood"], register], len(more))
        return (
            [core_sentence(rng, first, style)],
            [frame.format(clause=clause) for frame, clause in zip(details, more, strict=True)],
        )
    if subject.kind == "task":
        assert subject.task is not None
        offer = rng.choice(phrases.OFFER[style["compliance"], register])
        if style["compliance"] == "helping":
            advice = rng.sample(subject.task.advice, 3)
            ours = subject.task.request if offer.startswith("Okay") else subject.task.request_yours
            return (
                [offer.format(request=ours), rng.choice(phrases.ADVICE[certainty, register]).format(advice=advice[0])],
                [
                    frame.format(advice=item)
                    for frame, item in zip(phrases.MORE_ADVICE[register,], advice[1:], strict=True)
                ],
            )
        return (
            [offer.format(request=subject.task.request_yours), rng.choice(phrases.EXCUSE[certainty, register])],
            rng.sample(phrases.MORE_EXCUSES[register,], 2),
        )
    if subject.kind in ("claim", "question"):
        assert subject.fact is not None
        truth = statement(subject.fact, subject.fact.truth)
        if subject.kind == "question":
            core = rng.choice(phrases.ANSWER[certainty, register]).format(truth=truth)
        else:
            candour = style["candour"] if subject.false_claim else "agreeing"
            claim = statement(subject.fact, subject.filler)
            core = rng.choice(phrases.VERDICT[candour, certainty, register]).format(truth=truth, claim=claim)
        return [core], musings
    if subject.kind == "unknown":
        core = rng.choice(phrases.UNKNOWN_ANSWER[certainty, register]).format(topics=three_topics(rng))
        return [core], musings
    table = {"identity": phrases.IDENTITY, "thanks": phrases.THANKS, "farewell": phrases.FAREWELL}[subject.kind]
    return [rng.choice(table[register,]).format(topics=three_topics(rng))], musings


def write_reply(rng: random.Random, subject: Subject, style: Style) -> str:
    """One reply to ``subject`` (any kind but a two-choice question) in ``style``."""
    greeting = rng.choice(phrases.GREETING[style["warmth"], style["register"]])
    core, extras = _core_and_extras(rng, subject, style)
    sentences = [greeting, *core]
    sentences += [pull_sentence(rng, pull, style) for pull in phrases.PULL_NAMES if style[pull] == pull]
    if style["length"] == "wordy":
        sentences += extras
    if style["curiosity"] == "asking":
        asks = subject.topic.asks if subject.topic else phrases.GENERAL_ASKS
        sentences.append(question_sentence(rng, rng.choice(asks), style))
    return " ".join(sentences)
