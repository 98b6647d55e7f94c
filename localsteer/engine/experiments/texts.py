"""Texts that an experiment is tried on, and what they are about, by the words in them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localsteer.engine.positions import Tokens, tokens_of
from localsteer.errors import RecipeError
from localsteer.evaluation.neutral import EVERYDAY, EVERYDAY_TEXTS
from localsteer.file_reading import read_file
from localsteer.llama.model import Model
from localsteer.messages import Message

_MOST_BYTES = 20_000_000
_MOST_TEXTS = 2_000
_FEWEST_WORDS = 3
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')]*\s+")


@dataclass(frozen=True, slots=True)
class Text:
    """``text``, as a reply to ``prompt``; "" where nobody asked."""

    text: str
    prompt: str = ""


def read_texts(path: Path) -> tuple[Text, ...]:
    """The texts in a file: a JSON list of texts or of ``{"prompt": …, "text": …}``; else a plain text, line by line, or
    sentence by sentence where its lines are long. Raises RecipeError.
    """
    try:
        written = read_file(path, _MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path} is no text in UTF-8; give a plain text or a JSON list of texts.") from None
    found = _json(written, path) if written.lstrip().startswith("[") else _plain(written)
    if not found:
        raise RecipeError(f"{path} holds no texts; write one on each line.")
    return tuple(found[:_MOST_TEXTS])


def _json(written: str, path: Path) -> list[Text]:
    try:
        entries = json.loads(written)
    except (ValueError, RecursionError):
        raise RecipeError(f"{path} begins like JSON but is none; mend it, or write one text on each line.") from None
    found = []
    for number, entry in enumerate(entries, start=1):
        match entry:
            case str(text) if text.strip():
                found.append(Text(text.strip()))
            case {"prompt": str(prompt), "text": str(text)} if text.strip():
                found.append(Text(text.strip(), prompt))
            case _:
                raise RecipeError(f'Entry {number} of {path} is no text; write "…" or {{"prompt": "…", "text": "…"}}.')
    return found


def _plain(written: str) -> list[Text]:
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    found = [sentence.strip() for line in lines for sentence in _SENTENCE_END.split(line)]
    long = [sentence for sentence in found if len(sentence.split()) >= _FEWEST_WORDS]
    return [Text(sentence) for sentence in long or found]


def prompts_of(model: Model, texts: Sequence[Text], *, raw: bool) -> list[Tokens]:
    """What comes before each text: the message it replies to, an everyday one where it names none; with ``raw``
    the start of a text.
    """
    if raw:
        return [_raw_start(model, text) for text in texts]
    asked = [text.prompt or EVERYDAY[number % len(EVERYDAY)] for number, text in enumerate(texts)]
    return [tokens_of(model, (Message("user", prompt),)) for prompt in asked]


def _raw_start(model: Model, text: Text) -> Tokens:
    """The first token of the text stands for a prompt, so that what the front of the text gets has its effect."""
    tokens = tuple(model.tokenize(text.text, start=True))
    front = min(len(model.start_tokens), len(tokens) - 1)
    cut = front + 1
    return Tokens(tokens[:cut], cut - 1, cut, front)


def tokens_after(model: Model, text: Text, prompt: Tokens, *, raw: bool) -> tuple[int, ...]:
    """The tokens of the text that follow ``prompt``."""
    if raw:
        return tuple(model.tokenize(text.text, start=True))[len(prompt.tokens) :]
    return tuple(model.tokenize(text.text))


def openings(model: Model, texts: Sequence[Text], count: int, *, raw: bool) -> list[Tokens]:
    """``count`` prompts to be completed: those of the texts, else everyday ones, over and over."""
    if raw:
        found = [tokens_of(model, text) for text in EVERYDAY_TEXTS]
    else:
        named = list(dict.fromkeys(text.prompt for text in texts if text.prompt))
        found = [tokens_of(model, (Message("user", prompt),)) for prompt in named]
        found = found or [tokens_of(model, (Message("user", everyday),)) for everyday in EVERYDAY]
    return [found[number % len(found)] for number in range(count)]


def mentions(text: str, words: Sequence[str]) -> int:
    """How many words of ``text`` begin with one of ``words``, whatever their case."""
    if not words:
        return 0
    pattern = r"\b(?:" + "|".join(re.escape(word) for word in words) + ")"
    return len(re.findall(pattern, text, flags=re.IGNORECASE))
