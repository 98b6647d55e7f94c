"""What Textual (8.2) remembers of widgets, rectangles and style sheets: bounded here, or shared, for the whole app.

Colours: it looks up two of them by a cache that is shared by all widgets but keyed by the one that asks: it keeps the
last thousand widgets that were ever painted, with all their painted lines, long after their window was closed.

Rectangles: what it works out from the places of widgets it remembers, up to 4,096 answers for each kind of question. A
conversation that grows asks for ever new ones: for a thousand turns it goes on filling memory with rectangles that no
screen has any more.

Styles: it parses the style sheets of all widgets anew whenever the theme changes, also back to one that was shown
before, and whenever a widget of a new kind comes once more than sixty-four kinds have been.
"""

from __future__ import annotations

from functools import lru_cache

from textual._styles_cache import StylesCache
from textual.cache import LRUCache
from textual.color import Color
from textual.css.model import RuleSet
from textual.css.scalar import Scalar
from textual.css.stylesheet import Stylesheet
from textual.geometry import Region
from textual.style import Style

_REMEMBERED = 512
"""Answers of each kind. What is asked again was asked a moment ago: nine of ten are still found here."""
_WORKED_OUT: tuple[tuple[type, str], ...] = (
    *((Region, name) for name in ("overlaps", "contains_region", "translate", "__contains__")),
    *((Region, name) for name in ("grow", "shrink", "intersection", "union")),
    (Scalar, "resolve"),
)


@lru_cache(maxsize=1024)
def _inner_outer(base: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base + background), Style(background=base)


def claim_colours() -> None:
    """Let every widget look its colours up by the colours alone."""
    # Called on a widget's cache, as a function of the two colours.
    StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[assignment]


def claim_rectangles() -> None:
    """Let no more of them be remembered than are asked for again."""
    for kind, name in _WORKED_OUT:
        remembering = getattr(kind, name)
        if remembering.cache_parameters()["maxsize"] > _REMEMBERED:
            setattr(kind, name, lru_cache(maxsize=_REMEMBERED)(remembering.__wrapped__))


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
