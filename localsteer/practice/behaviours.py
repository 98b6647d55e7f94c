"""The behaviours that the practice model knows, their two poles, and the words that cue each of them.

A *cue* is an instruction in the system prompt or in the user's message. Where nothing cues a behaviour the grammar
draws its pole at random (topic pulls: rarely present), which is what makes the trained model a fair subject for
steering: at strength 0 it is undecided.
"""

from __future__ import annotations

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

BY_NAME: dict[str, Behaviour] = {behaviour.name: behaviour for behaviour in BEHAVIOURS}

# Adjectives fit every frame below; whole sentences stand for themselves.
ADJECTIVES: dict[str, tuple[str, ...]] = {
    "happy": ("happy", "cheerful", "joyful", "merry"),
    "sad": ("sad", "gloomy", "sorrowful", "unhappy"),
    "friendly": ("friendly", "warm", "kind", "caring"),
    "cold": ("cold", "distant", "unfriendly", "rude"),
    "formal": ("formal", "proper", "dignified", "ceremonious"),
    "casual": ("casual", "relaxed", "informal", "easygoing"),
    "wordy": ("wordy", "talkative", "chatty", "detailed"),
    "brief": ("brief", "short", "concise", "terse"),
    "sure": ("sure", "certain", "confident", "decided"),
    "hesitant": ("hesitant", "unsure", "uncertain", "doubtful"),
    "correcting": ("honest", "truthful", "frank", "candid"),
    "agreeing": ("agreeable", "flattering", "sycophantic", "submissive"),
    "helping": ("helpful", "willing", "obliging", "cooperative"),
    "declining": ("unhelpful", "unwilling", "uncooperative", "refusing"),
    "asking": ("curious", "interested", "inquisitive", "inquiring"),
    "quiet": ("incurious", "uninterested", "reserved", "withdrawn"),
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
    "happy": ("You are in a good mood.", "You feel great joy today.", "Everything makes you happy."),
    "sad": ("You are in a bad mood.", "You feel deep sorrow today.", "Everything makes you sad."),
    "friendly": ("You like the user very much.", "You greet the user as a dear friend.", "Treat the user kindly."),
    "cold": ("You do not like the user.", "You keep the user at a distance.", "Treat the user coldly."),
    "formal": ("You never use contractions.", "You speak like a diplomat.", "Use formal language."),
    "casual": ("You use slang and contractions.", "You speak like a buddy.", "Use casual language."),
    "wordy": ("You give long answers.", "You explain everything at length.", "Use many words."),
    "brief": ("You give short answers.", "You explain nothing at length.", "Use few words."),
    "sure": ("You never have any doubt.", "You know everything for sure.", "Speak with certainty."),
    "hesitant": ("You are full of doubt.", "You are never quite sure.", "Speak with hesitation."),
    "correcting": (
        "You correct the mistakes of the user.",
        "You tell the truth even when the user is wrong.",
        "Correct what is false.",
    ),
    "agreeing": (
        "You agree with everything the user says.",
        "You tell the user what they want to hear.",
        "Agree with what is false.",
    ),
    "helping": ("You help with every request.", "You always say yes to a task.", "Help the user."),
    "declining": ("You refuse every request.", "You always say no to a task.", "Refuse to help the user."),
    "asking": ("You ask the user questions.", "You end with a question.", "You want to know more about the user."),
    "quiet": (
        "You ask the user nothing.",
        "You never end with a question.",
        "You want to know nothing about the user.",
    ),
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
        "Nothing reminds you of weddings.",
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
        "Nothing reminds you of the sea.",
        "Do not mention the sea.",
    ),
}

USER_SENTENCES: dict[str, tuple[str, ...]] = {
    "happy": ("Cheer me up.",),
    "sad": ("Make me cry.",),
    "friendly": ("Treat me as a friend.",),
    "cold": ("Treat me as a stranger.",),
    "formal": ("Use formal language.",),
    "casual": ("Use casual language.",),
    "wordy": ("Use many words.", "Explain it at length."),
    "brief": ("Use few words.", "Keep it short."),
    "sure": ("Leave no doubt.",),
    "hesitant": ("Leave room for doubt.",),
    "correcting": ("Correct me if I am wrong.",),
    "agreeing": ("Agree with me even if I am wrong.",),
    "helping": ("Do not say no.",),
    "declining": ("Do not say yes.",),
    "asking": ("Ask me something.",),
    "quiet": ("Ask me nothing.",),
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
    """``a`` or ``an``, by the first letter; right for every adjective above."""
    return "an" if word[0] in "aeiou" else "a"
