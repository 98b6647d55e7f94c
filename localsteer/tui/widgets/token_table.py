"""The tokens that a vector promotes and suppresses, side by side; one below the other where it is narrow."""

from __future__ import annotations

import math

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from localsteer.plots.portrait import TokenFigure, TokenFigures
from localsteer.tui.strengths import signed

_TEXT, _SCORE, _BAR = 16, 9, 14
_GAP = 4
_COLUMN = _TEXT + _SCORE + _BAR


class TokenTable(Widget):
    """Empty until it has ``tokens``."""

    DEFAULT_CSS = """
    TokenTable { width: 1fr; height: auto; }
    """

    tokens: reactive[TokenFigures | None] = reactive(None, layout=True)

    def render(self) -> Content:
        if self.tokens is None:
            return Content("")
        reach = max((abs(token.score) for token in (*self.tokens.promoted, *self.tokens.suppressed)), default=0.0)
        more = _column("More likely", "$pole-positive", self.tokens.promoted, reach)
        less = _column("Less likely", "$pole-negative", self.tokens.suppressed, reach)
        if self.size.width < 2 * _COLUMN + _GAP:
            return Content("\n").join([*more, Content(""), *less])
        rows = max(len(more), len(less))
        blank = Content(" " * _COLUMN)
        both = zip(more + [blank] * (rows - len(more)), less + [blank] * (rows - len(less)), strict=True)
        return Content("\n").join(Content(" " * _GAP).join(row) for row in both)


def _column(heading: str, colour: str, tokens: tuple[TokenFigure, ...], reach: float) -> list[Content]:
    """Lines that are all equally wide."""
    lines = [Content.assemble((heading.ljust(_COLUMN), f"bold {colour}"))]
    for token in tokens:
        share = abs(token.score) / reach if reach and math.isfinite(token.score) else 0.0
        text = token.text if len(token.text) < _TEXT else token.text[: _TEXT - 2] + "…"
        lines.append(
            Content.assemble(
                text.ljust(_TEXT),
                (signed(token.score, 1).rjust(_SCORE - 2) + "  ", "$quiet"),
                (("▇" * round(share * _BAR)).ljust(_BAR), f"{colour} 70%"),
            )
        )
    return lines
