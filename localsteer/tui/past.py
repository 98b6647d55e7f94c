"""Messages as Rich renderables: what old messages are folded into, so that a long conversation stays quick.

Each looks, and is as high, as its widget in ``widgets/messages.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from localsteer.tui.signs import Sign

Words = Sequence[tuple[str, str] | tuple[str, str, str]]
"""Pieces of a line, each with the name of its colour in the themes (empty: the ordinary one), and perhaps with the
action that a click on it runs."""


def rich_words(words: Words) -> Text:
    """A line for Rich."""
    line = Text()
    for text, colour, *action in words:
        line.append(text, f"chat.{colour}" if colour else "")
        if action:
            line.stylize(Style(meta={"@click": action[0]}), len(line) - len(text))
    return line


@dataclass(frozen=True, slots=True)
class Marked:
    """Text with an edge on its left, such as what the person said. ``edge`` and ``style``: names of Rich styles."""

    text: Text
    edge: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style, edge = console.get_style(self.style), console.get_style(self.edge)
        inner = options.update(width=max(1, options.max_width - 3), height=None)
        for line in console.render_lines(self.text, inner, style=style):
            yield Segment("█", edge)
            yield Segment(" ", style)
            yield from line
            yield Segment(" ", style)
            yield Segment.line()


def past_user(text: str, foot: Words = ()) -> RenderableType:
    """What the person said."""
    whole = Text(text, overflow="fold")
    if foot:
        whole.append("\n").append_text(rich_words(foot))
    return Marked(whole, "chat.primary", "chat.user")


def past_reply(text: str, foot: Words, *, dark: bool, signs: Sequence[Sign] = ()) -> RenderableType:
    """A reply and what it was written with."""
    from localsteer.tui.markdown import FinishedMarkdown

    return Padding(Group(FinishedMarkdown(text, dark=dark, signs=signs), rich_words(foot)), (0, 0, 0, 2))


def past_note(text: str, kind: str) -> RenderableType:
    """A remark of the app."""
    if kind == "error":
        return Marked(Text(text, overflow="fold"), "chat.error", "chat.error-text")
    return Padding(Text(text, style="chat.warning" if kind == "warning" else "chat.quiet"), (0, 1, 0, 2))


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message that nothing will change any more. ``message_id`` None: a remark, or one that could not be saved.

    ``draw``: it as a renderable, for a dark theme or a light one.
    """

    message_id: int | None
    draw: Callable[[bool], RenderableType]


class Page:
    """Messages one below the other, with an empty line between them. Each is drawn once for a width."""

    def __init__(self, messages: Sequence[RenderableType]) -> None:
        self._messages = messages
        self._width = 0
        self._lines: list[list[list[Segment]]] = []

    def span(self, index: int) -> tuple[int, int]:
        """The first line of the message at this place and the first one after it, as it was drawn last."""
        begin = sum(len(lines) + 1 for lines in self._lines[:index])
        return begin, begin + (len(self._lines[index]) if index < len(self._lines) else 0)

    def at(self, line: int) -> int | None:
        """The place of the message that is drawn on this line."""
        return next((index for index in range(len(self._lines)) if line < self.span(index)[1]), None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width != self._width:
            inner = options.update(height=None)
            self._lines = [console.render_lines(message, inner, pad=False) for message in self._messages]
            self._width = options.max_width
        for index, lines in enumerate(self._lines):
            if index:
                yield Segment.line()
            for line in lines:
                yield from line
                yield Segment.line()
