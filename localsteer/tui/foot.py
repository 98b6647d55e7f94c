"""The line below a reply: what it was written with, how fast, why it ended."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style

from localsteer.tui.past import Words
from localsteer.tui.plain import plain
from localsteer.tui.strengths import ARROW, Course, signed

_GAP = ("   ", "")


def foot_words(courses: Sequence[Course], remark: str = "", *, steerable: bool = True) -> Words:
    """The pieces of the line, each with the name of its colour."""
    parts: list[list[tuple[str, str]]] = [_course(course) for course in courses]
    if not parts and steerable:
        parts.append([("unsteered", "faint")])
    if remark:
        parts.append([(remark, "faint")])
    words: list[tuple[str, str] | tuple[str, str, str]] = []
    for part in parts:
        words += [_GAP, *part] if words else part
    return words


def perplexity_words(perplexity: float) -> str:
    """How natural a reply is to the unsteered model."""
    return f"perplexity {perplexity:.1f}" if perplexity < 100 else "perplexity over 100"


def content(words: Words) -> Content:
    """A line for Textual."""
    line = Content("")
    for text, colour, *action in words:
        piece = Content.styled(text, f"${colour}" if colour else "")
        line += piece.stylize(Style.from_meta({"@click": action[0]})) if action else piece
    return line


def _course(course: Course) -> list[tuple[str, str]]:
    """A dial's name and its strengths, each in the colour of the pole that it leans to."""
    words = [(plain(course.name), "quiet"), (" ", "")]
    for index, value in enumerate(course.stations):
        if index:
            words.append((ARROW, "faint"))
        words.append(("…", "faint") if value is None else (signed(value), _colour(value)))
    return words


def _colour(strength: float) -> str:
    return "pole-positive" if strength > 0 else "pole-negative" if strength < 0 else "quiet"
