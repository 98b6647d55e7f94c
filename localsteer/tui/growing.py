"""Markdown that grows: what is done of it is drawn once for a width, and only its last block again and again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.text import Text

from localsteer.tui.markdown import FinishedMarkdown, chat_markdown

_LONG = 1000
"""Characters: from here on even a block that is not done is drawn in parts."""
_KEPT = 250
"""Of a long block at least so many characters stay open."""
_LISTS = ("bullet_list_open", "ordered_list_open")
_ITEM_BEGUN = re.compile(r"\s*(\d{1,9}[.)]?|[-+*])\s*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^\n]*\n")
_WITH_A_GAP = {"bullet_list_open", "ordered_list_open", "blockquote_open", "table_open"}
"""What Rich draws an empty line before by itself, even where nothing stands above."""
_MARKED = re.compile(r"[*_`\[\]<>~\\&|#!]")
"""What may begin something that ends later on."""

Line = list[Segment]
Above: TypeAlias = Literal["nothing", "a block", "a rule", "a part"]
"""What the open block follows: an empty line comes after a block, none after a rule or an earlier part of its own."""


class Growing:
    """The lines of a text that pieces are added to. What Markdown does across blocks, such as links that are explained
    further down, shows when the text is whole and drawn as such.
    """

    def __init__(self, *, dark: bool) -> None:
        self.text = ""
        self._dark = dark
        self._console: Console | None = None
        self._options: ConsoleOptions | None = None
        self._begin_again()

    def _begin_again(self) -> None:
        self._done: list[Line] = []
        self._open = self.text
        self._open_lines: list[Line] = []
        self._above: Above = "nothing"

    @property
    def width(self) -> int:
        """The width that it is drawn for; 0 before there is one."""
        return 0 if self._options is None else self._options.max_width

    @property
    def height(self) -> int:
        """Lines."""
        return len(self._done) + len(self._open_lines)

    @property
    def done(self) -> int:
        """So many lines from the top stay as they are at this width and in these colours."""
        return len(self._done)

    def line(self, y: int) -> Line:
        """One of them; an empty one past the end."""
        if y < len(self._done):
            return self._done[y]
        y -= len(self._done)
        return self._open_lines[y] if y < len(self._open_lines) else []

    def draw_for(self, console: Console, options: ConsoleOptions) -> None:
        """From now on at this width; everything is drawn again where that is another one."""
        if options.max_width != self.width:
            self._console, self._options = console, options.update(height=None)
            self._begin_again()
            self._draw_open()

    def repaint(self, *, dark: bool) -> None:
        """In other colours."""
        self._dark = dark
        self._begin_again()
        self._draw_open()

    def add(self, piece: str) -> int:
        """More text; the first line that has changed."""
        self.text += piece
        self._open += piece
        first, before = len(self._done), self._open_lines
        self._draw_open()
        for line in before:
            if first >= self.height or self.line(first) != line:
                break
            first += 1
        return first

    def _draw_open(self) -> None:
        if self._options is None:
            return
        tokens = chat_markdown().parse(self._open)
        blocks = [token for token in tokens if token.level == 0 and token.map is not None]
        if len(blocks) > 1:
            last = blocks[-1].map
            assert last is not None
            length = _lines_before(self._open, last[0])
            # What may become the sign of a list's next item is not below the list.
            if blocks[-2].type not in _LISTS or not _ITEM_BEGUN.fullmatch(self._open, length):
                self._close(length, blocks[-2])
        if len(self._open) > _LONG and blocks:
            self._close_part(blocks[-1], tokens)
        self._open_lines = self._drawn(self._open)

    def _close(self, length: int, last: Token | None) -> None:
        """Draw the first ``length`` characters for good; ``last``: the block that they end with, None for a part of
        one, after which there is no empty line.
        """
        self._done += self._drawn(self._open[:length])
        self._open = self._open[length:]
        self._above = "a part" if last is None else "a rule" if last.type == "hr" else "a block"

    def _close_part(self, block: Token, tokens: Sequence[Token]) -> None:
        """Draw the beginning of a long block for good."""
        end = len(self._open) - _KEPT
        fence = _FENCE.match(self._open)
        if block.type == "fence" and fence is not None:
            cut = self._open.rfind("\n", fence.end(), end) + 1
            if cut > 0:
                head = fence.group()
                self._close(cut, None)
                self._open = head + self._open
        elif block.type in _LISTS:
            items = [
                token.map[0] for token in tokens if token.map and (token.type, token.level) == ("list_item_open", 1)
            ]
            starts = [start for line in items[1:] if (start := _lines_before(self._open, line)) <= end]
            if starts:
                self._close(starts[-1], None)
        elif block.type == "paragraph_open" and _MARKED.search(self._open, 0, end) is None:
            cut = self._open.rfind("\n", 0, end) + 1 or self._end_of_a_line(end)
            if cut > 0:
                self._close(cut, None)

    def _end_of_a_line(self, end: int) -> int:
        """Where a line that is drawn ends, and so can be cut without being seen; 0 where nobody knows."""
        assert self._console is not None
        at = cut = 0
        for line in Text(self._open).wrap(self._console, self.width):
            found = self._open.find(line.plain.rstrip(), at)
            at = found + len(line.plain.rstrip())
            if found < 0 or at > end:
                break
            cut = at
        while 0 < cut < len(self._open) and self._open[cut] == " ":
            cut += 1
        return cut

    def _drawn(self, text: str) -> list[Line]:
        assert self._console is not None
        assert self._options is not None
        if not text.strip():
            return []
        whole = FinishedMarkdown(text, dark=self._dark)
        lines = self._console.render_lines(whole, self._options, pad=False)
        with_a_gap = bool(whole.parsed) and whole.parsed[0].type in _WITH_A_GAP
        if with_a_gap and self._above == "a part":
            return lines[1:]
        return [[], *lines] if self._above == "a block" and not with_a_gap else lines


def _lines_before(text: str, count: int) -> int:
    """How many characters the first ``count`` lines have."""
    at = 0
    for _ in range(count):
        at = text.index("\n", at) + 1
    return at
