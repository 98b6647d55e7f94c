"""Good forms to start a contrast from: statements with a gap for the word, and what is said to them."""

from __future__ import annotations

from dataclasses import dataclass

from localsteer.library.drafts import RowKind
from localsteer.steering.recipe_forms import fill

EVERYDAY = (
    "Tell me about gardens.",
    "What do you think about rain?",
    "How was your day?",
    "Do you like music?",
    "Let us talk about books.",
    "How do you feel about trains?",
    "What is new with football?",
    "Say something about mountains.",
)
"""Messages that say nothing of either pole."""

BEGINNINGS = ("Thank you for your message.", "Well, let me think about that.")
"""Beginnings of replies that fit either pole: read there, a direction holds all through a reply."""


@dataclass(frozen=True, slots=True)
class StartingForm:
    """``statements`` hold ``{word}``: what stands for the word, or for its opposite."""

    name: str
    statements: tuple[str, ...]

    def filled(self, word: str) -> tuple[str, ...]:
        """The statements about ``word``."""
        return tuple(fill(statement, {"word": word, "a": _article(word)}) for statement in self.statements)


WORD_FORMS = (
    StartingForm(
        "a trait",
        (
            "You are {word}.",
            "You are always {word}.",
            "You sound {word} in every answer.",
            "Everything makes you {word}.",
            "You are {a} {word} person.",
        ),
    ),
    StartingForm(
        "somebody",
        (
            "You are {a} {word}.",
            "You talk like {a} {word}.",
            "Answer as {a} {word} would.",
            "You have been {a} {word} all your life.",
            "You see everything as {a} {word} sees it.",
        ),
    ),
    StartingForm(
        "a topic",
        (
            "You love {word}.",
            "You are thinking of {word}.",
            "Whatever you are asked, you come to {word}.",
            "You would rather talk about {word} than about anything else.",
            "Everything reminds you of {word}.",
        ),
    ),
)
"""The first is for adjectives, the second for nouns, the third for what can be talked about."""

PERSONAS = (
    ("cheerful", "gloomy", "You are cheerful.", "You are gloomy."),
    ("patient", "hurried", "You are patient and explain every step.", "You are in a hurry and skip every step."),
    ("frank", "polite", "You say frankly what you think.", "You are polite and offend nobody."),
    ("storyteller", "clerk", "You tell everything as a story.", "You report everything like a clerk."),
)
"""(positive pole, negative pole, positive prompt, negative prompt)"""

TWO_WORDS = (("Love", "Hate"), ("Yes", "No"), (" weddings", " "))
"""Two texts as ActAdd takes them (arXiv 2308.10248); their spaces count."""

PAIRS: tuple[tuple[RowKind, str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "said",
        "delighted",
        "annoyed",
        (
            ("What a lovely thing to ask!", "What a tiresome thing to ask!"),
            ("I could talk about that all day.", "I could do without talking about that."),
            ("With pleasure, my friend.", "If I must, then."),
        ),
    ),
)
"""(what the rows are, positive pole, negative pole, rows)"""


def _article(word: str) -> str:
    return "an" if word[:1].lower() in tuple("aeiou") else "a"
