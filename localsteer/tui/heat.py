"""Tokens in the colours of the poles that they lean to. Pure: readings in, a text for Textual out."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from localsteer.engine.protocol import Reading
from localsteer.tui.plain import PlainStream, plain
from localsteer.tui.strengths import signed

STRONGEST = 1.5
"""Readings from here on have the full colour."""

_DEEPEST = 62
_FAINTEST = 0.12
_STEP = 4


def behind(value: float) -> str:
    """The style of a token with this reading: its pole's colour behind it, the stronger the further it leans."""
    if abs(value) < _FAINTEST:
        return ""
    depth = min(1.0, abs(value) / STRONGEST) * _DEEPEST
    return f"on ${_pole(value)} {max(_STEP, round(depth / _STEP) * _STEP)}%"


def heated(tokens: Sequence[tuple[str, float]]) -> Content:
    """A message's tokens. Line ends and the white space around the message stay uncoloured."""
    clean = PlainStream()
    shown = [(clean.feed(text), value) for text, value in tokens]
    while shown and not shown[0][0].strip():
        shown.pop(0)
    while shown and not shown[-1][0].strip():
        shown.pop()
    if shown:
        shown[0] = (shown[0][0].lstrip(), shown[0][1])
        shown[-1] = (shown[-1][0].rstrip(), shown[-1][1])
    return Content.assemble(*((part, style) for text, value in shown for part, style in _parts(text, value)))


def _parts(text: str, value: float) -> list[tuple[str, str]]:
    parts = []
    for number, line in enumerate(text.split("\n")):
        if number:
            parts.append(("\n", ""))
        if line:
            parts.append((line, behind(value)))
    return parts


def mean_words(name: str, tokens: Sequence[tuple[str, float]]) -> Content:
    """The mean of a message's readings, as it stands below it."""
    mean = sum(value for _, value in tokens) / max(1, len(tokens))
    colour = f"${_pole(mean)}" if abs(mean) >= _FAINTEST else "$quiet"
    return Content.assemble((f"{plain(name)} ", "$faint"), (signed(mean, 2), colour))


def ramp(reading: Reading, width: int = 15) -> Content:
    """The colours from one pole to the other, with the poles' names."""
    half = width // 2
    cells = [(" ", behind(step / half * STRONGEST)) for step in range(-half, half + 1)]
    negative, positive = plain(reading.negative_pole) or "−", plain(reading.positive_pole) or "+"
    return Content.assemble((f"{negative} ", "$pole-negative"), *cells, (f" {positive}", "$pole-positive"))


def scale_words(reading: Reading) -> str:
    """What the numbers mean."""
    if reading.scale == "poles":
        return f"layer {reading.layer} · ±1 are the poles, 0 is everyday messages"
    return f"layer {reading.layer} · 0 is everyday messages, ±1 two of their standard deviations"


def _pole(value: float) -> str:
    return "pole-positive" if value > 0 else "pole-negative"
