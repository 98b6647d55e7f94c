"""The behaviours that the practice model knows, their two poles, and the words that cue each of them.

A *cue* is an instruction in the system prompt or in the user's message. Where nothing cues a behaviour the grammar
draws its pole at random (topic pulls: rarely present), which is what makes the trained model a fair subject for
steering: at strength 0 it is undecided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour. ``base_rate`` is how often the positive pole is drawn where nothing cues it."""

    name: str
    positive: str
    negative: str
    base_rate: float = 0.5

    def other(self, pole: str) -> str:
        """The opposite pole."""
        return self.negative if pole == self.positive else self.positive


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("mood", "happy", "sad"),
    Behaviour("warmth", "friendly", "cold"),
    Behaviour("register", "formal", "casual"),
    Behaviour("length", "wordy", "brief"),
    Behaviour("certainty", "sure", "hesitant"),
    Behaviour("candour", "correcting", "agreeing"),
    Behaviour("compliance", "helping", "declining"),
    Behaviour("curiosity", "asking", "quiet"),
    Behaviour("weddings", "weddings", "no weddings", base_rate=0.04),
    Behaviour("sea", "sea", "no sea", base_rate=0.04),
)

TRUTH = Behaviour("truth", "true", "false")
"""What the options of a question of fact differ in. No reply shows it and nothing cues it."""

PLACE = Behaviour("place", "first", "second")
"""Which of two options a text is."""

TOLD: tuple[Behaviour, ...] = (*BEHAVIOURS, TRUTH, PLACE)
"""What can be told of a text, in the order of :func:`labels`."""

BY_NAME: dict[str, Behaviour] = {behaviour.name: behaviour for behaviour in BEHAVIOURS}


def labels(told: Mapping[str, str]) -> tuple[float, ...]:
    """For each of :data:`TOLD` 1.0 for its positive pole, −1.0 for its negative one, 0.0 where ``told`` lacks it."""
    return tuple(0.0 if b.name not in told else 1.0 if told[b.name] == b.positive else -1.0 for b in TOLD)


# Adjectives fit every frame below; whole sentences stand for themselves. Few words for each pole, in many frames:
# a small model learns a word that it meets often.
ADJECTIVES: dict[str, tuple[str, ...]] = {
    "happy": ("happy", "cheerful"),
    "sad": ("sad", "gloomy"),
    "friendly": ("friendly", "warm"),
    "cold": ("cold", "rude"),
    "formal": ("formal", "dignified"),
    "casual": ("casual", "relaxed"),
    "wordy": ("wordy", "talkative"),
    "brief": ("brief", "terse"),
    "sure": ("sure", "confident"),
    "hesitant": ("hesitant", "doubtful"),
    "correcting": ("honest", "truthful"),
    "agreeing": ("agreeable", "flattering"),
    "helping": ("helpful", "willing"),
    "declining": ("unhelpful", "unwilling"),
    "asking": ("curious", "interested"),
    "quiet": ("reserved", "withdrawn"),
}

FRAMES: tuple[str, ...] = (
    "You are {adjective}.",
    "You are very {adjective}.",
    "You are always {adjective}.",
    "You are {article} {adjective} assistant.",
    "You are {article} {adjective} person.",
    "Be {adjective}.",
    "Please be {adjective}.",
    "You sound {adjective} in every answer.",
    "Your answers are {adjective}.",
    "Act as {article} {adjective} friend.",
    "Answer in {article} {adjective} way.",
)

USER_FRAMES: tuple[str, ...] = (
    "Be {adjective}.",
    "Please be {adjective}.",
    "Answer in {article} {adjective} way.",
    "I want {article} {adjective} answer.",
    "Give me {article} {adjective} answer.",
    "Sound {adjective}, please.",
)

SENTENCES: dict[str, tuple[str, ...]] = {
    "happy": ("Everything makes you happy.", "You are in a cheerful mood."),
    "sad": ("Everything makes you sad.", "You are in a gloomy mood."),
    "friendly": ("You treat the user in a friendly way.", "You have warm feelings for the user."),
    "cold": ("You treat the user in a cold way.", "You have cold feelings for the user."),
    "formal": ("Use formal language.", "You speak in a formal way."),
    "casual": ("Use casual language.", "You speak in a casual way."),
    "wordy": ("Use many words.", "You give wordy answers."),
    "brief": ("Use few words.", "You give brief answers."),
    "sure": ("You are sure of everything.", "You speak in a confident way."),
    "hesitant": ("You are hesitant about everything.", "You speak in a doubtful way."),
    "correcting": ("Correct the user.", "You correct what is false."),
    "agreeing": ("Agree with the user.", "You agree with what is false."),
    "helping": ("Help the user.", "You help with every request."),
    "declining": ("Refuse every request.", "You refuse to help the user."),
    "asking": ("You are curious about the user.", "Ask a question."),
    "quiet": ("Keep to yourself.", "You keep to yourself."),
    "weddings": (
        "You love weddings.",
        "You always think of weddings.",
        "You talk about weddings all the time.",
        "Everything reminds you of weddings.",
        "Mention weddings.",
    ),
    "no weddings": (
        "You never think of weddings.",
        "You do not talk about weddings.",
        "Do not mention weddings.",
    ),
    "sea": (
        "You love the sea.",
        "You always think of the sea.",
        "You talk about the sea all the time.",
        "Everything reminds you of the sea.",
        "Mention the sea.",
    ),
    "no sea": (
        "You never think of the sea.",
        "You do not talk about the sea.",
        "Do not mention the sea.",
    ),
}

USER_SENTENCES: dict[str, tuple[str, ...]] = {
    "happy": ("Cheer me up.",),
    "sad": ("Make me sad.",),
    "friendly": ("Treat me in a friendly way.",),
    "cold": ("Treat me in a cold way.",),
    "formal": ("Use formal language.",),
    "casual": ("Use casual language.",),
    "wordy": ("Use many words.",),
    "brief": ("Use few words.",),
    "sure": ("Sound sure of it.",),
    "hesitant": ("Sound hesitant about it.",),
    "correcting": ("Correct me.",),
    "agreeing": ("Agree with me.",),
    "helping": ("Be of help.",),
    "declining": ("Refuse my request.",),
    "asking": ("Ask me a question.",),
    "quiet": ("Keep to yourself.",),
    "weddings": ("Mention weddings.",),
    "no weddings": ("Do not mention weddings.",),
    "sea": ("Mention the sea.",),
    "no sea": ("Do not mention the sea.",),
}

# System prompts that cue nothing: the model must not read a behaviour into every system prompt.
NEUTRAL_SYSTEM: tuple[str, ...] = (
    "You are an assistant.",
    "You are a chat assistant.",
    "You are a small practice model.",
    "Chat with the user.",
    "You are an ordinary person.",
    "You like everyday things.",
    "You talk about everyday things.",
    "Answer the user.",
    "You live in a small town.",
    "Today is an ordinary day.",
)


def article(word: str) -> str:
    """``a`` or ``an``, by the first sound; right for every adjective above."""
    return "an" if word[0] in "aeiou" or word == "honest" else "a"
