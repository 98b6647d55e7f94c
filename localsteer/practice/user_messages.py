"""What people say to the practice model: every subject in many wordings, and much that it cannot answer."""

from __future__ import annotations

import random
import string

from localsteer.practice.replies import Kind, Subject, statement
from localsteer.practice.topics import FACTS, TASKS, TOPICS, UNKNOWN, VERBS, Topic

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
        lie = kind == "claim" and rng.random() < 0.9
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
