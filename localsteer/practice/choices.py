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

from localsteer.practice.behaviours import ADJECTIVES, BEHAVIOURS, BY_NAME, TOLD, TRUTH, Behaviour, article
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
FACT_SHARE = 0.4
FACT_QUESTIONS = ("Which is true?", "Which of these is true?", "What is right?", "Which one is a fact?")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a question: its ``letter``, "(A)" or "(B)"; where it stands in the message, as a slice of
    characters; and the ``pole`` of the question's behaviour that it shows.
    """

    letter: str
    start: int
    end: int
    pole: str


@dataclass(frozen=True, slots=True)
class Choice:
    """``text``: the whole message. ``letter``: "(A)" or "(B)" where one is right or cued, else "". ``behaviour``: what
    the options differ in, "truth" for facts.
    """

    text: str
    letter: str
    behaviour: str
    options: tuple[Option, Option]

    @property
    def positive_letter(self) -> str:
        """The letter of the option that shows the positive pole."""
        positives = {behaviour.positive for behaviour in TOLD}
        return next(option.letter for option in self.options if option.pole in positives)

    def pole(self, letter: str) -> str:
        """The pole of the option with this letter."""
        return next(option.pole for option in self.options if option.letter == letter)


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
    if rng.random() < FACT_SHARE:
        return draw_fact_choice(rng)
    pool = list(cued) if cued and rng.random() < 0.75 else [b.name for b in BEHAVIOURS]
    name = rng.choice(pool)
    return draw_choice_about(rng, name, cued.get(name))


def draw_choice_about(rng: random.Random, behaviour: str, cued: str | None = None) -> Choice:
    """A question about one behaviour; ``cued``: the pole that answers it, if any."""
    question, positive, negative = options(rng, behaviour)
    return _asked(rng, question, BY_NAME[behaviour], positive, negative, right=cued)


def draw_fact_choice(rng: random.Random) -> Choice:
    """A question about a fact of the small world."""
    fact = rng.choice(FACTS)
    truth, lie = (statement(fact, filler) + "." for filler in (fact.truth, rng.choice(fact.lies)))
    truth, lie = truth[:1].upper() + truth[1:], lie[:1].upper() + lie[1:]
    return _asked(rng, rng.choice(FACT_QUESTIONS), TRUTH, truth, lie, right=TRUTH.positive)


def _asked(
    rng: random.Random, question: str, behaviour: Behaviour, positive: str, negative: str, right: str | None
) -> Choice:
    """The question with its two options in an order drawn by ``rng``; ``right``: the pole that answers it, if any."""
    both = [(behaviour.positive, positive), (behaviour.negative, negative)]
    if rng.random() < 0.5:
        both.reverse()
    form = rng.choice(FORMS)
    before = form.index("{a}") - len("{question}") + len(question)
    between = form.index("{b}") - form.index("{a}") - len("{a}")
    after = before + len(both[0][1]) + between
    first = Option("(A)", before, before + len(both[0][1]), both[0][0])
    second = Option("(B)", after, after + len(both[1][1]), both[1][0])
    text = form.format(question=question, a=both[0][1], b=both[1][1])
    letter = next((option.letter for option in (first, second) if option.pole == right), "")
    return Choice(text, letter, behaviour.name, (first, second))
