"""How a dial looks at a given width. Pure: a dial in, lines of text and the place of its bar out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from textual.content import Content

from localsteer.tui.bar import Reach, bar
from localsteer.tui.needle import with_needle
from localsteer.tui.plain import plain
from localsteer.tui.rack import Dial
from localsteer.tui.strengths import signed
from localsteer.tui.theme import INKS

ONE_LINE_FROM = 46
"""From this width on a dial takes a single line."""

READING = 5
"""The last columns of its first line are its number, at least."""

_NUMBER = 7
_QUIET_INKS = INKS | dict.fromkeys(("negative", "positive", "careful", "broken"), INKS["mark"])


@dataclass(frozen=True, slots=True)
class Face:
    """What a dial shows: its lines, and where in them the bar is (row, first column, width)."""

    lines: tuple[Content, ...]
    bar_row: int
    bar_column: int
    bar_width: int


def face(
    dial: Dial, *, number: int, picked: bool, solo: bool, silenced: bool, width: int, needle: float | None = None
) -> Face:
    """The face of dial ``number`` (from 1) in ``width`` columns; ``needle``: how far the text itself leans."""
    quiet = dial.muted or silenced
    reading = _reading(dial, quiet)
    head = _head(dial, number, picked)
    state = _state(dial, solo, silenced)
    if width >= ONE_LINE_FROM:
        return _in_one_line(dial, head, state, reading, quiet, width, needle)
    wide = max(3, width - (width + 1) % 2)
    lines = [
        _spread(head, Content("  ").join([state, reading]) if state else reading, wide),
        _bar(dial, wide, quiet, needle),
        _poles(dial, wide),
    ]
    if picked:
        lines.append(_actions(dial, solo, wide))
    return Face(tuple(lines), 1, 0, wide)


def height(*, picked: bool, width: int) -> int:
    """How many lines :func:`face` gives."""
    if width >= ONE_LINE_FROM:
        return 1
    return 4 if picked else 3


def in_small(dial: Dial, *, quiet: bool, label: int, full: float, width: int) -> Content:
    """The dial in one short line: its name in ``label`` columns, its bar from −``full`` to +``full``, its strength."""
    bar_width = max(3, width - label - 1 - _NUMBER)
    bar_width -= (bar_width + 1) % 2
    name = _fitted(Content.styled(plain(dial.name), "$faint" if quiet else "$quiet"), label)
    reading = _reading(dial, quiet)
    gap = " " * max(1, width - label - 1 - bar_width - reading.cell_length)
    return Content.assemble(name, " ", _bar(dial, bar_width, quiet, None, full), gap, reading)


def layer_words(layers: tuple[int, ...]) -> str:
    """Such as ``layers 7–9`` or ``layer 4``; nothing where none are known."""
    if not layers:
        return ""
    runs = []
    for _, run in groupby(enumerate(sorted(layers)), lambda pair: pair[1] - pair[0]):
        members = [layer for _, layer in run]
        runs.append(f"{members[0]}–{members[-1]}" if len(members) > 1 else str(members[0]))
    return ("layers " if len(layers) > 1 else "layer ") + ", ".join(runs)


def _place_words(dial: Dial) -> Iterator[str]:
    """Where it acts, from the most to the fewest words; of a scope only what is not usual."""
    layers = layer_words(dial.own_layers or dial.layers)
    if dial.scope != dial.usual_scope:
        yield f"{layers} · {dial.scope}"
        yield f"{layers.partition(' ')[2]} · {dial.scope}"
        yield dial.scope
    yield layers


def _in_one_line(
    dial: Dial, head: Content, state: Content, reading: Content, quiet: bool, width: int, needle: float | None
) -> Face:
    label = max(12, width // 5)
    pole = max(6, width // 8)
    bar_width = width - label - 2 * (pole + 1) - _NUMBER
    bar_width -= (bar_width + 1) % 2
    left = _cut(dial.negative_pole, pole).rjust(pole)
    right = state or Content.styled(_cut(dial.positive_pole, pole), "$quiet")
    line = Content.assemble(
        _fitted(head, label),
        (f"{left} ", "$quiet"),
        _bar(dial, bar_width, quiet, needle),
        " ",
        _fitted(right, pole),
        " " * max(0, _NUMBER - reading.cell_length),
        reading,
    )
    return Face((line,), 0, label + pole + 1, bar_width)


def _head(dial: Dial, number: int, picked: bool) -> Content:
    key = f"{number} " if number <= 9 else "  "
    return Content.assemble((key, "$primary" if picked else "$faint"), (plain(dial.name), "bold" if picked else ""))


def _reading(dial: Dial, quiet: bool) -> Content:
    if dial.strength == 0:
        return Content.styled("0.00", "$faint")
    colour = "$faint strike" if quiet else "$pole-positive bold" if dial.strength > 0 else "$pole-negative bold"
    return Content.styled(signed(dial.strength, 2), colour)


def _state(dial: Dial, solo: bool, silenced: bool) -> Content:
    if dial.muted:
        return Content.styled("muted", "$warning")
    if solo:
        return Content.styled("solo", "$primary bold")
    if silenced:
        return Content.styled("quiet", "$faint")
    if dial.zone in ("careful", "broken"):
        return Content.styled(dial.zone, f"$dial-{dial.zone}")
    return Content("")


def _bar(dial: Dial, width: int, quiet: bool, needle: float | None, full: float | None = None) -> Content:
    inks = _QUIET_INKS if quiet else INKS
    cells = bar(
        dial.strength,
        full=full or dial.full,
        low=_reach(dial.low, dial.safe and dial.safe[0], dial.careful and dial.careful[0], dial.measured),
        high=_reach(dial.high, dial.safe and dial.safe[1], dial.careful and dial.careful[1], dial.measured),
        width=width,
    )
    drawn = [(cell.character, inks[cell.front], inks[cell.back]) for cell in cells]
    pointed = with_needle(drawn, needle, "$foreground")
    return Content.assemble(*((character, f"{front} on {back}") for character, front, back in pointed))


def _reach(recommended: float | None, safe: float | None, careful: float | None, measured: bool) -> Reach:
    """One side of the dial. What was measured holds for the vector's own layers only."""
    ends = [None if end is None else abs(end) for end in (recommended, safe, careful)]
    return Reach(*ends) if measured else Reach(ends[0])


def _poles(dial: Dial, width: int) -> Content:
    left, right = plain(dial.negative_pole), plain(dial.positive_pole)
    if len(left) + len(right) + 2 > width:
        left, right = _cut(left, (width - 2) // 2), _cut(right, (width - 2) // 2)
    room = width - len(left) - len(right)
    middle = next((words for words in _place_words(dial) if len(words) + 2 <= room), "")
    # In the middle of the bar where it fits there, else in the middle of what is free.
    start = max(len(left) + 1, min((width - len(middle)) // 2, width - len(right) - 1 - len(middle)))
    gap = start - len(left)
    return Content.assemble(
        (left, "$quiet"), " " * gap, (middle, "$faint"), " " * (room - gap - len(middle)), (right, "$quiet")
    )


def _actions(dial: Dial, solo: bool, width: int) -> Content:
    words = [
        ("screen.mute", "speak" if dial.muted else "mute"),
        ("screen.solo", "all" if solo else "solo"),
        ("screen.zero", "zero"),
        ("screen.remove_dial", "remove"),
    ]
    used = sum(len(word) for _, word in words)
    gap = " " * max(1, (width - used) // (len(words) - 1))
    return Content(gap).join(Content.from_markup(f"[$primary @click={action}]{word}[/]") for action, word in words)


def _spread(left: Content, right: Content, width: int) -> Content:
    room = width - right.cell_length - 1
    return Content.assemble(_fitted(left, room), " ", right)


def _fitted(text: Content, width: int) -> Content:
    return text.truncate(max(0, width), ellipsis=True, pad=True)


def _cut(text: str, width: int) -> str:
    text = plain(text)
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
