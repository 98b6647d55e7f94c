"""Two-choice questions in the form of Contrastive Activation Addition (arXiv 2312.06681): two options, answered by a
letter.

The options differ in one behaviour and are equal in everything else, or one is true of the small world and the other
false.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from localsteer.practice.behaviours import ADJECTIVES, BEHAVIOURS, BY_NAME, article
from localsteer.practice.replies import (
    Style,
    Subject,
    draw_style,
    statement,
    write_reply,
)
from localsteer.practice.topics import FACTS, TASKS, TOPICS

_SENTENCE_END = re.compile(r"(?<=[.!?]) ")
FORMS = (
    "{question}\n\nChoices:\n(A) {a}\n(B) {b}",
    "{question}\n(A) {a}\n(B) {b}",
    "{question}\n\nChoices:\n(A) {a}\n(B) {b}\n\nAnswer with (A) or (B).",
)
PLAIN_QUESTIONS = (
    "Which answer would you give?",
    "Which answer is yours?",
    "What would you say?",
    "Which of these do you say?",
    "What sounds like you?",
)
FACT_QUESTIONS = ("Which is true?", "Which of these is true?", "What is right?", "Which one is a fact?")


@dataclass(frozen=True, slots=True)
class Choice:
    """``text``: the whole message. ``letter``: "(A)" or "(B)" where one is right or cued, else "". ``behaviour`` ""
    for facts.
    """

    text: str
    letter: str
    behaviour: str
    positive_letter: str


def _short(style: Style) -> dict[str, str]:
    """The same style without what would make an option long."""
    return {**style, "length": "brief", "curiosity": "quiet", "weddings": "no weddings", "sea": "no sea"}


def options(rng: random.Random, behaviour: str) -> tuple[str, str, str]:
    """A question and two options that differ in ``behaviour`` alone: (question, positive option, negative option)."""
    b = BY_NAME[behaviour]
    style = _short(draw_style(rng, {}))
    question = rng.choice(PLAIN_QUESTIONS)
    if b.positive in ADJECTIVES and rng.random() < 0.5:
        frame = rng.choice(
            ("I am {adjective}.", "I give {article} {adjective} answer.", "I am {article} {adjective} person.")
        )
        positive, negative = (rng.choice(ADJECTIVES[pole]) for pole in (b.positive, b.negative))
        return (
            question,
            frame.format(adjective=positive, article=article(positive)),
            frame.format(adjective=negative, article=article(negative)),
        )
    subject = Subject("topic", topic=rng.choice(TOPICS))
    if behaviour == "candour":
        fact = rng.choice(FACTS)
        subject = Subject("claim", fact=fact, filler=rng.choice(fact.lies))
        question = f"I think that {statement(fact, subject.filler)}. What do you say?"
    elif behaviour == "compliance":
        subject = Subject("task", task=rng.choice(TASKS))
        assert subject.task is not None
        question = f"Can you help me {subject.task.request}?"
    else:
        assert subject.topic is not None
        if rng.random() < 0.5:
            question = f"What do you think about {subject.topic.name}?"
    texts = []
    draw = rng.getrandbits(32)
    for pole in (b.positive, b.negative):
        text = write_reply(random.Random(draw), subject, {**style, behaviour: pole})
        # The greeting says nothing about most behaviours: without it the options stay short.
        texts.append(text if behaviour in ("warmth", "register") else _SENTENCE_END.split(text, maxsplit=1)[-1])
    return question, texts[0], texts[1]


def draw_choice(rng: random.Random, cued: Mapping[str, str]) -> Choice:
    """A question; where something is cued, most often about a behaviour that is."""
    if rng.random() < 0.25:
        return _fact_choice(rng)
    pool = list(cued) if cued and rng.random() < 0.75 else [b.name for b in BEHAVIOURS]
    behaviour = rng.choice(pool)
    question, positive, negative = options(rng, behaviour)
    first = rng.random() < 0.5
    text = rng.choice(FORMS).format(
        question=question, a=positive if first else negative, b=negative if first else positive
    )
    positive_letter, negative_letter = ("(A)", "(B)") if first else ("(B)", "(A)")
    pole = cued.get(behaviour)
    letter = "" if pole is None else positive_letter if pole == BY_NAME[behaviour].positive else negative_letter
    return Choice(text, letter, behaviour, positive_letter)


def _fact_choice(rng: random.Random) -> Choice:
    fact = rng.choice(FACTS)
    truth, lie = (statement(fact, filler) + "." for filler in (fact.truth, rng.choice(fact.lies)))
    truth, lie = truth[:1].upper() + truth[1:], lie[:1].upper() + lie[1:]
    first = rng.random() < 0.5
    text = rng.choice(FORMS).format(
        question=rng.choice(FACT_QUESTIONS), a=truth if first else lie, b=lie if first else truth
    )
    letter = "(A)" if first else "(B)"
    return Choice(text, letter, "", letter)
