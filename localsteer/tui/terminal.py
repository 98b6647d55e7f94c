"""What the app needs of a terminal: one, large enough, and its Alt keys."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import Enum
from string import ascii_lowercase
from typing import TYPE_CHECKING, cast

from localsteer.errors import TerminalError

if TYPE_CHECKING:
    from textual.keys import Keys

SMALLEST_WIDTH = 50
SMALLEST_HEIGHT = 14


def too_small(width: int, height: int) -> str:
    """One sentence about a terminal that is too small, or nothing."""
    if width >= SMALLEST_WIDTH and height >= SMALLEST_HEIGHT:
        return ""
    return (
        f"The terminal is too small ({width}×{height} characters); "
        f"localsteer needs at least {SMALLEST_WIDTH}×{SMALLEST_HEIGHT}: make it larger."
    )


def check_terminal() -> None:
    """Raises TerminalError where there is no terminal, or one in which the app cannot be used.

    In a browser (``textual serve``) there is none, and none is needed: Textual is told so by a variable.
    """
    if os.environ.get("TEXTUAL_DRIVER"):
        return
    if not (_is_terminal(sys.__stdin__) and _is_terminal(sys.__stdout__)):
        raise TerminalError(
            "The chat app needs a terminal for its input and its output; use `localsteer say` in pipes and scripts."
        )
    if os.environ.get("TERM") == "dumb":
        raise TerminalError("This terminal (TERM=dumb) cannot show the chat app; use `localsteer say` here.")
    assert sys.__stdout__ is not None
    try:
        size = os.get_terminal_size(sys.__stdout__.fileno())
    except OSError:
        return
    # Some terminals say 0×0 until they are asked differently.
    if size.columns and size.lines and (problem := too_small(size.columns, size.lines)):
        raise TerminalError(problem)


def _is_terminal(stream: object) -> bool:
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        return False


class _AltKey(Enum):
    """Keys that Textual has no word for."""

    ALT_0 = "alt+0"
    ALT_1 = "alt+1"
    ALT_2 = "alt+2"
    ALT_3 = "alt+3"
    ALT_4 = "alt+4"
    ALT_5 = "alt+5"
    ALT_6 = "alt+6"
    ALT_7 = "alt+7"
    ALT_8 = "alt+8"
    ALT_9 = "alt+9"
    ALT_EQUALS = "alt+equals_sign"
    ALT_MINUS = "alt+minus"
    ALT_PLUS = "alt+plus"
    ALT_COMMA = "alt+comma"
    ALT_FULL_STOP = "alt+full_stop"
    ALT_SLASH = "alt+slash"
    ALT_SEMICOLON = "alt+semicolon"
    ALT_APOSTROPHE = "alt+apostrophe"


@dataclass(frozen=True, slots=True)
class _AltLetter:
    """Textual reads these without being told, but two of them within a tenth of a second, as from a key that is held
    down or over a slow line, as text: ``^u``.
    """

    value: str


def claim_alt_keys() -> None:
    """Let Alt+1 arrive as ``alt+1``, and Alt+. as ``alt+full_stop``; and Alt with letters however quickly they come.

    Terminals without the Kitty protocol send Escape and the character. Textual 8 reads some as what Option+1 types on
    an American Mac (``¡``), and of the others only the character; nobody who presses Alt+1 or Alt+. here wants that.
    """
    from textual import _ansi_sequences
    from textual.keys import key_to_character

    sequences = cast("dict[str, tuple[Keys, ...] | str]", _ansi_sequences.ANSI_SEQUENCES_KEYS)
    for key in _AltKey:
        name = key.value.removeprefix("alt+")
        character = name if len(name) == 1 else key_to_character(name)
        sequences[f"\x1b{character}"] = cast("tuple[Keys, ...]", (key,))
    for letter in ascii_lowercase:
        # Option and an arrow arrive as Escape and a letter on some Macs; those keep their meaning.
        sequences.setdefault(f"\x1b{letter}", cast("tuple[Keys, ...]", (_AltLetter(f"alt+{letter}"),)))
