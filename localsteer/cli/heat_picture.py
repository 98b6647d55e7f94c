"""A text coloured by how far each token leans, as a picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, TypeAlias

from localsteer.cli.heat import FAINTEST, STRONGEST, Heat, Passage, colour, lines_of
from localsteer.cli.output import plain
from localsteer.errors import LocalsteerError

_COLUMNS = 84
_LINE = 1.75
"""The height of a line, in letters' widths."""

_INK, _FAINT = "#22252b", "#7a7f8a"

Row: TypeAlias = list[tuple[int, str, float]]
"""A line: at which column, which text, with which reading."""


def as_png(heat: Heat) -> bytes:
    """The picture. Raises LocalsteerError where matplotlib is missing."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle
    except ImportError:
        raise LocalsteerError("Pictures are drawn by matplotlib; install it with `pip install matplotlib`.") from None
    rows = list(_rows(heat))
    width = 10.0
    figure = Figure(figsize=(width, 0.25 * (len(rows) + 4)), dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.04, 0.0, 0.92, 1.0))
    axes.set_xlim(0, _COLUMNS)
    axes.set_ylim(-(len(rows) + 3.2) * _LINE, 0.6 * _LINE)
    axes.axis("off")
    # A monospaced letter is 0.602 of its size wide.
    size = 0.92 * width * 72 / _COLUMNS / 0.602

    def write(column: float, row: float, text: str, value: float = 0.0, **more: Any) -> None:
        y = -(row + 0.5) * _LINE
        if abs(value) >= FAINTEST:
            red, green, blue, opacity = colour(value)
            corner = column, y - 0.46 * _LINE
            face = (red / 255, green / 255, blue / 255, opacity)
            axes.add_patch(Rectangle(corner, len(text), 0.92 * _LINE, facecolor=face, edgecolor="none"))
        font: dict[str, Any] = {"family": "monospace", "fontsize": size, "color": _INK}
        axes.text(column, y, text, va="center", parse_math=False, **(font | more))

    negative, positive = (plain(pole) for pole in heat.poles)
    write(0, 0, negative)
    for step in range(21):
        write(len(negative) + 1 + step, 0, " ", (step - 10) / 10 * STRONGEST)
    write(len(negative) + 23, 0, positive)
    write(0, 1, plain(heat.legend), fontsize=size * 0.8, color=_FAINT)
    for number, (heading, row) in enumerate(rows):
        for column, text, value in row:
            write(column, number + 2.5, text, value, color=_FAINT if heading else _INK)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _rows(heat: Heat) -> Iterator[tuple[bool, Row]]:
    """The lines, and whether each is a heading."""
    for passage in heat.passages:
        yield True, [(0, f"{passage.speaker}  {passage.mean:+.2f}", 0.0)]
        row: Row = []
        at = 0
        for word in _words(passage):
            length = sum(len(text) for text, _ in word)
            if word[0][0] == "\n" or (at and at + length > _COLUMNS):
                yield False, row
                row, at = [], 0
                word = [(word[0][0].lstrip(), word[0][1]), *word[1:]]
            for text, value in word:
                for begin in range(0, len(text), _COLUMNS):
                    row.append((at, text[begin : begin + _COLUMNS], value))
                    at += len(row[-1][1])
        yield False, row
        yield True, []


def _words(passage: Passage) -> Iterator[list[tuple[str, float]]]:
    """Tokens that belong to one word, so that no line breaks within; line ends by themselves."""
    word: list[tuple[str, float]] = []
    for token, value in passage.tokens:
        for piece in lines_of(plain(token)):
            if word and (piece[0].isspace() or word[-1][0] == "\n"):
                yield word
                word = []
            word.append((piece, value))
    if word:
        yield word
