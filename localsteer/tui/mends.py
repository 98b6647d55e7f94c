"""What of Textual (8.2) is mended here, for the whole app.

Lists: it looks up the clicked option, and the line of the highlighted one, by number and ends the app where there is
none (any more, or not yet): in every list, that of its own command palette among them.

Colours: it looks up two of them by a cache that is shared by all widgets but keyed by the one that asks: it keeps the
last thousand widgets that were ever painted, with all their painted lines, long after their window was closed.

Styles: it parses the style sheets of all widgets anew whenever the theme changes, also back to one that was shown
before, and whenever a widget of a new kind comes once more than sixty-four kinds have been.

Remarks: it shows one whose time has just run out with a timer of less than no time, and such a timer keeps the app busy
for ever. It also looks at the clock on the wall, and one that is set back would keep what was said for as long.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from textual._styles_cache import StylesCache
from textual.cache import LRUCache
from textual.color import Color
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.events import Click
from textual.notifications import Notification
from textual.style import Style
from textual.widgets import OptionList

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


@lru_cache(maxsize=1024)
def _inner_outer(base: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base + background), Style(background=base)


def claim_colours() -> None:
    """Let every widget look its colours up by the colours alone."""
    # Called on a widget's cache, as a function of the two colours.
    StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[assignment]


@lru_cache(maxsize=4)
def _parsed(_variables: frozenset[tuple[str, str]]) -> LRUCache[tuple[object, ...], list[RuleSet]]:
    """What has been parsed under these colours; parsed rules are never changed."""
    return LRUCache(512)


def claim_styles() -> None:
    """Let every style sheet find what was parsed under the same colours before."""
    begun, recoloured = Stylesheet.__init__, Stylesheet.set_variables
    if getattr(begun, "is_steady", False):
        return

    def begin(sheet: Stylesheet, *, variables: dict[str, str] | None = None) -> None:
        begun(sheet, variables=variables)
        sheet._parse_cache = _parsed(frozenset((variables or {}).items()))

    def set_variables(sheet: Stylesheet, variables: dict[str, str]) -> None:
        # It empties the one that it has.
        sheet._parse_cache = LRUCache(1)
        recoloured(sheet, variables)
        sheet._parse_cache = _parsed(frozenset(variables.items()))

    begin.is_steady = True  # type: ignore[attr-defined]
    Stylesheet.__init__ = begin  # type: ignore[method-assign, assignment]
    Stylesheet.set_variables = set_variables  # type: ignore[method-assign, assignment]


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
