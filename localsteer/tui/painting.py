"""What Textual remembers of how things are painted, without remembering the things.

Textual (8.2) looks up two colours by a cache that is shared by all widgets but keyed by the one that asks: it keeps the
last thousand widgets that were ever painted, with all their painted lines, long after their window was closed.
"""

from __future__ import annotations

from functools import lru_cache

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.style import Style


@lru_cache(maxsize=1024)
def _inner_outer(base: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base + background), Style(background=base)


def claim_colours() -> None:
    """Let every widget look its colours up by the colours alone."""
    # Called on a widget's cache, as a function of the two colours.
    StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[assignment]
