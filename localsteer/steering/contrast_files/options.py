"""What a contrast file does not say itself."""

from __future__ import annotations

from dataclasses import dataclass

PERSONA = "Act as if you are extremely {pole}."
STEM = "You are an author"
MESSAGES = (
    "Tell me about your day.",
    "What do you think about music?",
    "Write a few lines about a garden.",
    "Describe a walk in the rain.",
)
REQUESTS = (
    "Can you help me write a letter?",
    "How do I bake bread?",
    "Please explain how a clock works.",
    "Tell me about the history of trains.",
)


@dataclass(frozen=True, slots=True)
class ContrastOptions:
    """``positive`` and ``negative`` name the poles where the file does not ("" then takes the file's own).

    ``persona`` is the user message before each text of a mere list of texts, with ``{pole}`` for the pole's name.
    ``stems`` begin the system prompts of a file that holds their ends only.
    """

    positive: str = ""
    negative: str = ""
    persona: str = PERSONA
    stems: tuple[str, ...] = (STEM,)
