"""A text with how far each of its tokens leans: what is shown of it, and how in a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from localsteer.cli.output import plain
from localsteer.engine.protocol import Reading, TokensRead

STRONGEST = 1.5
"""Readings from here on have the full colour."""

_NEGATIVE, _POSITIVE = (31, 134, 186), (226, 96, 51)
# Of the 256 colours that every terminal has; light ones, with black letters on them.
_NEGATIVE_SHADES, _POSITIVE_SHADES = (195, 153, 117, 75, 33), (230, 223, 216, 209, 202)
_BLACK = 16
FAINTEST = 0.15
"""Readings below stay uncoloured."""

_SHADES_BEGIN = (FAINTEST, 0.4, 0.7, 1.0, 1.3)


@dataclass(frozen=True, slots=True)
class Passage:
    """A message: who says it, and its tokens with their readings."""

    speaker: str
    tokens: tuple[tuple[str, float], ...]

    @property
    def mean(self) -> float:
        """Of the readings of its tokens."""
        return sum(value for _, value in self.tokens) / max(1, len(self.tokens))


@dataclass(frozen=True, slots=True)
class Heat:
    """What is coloured, and the words around it."""

    model: str
    reading: Reading
    passages: tuple[Passage, ...]

    @property
    def legend(self) -> str:
        """Which vector, which layer, and what the numbers mean."""
        reading = self.reading
        unit = (
            "+1 and −1 are the poles"
            if reading.scale == "poles"
            else "±1 is two standard deviations of everyday messages"
        )
        return f"{reading.name} at layer {reading.layer} of {self.model}; 0 is the middle of everyday messages, {unit}"

    @property
    def poles(self) -> tuple[str, str]:
        """The names of the negative and the positive pole."""
        return self.reading.negative_pole or "negative", self.reading.positive_pole or "positive"


def heat_of(answer: TokensRead, speakers: Sequence[str], model: str) -> Heat:
    """The messages of ``answer``, without what the chat template puts between them. ``speakers``: one for each turn."""
    passages = tuple(Passage(speakers[turn], tokens) for turn, tokens in sorted(answer.by_turn().items()))
    return Heat(model, answer.readings[0], passages)


def as_terminal_text(heat: Heat) -> str:
    """For a terminal of 256 colours."""
    negative, positive = (plain(pole) for pole in heat.poles)
    ramp = "".join(_shaded("  ", (index - 5) / 5 * STRONGEST) for index in range(11))
    lines = [f"{negative} {ramp} {positive}", plain(heat.legend)]
    for passage in heat.passages:
        text = "".join(
            piece if piece.isspace() else _shaded(piece, value)
            for token, value in passage.tokens
            for piece in lines_of(plain(token))
        )
        lines += ["", click.style(f"{passage.speaker}  {passage.mean:+.2f}", dim=True), text.strip("\n")]
    return "\n".join(lines)


def as_table(heat: Heat) -> str:
    """For a pipe: a line for each token, its reading and its text as a JSON-like string."""
    lines = [f"# {plain(heat.legend)}"]
    for passage in heat.passages:
        lines.append(f"# {passage.speaker} {passage.mean:+.2f}")
        lines += [f"{value:+.2f}\t{plain(text)!r}" for text, value in passage.tokens]
    return "\n".join(lines)


def colour(value: float) -> tuple[int, int, int, float]:
    """Red, green, blue (0 to 255) and opacity (0 to 1) behind a token."""
    red, green, blue = _POSITIVE if value > 0 else _NEGATIVE
    return red, green, blue, round(min(1.0, abs(value) / STRONGEST) * 0.7, 3)


def lines_of(text: str) -> list[str]:
    """A token cut so that line ends stand alone and are never coloured."""
    return [piece for line in text.replace("\n", "\0\n\0").split("\0") if (piece := line)]


def _shaded(text: str, value: float) -> str:
    shade = sum(abs(value) >= begin for begin in _SHADES_BEGIN)
    if not shade:
        return text
    return click.style(text, fg=_BLACK, bg=(_POSITIVE_SHADES if value > 0 else _NEGATIVE_SHADES)[shade - 1])
