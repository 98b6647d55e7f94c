"""A title for a conversation, written by the loaded model itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from localsteer.engine.desk import Desk
from localsteer.engine.positions import tokens_of
from localsteer.engine.protocol import MakeTitle, TitleMade, Turn
from localsteer.errors import PromptError
from localsteer.llama.batch import generate_many
from localsteer.messages import Message

_MOST_WORDS = 6
_MOST_CHARACTERS = 60
_TOKENS = 24
"""A title that takes more is none."""
_CHARACTERS_READ = 600
"""Of each of the first messages; what a conversation is about is said early."""
_MESSAGES_READ = 3
_TOO_SMALL = 50_000_000
"""Parameters. Models below write on, whatever they are asked to write."""


def make_title(desk: Desk, command: MakeTitle, should_stop: Callable[[], bool]) -> TitleMade:
    """What the model answers, greedily and unsteered, to the wish for a title, in a context of its own.

    Raises PromptError where nothing was said yet or it does not fit, Stopped, ModelError.
    """
    said = [turn for turn in command.turns if turn.role != "system" and turn.content.strip()]
    if not said:
        raise PromptError("There is nothing to give a title to; write a message first.")
    model = desk.model
    if model.n_params < _TOO_SMALL:
        return TitleMade(command.request, "")
    prompt = tokens_of(model, (Message("user", _wish(said)),))
    (reply,) = generate_many(
        model,
        [prompt.tokens],
        steered_from=[prompt.reply],
        directions=None,
        strengths=[0.0],
        n_tokens=_TOKENS,
        temperature=0.0,
        n_threads=desk.context.n_threads,
        should_stop=should_stop,
    )
    ended = bool(reply) and model.is_end(reply[-1])
    return TitleMade(command.request, title_in(model.text(reply[:-1])) if ended else "")


def title_in(text: str) -> str:
    """The title that ``text`` is, or "" where it is none: more than a line, a whole sentence, or nothing to read.

    A heading's marks, quotes, "Title:" and a full stop are taken away.
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if len(lines) != 1:
        return ""
    bare = re.sub(r"^[\s#*_\"'“”‘’«»]*(?:title\s*:)?[\s*_\"'“”‘’«»]*", "", lines[0], flags=re.IGNORECASE)
    bare = bare.rstrip(" \t*_\"'“”‘’«».")
    words = bare.split()
    fits = 0 < len(words) <= _MOST_WORDS and len(bare) <= _MOST_CHARACTERS
    one_phrase = not re.search(r"[.!?]\s", bare) and any(character.isalpha() for character in bare)
    return " ".join(words) if fits and one_phrase and bare.isprintable() else ""


def _wish(said: list[Turn]) -> str:
    names = {"user": "Person", "assistant": "Assistant"}
    lines = [f"{names[turn.role]}: {_short(turn.content)}" for turn in said[:_MESSAGES_READ]]
    return (
        "Here is how a conversation begins.\n\n" + "\n\n".join(lines) + "\n\n"
        f"Write a title for it, of at most {_MOST_WORDS} words. Answer with the title alone."
    )


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _CHARACTERS_READ else words[:_CHARACTERS_READ] + "…"
