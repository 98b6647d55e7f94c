"""What of Textual (8.2) is mended here, for the whole app.

Lists: it looks up the clicked option, and the line of the highlighted one, by number and ends the app where there is
none (any more, or not yet): in every list, that of its own command palette among them.

Words: it folds them to fit a width, and divides by that. In a list so narrow that its margins leave the words no column
the width is 0, and that ends the app.

Fields and tables: it paints a text as it is, be it a stranger's that commands the terminal.

Remarks: it shows one whose time has just run out with a timer of less than no time, and such a timer keeps the app busy
for ever. It also looks at the clock on the wall, and one that is set back would keep what was said for as long.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.events import Click
from textual.filter import LineFilter
from textual.notifications import Notification
from textual.widgets import OptionList

from localsteer.visible import painted

_MOMENT = 0.01
OnClick = Callable[[OptionList, Click], Awaitable[None]]


def claim_lists() -> None:
    """Let every list pass over such clicks and pages."""
    clicked: OnClick = OptionList._on_click
    paged = OptionList._move_page
    if getattr(clicked, "is_steady", False):
        return

    async def on_click(options: OptionList, event: Click) -> None:
        option = event.style.meta.get("option")
        if option is None or option < options.option_count:
            await clicked(options, event)

    def move_page(options: OptionList, direction: int) -> None:
        with suppress(KeyError):
            paged(options, direction)  # type: ignore[arg-type]

    on_click.is_steady = True  # type: ignore[attr-defined]
    OptionList._on_click = on_click  # type: ignore[method-assign, assignment]
    OptionList._move_page = move_page  # type: ignore[method-assign, assignment]


def claim_words() -> None:
    """Let words be folded to one column at least."""
    folded = Content._wrap_and_format
    if getattr(folded, "is_steady", False):
        return

    def wrap_and_format(content: Content, width: int, *rest: Any, **named: Any) -> Any:
        return folded(content, max(1, width), *rest, **named)

    wrap_and_format.is_steady = True  # type: ignore[attr-defined]
    Content._wrap_and_format = wrap_and_format  # type: ignore[method-assign, assignment]


@dataclass
class Remark(Notification):
    """A notification that always has a moment left."""

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.timeout

    @property
    def time_left(self) -> float:
        """In seconds; never nothing."""
        return max(_MOMENT, self._end - time.monotonic())

    @property
    def has_expired(self) -> bool:
        """Whether its time has run out."""
        return time.monotonic() >= self._end


class Harmless(LineFilter):
    """The last look at every line before it is painted: nothing in it commands the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See Textual's."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [segment if segment.control else Segment(_harmless(segment.text), segment.style) for segment in segments]


def _harmless(text: str) -> str:
    left = painted(text, get_character_cell_size)
    # What stood between two signs may have kept them from being one.
    return left + " " * (cell_len(text) - cell_len(left))
