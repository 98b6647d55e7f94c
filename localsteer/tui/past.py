"""Messages as Rich renderables: what old messages are folded into, so that a long conversation stays quick.

Each looks, and is as high, as its widget in ``widgets/messages.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from localsteer.tui.markdown import FinishedMarkdown

Words = Sequence[tuple[str, str]]
"""Pieces of a line, each with the name of its colour in the themes (empty: the ordinary one)."""


def rich_words(words: Words) -> Text:
    """A line for Rich."""
    return Text.assemble(*((text, f"chat.{colour}" if colour else "") for text, colour in words))


@dataclass(frozen=True, slots=True)
class Marked:
    """Text with an edge on its left, such as what the person said. ``edge`` and ``style``: names of Rich styles."""

    text: str
    edge: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style, edge = console.get_style(self.style), console.get_style(self.edge)
        inner = options.update(width=max(1, options.max_width - 3), height=None)
        for line in console.render_lines(Text(self.text, overflow="fold"), inner, style=style):
            yield Segment("█", edge)
            yield Segment(" ", style)
            yield from line
            yield Segment(" ", style)
            yield Segment.line()


def past_user(text: str) -> RenderableType:
    """What the person said."""
    return Marked(text, "chat.primary", "chat.user")


def past_reply(text: str, foot: Words, *, dark: bool) -> RenderableType:
    """A reply and what it was written with."""
    return Padding(Group(FinishedMarkdown(text, dark=dark), rich_words(foot)), (0, 0, 0, 2))


def past_note(text: str, kind: str) -> RenderableType:
    """A remark of the app."""
    if kind == "error":
        return Marked(text, "chat.error", "chat.error-text")
    return Padding(Text(text, style="chat.warning" if kind == "warning" else "chat.quiet"), (0, 1, 0, 2))


def past_page(messages: Sequence[RenderableType]) -> RenderableType:
    """Messages one below the other, with an empty line between them."""
    spaced: list[RenderableType] = []
    for message in messages:
        spaced += [Text(""), message] if spaced else [message]
    return Group(*spaced)
