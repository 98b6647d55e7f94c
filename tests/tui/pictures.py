"""A screen as text that a snapshot can keep and a person can compare: its characters, then the styles behind them."""

from __future__ import annotations

from itertools import chain, count

from rich.style import Style

from localsteer.tui.app import LocalsteerApp

_LETTERS = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *map(chr, range(0xC0, 0x180))]


def picture(app: LocalsteerApp, *, styles: bool = True) -> str:
    """Every line of the terminal, ended by ``|``. ``styles``: a second page that has a letter for the style of each
    cell, in the order in which they appear, and what the letters mean.
    """
    strips = app.screen._compositor.render_strips(app.size)
    drawn = [f"{strip.text}|" for strip in strips]
    if not styles:
        return "\n".join(drawn)
    number, letters = count(), dict[str, str]()
    painted = []
    for strip in strips:
        line = ""
        for segment in strip:
            words = _words(segment.style or Style())
            if words not in letters:
                letters[words] = _LETTERS[next(number)]
            line += letters[words] * segment.cell_length
        painted.append(line)
    legend = [f"{letter} {words}" for words, letter in letters.items()]
    return "\n".join(chain(drawn, [""], painted, [""], legend))


def _words(style: Style) -> str:
    shown = {"bold": style.bold, "dim": style.dim, "italic": style.italic, "underline": style.underline}
    colours = [colour.name if colour is not None else "default" for colour in (style.color, style.bgcolor)]
    return " ".join([" on ".join(colours), *(word for word, on in shown.items() if on)])
