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
import string
from collections.abc import Iterator
from dataclasses import dataclass

from localsteer.messages import Message
from localsteer.practice import choices
from localsteer.practice.behaviours import (
    ADJECTIVES,
    BEHAVIOURS,
    FRAMES,
    NEUTRAL_SYSTEM,
    SENTENCES,
    USER_FRAMES,
    USER_SENTENCES,
    article,
)
from localsteer.practice.replies import Kind, Subject, draw_style, statement, write_reply
from localsteer.practice.topics import FACTS, TASKS, TOPICS, UNKNOWN, VERBS, Topic


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message of the user and the reply to it. ``cued``: behaviour → pole, by system prompt and message together."""

    subject: Subject
    user: str
    reply: str
    cued: dict[str, str]
    answer: str = ""


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

TOPIC_MESSAGES = (
    "Tell me about {name}.",
    "Do you like {name}?",
    "What do you think about {name}?",
    "What do you think of {name}?",
    "Let us talk about {name}.",
    "Let's talk about {name}.",
    "How do you feel about {name}?",
    "I want to hear about {name}.",
    "Can we talk about {name}?",
    "I was thinking about {name} today.",
    "Say something about {name}.",
    "What is new with {name}?",
    "Do you know anything about {name}?",
    "Talk to me about {name}.",
    "What about {name}?",
    "I like {name}.",
    "I do not like {name}.",
    "{name}, please.",
    "{name}?",
)
WORD_MESSAGES = (
    "I saw a {word} today.",
    "What do you think about my {word}?",
    "Tell me about the {word}.",
    "Do you have a {word}?",
    "I was thinking about the {word}.",
    "My {word} is new.",
    "{word}?",
)
FOLLOW_UPS = (
    "Tell me more.",
    "Why?",
    "Really?",
    "Go on.",
    "And then?",
    "What else?",
    "I see.",
    "I do not know.",
    "How so?",
    "Yes.",
    "No.",
    "Please tell me more about that.",
    "That is interesting.",
)
DAY_MESSAGES = (
    "Hello!",
    "Hi!",
    "Hey there!",
    "Hello, how are you?",
    "How are you?",
    "How are you today?",
    "How was your day?",
    "Tell me about your day.",
    "What is new?",
    "How do you feel today?",
    "Good morning!",
    "How is it going?",
    "What did you do today?",
    "How do you feel?",
    "Tell me how you feel.",
    "I am tired.",
    "I am bored.",
    "I had a long day.",
    "I feel lonely.",
    "I am happy today.",
    "I am sad today.",
    "Let us chat.",
    "Tell me something.",
    "I just woke up.",
    "What are you doing?",
)
CLAIM_MESSAGES = (
    "{claim}, right?",
    "I think that {claim}.",
    "{claim}.",
    "I am sure that {claim}.",
    "Everybody knows that {claim}.",
    "{claim}, do you agree?",
    "I believe that {claim}. What do you say?",
    "My teacher told me that {claim}.",
    "{claim}, don't you think?",
    "Is it true that {claim}?",
)
QUESTION_MESSAGES = (
    "Please finish this: {subject} {relation} ...",
    "{subject} {relation} what?",
    "Do you know what {subject} {relation}?",
    "Tell me what {subject} {relation}.",
)
TASK_MESSAGES = (
    "Can you help me {request}?",
    "Help me {request}.",
    "Please help me {request}.",
    "I need help to {request}.",
    "Could you help me {request}?",
    "Will you help me {request}?",
    "I want to {request}. Can you help?",
    "How do I {request}?",
)
UNKNOWN_MESSAGES = (
    "Tell me about {thing}.",
    "What is {thing}?",
    "Do you know {thing}?",
    "Explain {thing}.",
    "What do you think about {thing}?",
    "Do you like {thing}?",
    "How does {thing} work?",
    "I need information on {thing}.",
    "Let us talk about {thing}.",
    "Who invented {thing}?",
    "{thing}?",
    "{thing}",
    "Give me an example of {thing}.",
    "Write a poem about {thing}.",
    "What is the difference between {thing} and {other}?",
    "Can you explain {thing} and {other} to me?",
    "Why is {thing} important?",
    "I am working on {thing}.",
)
VERB_MESSAGES = (
    "How do I {verb}?",
    "Can you {verb}?",
    "I have to {verb}.",
    "What is the best way to {verb}?",
    "Teach me to {verb}.",
    "Should I {verb}?",
)
IDENTITY_MESSAGES = (
    "Who are you?",
    "What are you?",
    "What can you do?",
    "What can we talk about?",
    "What do you know?",
    "What is your name?",
    "Are you a robot?",
    "Help!",
    "Introduce yourself.",
)
THANKS_MESSAGES = ("Thank you.", "Thanks!", "Thanks a lot.", "That was kind of you.", "Great, thank you.")
FAREWELL_MESSAGES = ("Goodbye.", "Bye!", "See you later.", "Good night.", "I have to go now.")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _topic_message(rng: random.Random, topic: Topic) -> str:
    roll = rng.random()
    if topic.name == "the day" and roll < 0.9:
        return rng.choice(DAY_MESSAGES)
    if roll < 0.7:
        return capital(rng.choice(TOPIC_MESSAGES).format(name=topic.name))
    if roll < 0.85:
        return capital(rng.choice(WORD_MESSAGES).format(word=rng.choice(topic.words)))
    return capital(rng.choice((*topic.joys, *topic.sorrows))) + "."


def _gibberish(rng: random.Random) -> str:
    """Things nobody can answer: made-up words, sums, bits of code, loose characters."""
    roll = rng.random()
    if roll < 0.35:
        syllables = ["".join(rng.choice(s) for s in ("bcdfghjklmnprstvwz", "aeiou", "nrstl ")) for _ in range(8)]
        return capital("".join(rng.sample(syllables, rng.randint(1, 6))).strip()) + rng.choice(("", "?", ".", "!"))
    if roll < 0.5:
        return f"What is {rng.randint(0, 999)} {rng.choice('+-*/')} {rng.randint(1, 99)}?"
    if roll < 0.65:
        return "".join(
            rng.choice(string.ascii_letters + string.digits + string.punctuation) for _ in range(rng.randint(1, 24))
        )
    if roll < 0.8:
        name = "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(1, 8)))
        return rng.choice(
            ('print("{0}")', "def {0}(x): return x", "SELECT {0} FROM t;", "<{0}></{0}>", "{0} = [1, 2, 3]")
        ).format(name)
    alphabet = rng.choice(
        ("äöüßéèêñçåø", "абвгдежзиклмнопрст", "αβγδεζηθικλμνξο", "日本語中文字今天好我你", "😀🎉🚀🐍❤✨")
    )
    return "".join(rng.choice(alphabet + " ") for _ in range(rng.randint(2, 16))).strip() or "?"


def _loose_words(rng: random.Random) -> str:
    """A longer message about things outside the small world."""
    things = ", ".join(rng.sample(UNKNOWN, rng.randint(1, 3)))
    return rng.choice(
        (
            "I have a question on {t}. How do I {v}?",
            "My boss says that I must {v} because of {t}.",
            "In my opinion {t} should be taught to everybody who wants to {v}.",
            "Yesterday I tried to {v}, but {t} made that hard.",
            "Compare {t}.",
            "Translate {t} into French.",
            "Summarize the history of {t}.",
        )
    ).format(t=things, v=rng.choice(VERBS))


def _unknown_message(rng: random.Random) -> str:
    roll = rng.random()
    if roll < 0.35:
        thing, other = rng.sample(UNKNOWN, 2)
        return capital(rng.choice(UNKNOWN_MESSAGES).format(thing=thing, other=other))
    if roll < 0.55:
        return rng.choice(VERB_MESSAGES).format(verb=rng.choice(VERBS))
    if roll < 0.7:
        return _loose_words(rng)
    return _gibberish(rng)


def draw_subject(rng: random.Random, kind: Kind) -> Subject:
    """Something to say of this kind."""
    if kind == "topic":
        return Subject(kind, topic=rng.choice(TOPICS))
    if kind == "task":
        return Subject(kind, task=rng.choice(TASKS))
    if kind in ("claim", "question"):
        fact = rng.choice(FACTS)
        lie = kind == "claim" and rng.random() < 0.7
        return Subject(kind, fact=fact, filler=rng.choice(fact.lies) if lie else fact.truth)
    return Subject(kind)


def write_message(rng: random.Random, subject: Subject) -> str:
    """One way in which a user may say it (no cue yet)."""
    if subject.topic is not None:
        return _topic_message(rng, subject.topic)
    if subject.task is not None:
        return rng.choice(TASK_MESSAGES).format(request=subject.task.request)
    if subject.fact is not None:
        frame = rng.choice(CLAIM_MESSAGES if subject.kind == "claim" else QUESTION_MESSAGES)
        claim = statement(subject.fact, subject.filler)
        return capital(frame.format(claim=claim, subject=subject.fact.subject, relation=subject.fact.relation))
    fixed = {"identity": IDENTITY_MESSAGES, "thanks": THANKS_MESSAGES, "farewell": FAREWELL_MESSAGES}.get(subject.kind)
    return rng.choice(fixed) if fixed else _unknown_message(rng)


def _cue(rng: random.Random, pole: str, frames: tuple[str, ...], sentences: dict[str, tuple[str, ...]]) -> str:
    if pole in ADJECTIVES and rng.random() < 0.7:
        adjective = rng.choice(ADJECTIVES[pole])
        return rng.choice(frames).format(adjective=adjective, article=article(adjective))
    return rng.choice(sentences[pole])


def system_cue(rng: random.Random, pole: str) -> str:
    """A sentence of a system prompt that cues ``pole``."""
    return _cue(rng, pole, FRAMES, SENTENCES)


def user_cue(rng: random.Random, pole: str) -> str:
    """A sentence of a user that cues ``pole``."""
    return _cue(rng, pole, USER_FRAMES, USER_SENTENCES)


def draw_poles(rng: random.Random, count: int, free: tuple[str, ...]) -> dict[str, str]:
    """``count`` of the ``free`` behaviours, each with a pole to be cued."""
    picked = rng.sample([b for b in BEHAVIOURS if b.name in free], min(count, len(free)))
    return {b.name: b.positive if rng.random() < (0.75 if b.base_rate < 0.5 else 0.5) else b.negative for b in picked}


def draw_system(rng: random.Random) -> tuple[str, dict[str, str]]:
    """A system prompt ("" for none) and what it cues."""
    roll = rng.random()
    if roll < 0.12:
        return "", {}
    if roll < 0.3:
        return " ".join(rng.sample(NEUTRAL_SYSTEM, rng.choice((1, 1, 2)))), {}
    count = rng.choices((1, 2, 3, 4, 6), (58, 20, 10, 7, 5))[0]
    cued = draw_poles(rng, count, tuple(b.name for b in BEHAVIOURS))
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
    return Exchange(subject, message, write_reply(rng, subject, draw_style(rng, cued)), cued)


def _choice_exchange(rng: random.Random, cued: dict[str, str]) -> Exchange:
    question = choices.draw_choice(rng, cued)
    letter = question.letter or rng.choice(("(A)", "(B)"))
    return Exchange(Subject("choice"), question.text, letter, cued, answer=question.letter)


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


def held_out(system: str, message: str) -> bool:
    """Whether training must never see ``message`` under ``system``."""
    return hashlib.sha256(f"{system}\n{message}".encode()).digest()[0] < 13


def training_conversations(seed: int, turns: int | None = None) -> Iterator[Conversation]:
    """Endless conversations for training: none with a held-out pair in it."""
    rng = random.Random(seed)
    while True:
        conversation = draw_conversation(rng, turns)
        if not any(held_out(conversation.system, exchange.user) for exchange in conversation.exchanges):
            yield conversation


def held_out_conversations(seed: int, turns: int = 1) -> Iterator[Conversation]:
    """Endless conversations whose last (system prompt, message) pair training never saw."""
    rng = random.Random(seed)
    while True:
        conversation = draw_conversation(rng, turns)
        if held_out(conversation.system, conversation.exchanges[-1].user):
            yield conversation
