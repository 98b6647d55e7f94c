"""A sweep as a picture: effect above, what it costs below, over strengths or over layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from localsteer.plots.curve import Band, Curve, SweepPoint, spoken_window
from localsteer.plots.style import (
    FAINT,
    LINES,
    MAIN,
    NEGATIVE,
    NOISE,
    POSITIVE,
    SAFE,
    make_logarithmic,
    say_instead,
    shown,
    styled_figure,
)

_FEW_LINES = len(LINES)
_BANDS_AT_MOST = 3
_LARGE_RATIO = 5.0
_RAMP = (NEGATIVE, "#4a8a8a", "#8a9a4a", "#c98a2b", POSITIVE)
"""For so many lines that only their order can be seen."""


def plot_sweep(
    rows: Sequence[SweepPoint],
    random_low: float | None,
    random_high: float | None,
    safe_low: float | None,
    safe_high: float | None,
    out: Path,
    *,
    title: str = "",
) -> None:
    """Write the picture of a sweep to ``out`` (PNG).

    Effect with its 95 % interval, the band of random vectors behind it, cost below, the safe range shaded; a line for
    each window of layers. Where several windows were steered at one strength, layers take the place of strengths. What
    is None or not finite is left out; a cost that is infinite is marked with a cross at the top.

    Raises PlotError where matplotlib is missing or ``out`` is no name for a PNG, StorageError.
    """
    curve = Curve(tuple(rows), (random_low, random_high), (safe_low, safe_high))
    with styled_figure(7.5, 6.2, out) as figure:
        effect, perplexity, kl = figure.subplots(3, 1, sharex=True, height_ratios=(2.6, 1, 1))
        effect.set_title(shown(title or "Effect and cost"))
        if not curve.windows:
            for axes in (effect, perplexity, kl):
                say_instead(axes, "Nothing was measured." if axes is effect else "")
            return
        draw_effect(effect, curve)
        draw_cost(perplexity, curve, "perplexity_ratio")
        draw_cost(kl, curve, "kl")
        effect.set_xlabel("")
        perplexity.set_xlabel("")
        handles, labels = effect.get_legend_handles_labels()
        if len(handles) > _FEW_LINES:
            figure.legend(handles, labels, loc="outside right upper", ncols=1 if len(handles) <= 20 else 2)
        elif handles:
            effect.legend(loc="best")


def draw_effect(axes: Any, curve: Curve) -> None:
    """The effect, on matplotlib's ``axes``."""
    if not curve.by_layer:
        _draw_band(axes.axvspan, curve.safe, SAFE, "safe range")
    _draw_band(axes.axhspan, curve.random, NOISE, "random vectors")
    axes.axhline(0, color=FAINT, linewidth=0.8)
    if curve.by_layer:
        places, points = _places(curve)
        lows, highs = _errors(points)
        axes.errorbar(
            places, _finite(points, "effect"), yerr=(lows, highs), fmt="o", color=MAIN, elinewidth=1.2, capsize=2
        )
    else:
        windows = curve.windows
        for number, (layers, points) in enumerate(windows.items()):
            colour = _colour(number, len(windows))
            strengths = [point.strength for point in points]
            if len(windows) <= _BANDS_AT_MOST:
                low, high = _finite(points, "effect_low"), _finite(points, "effect_high")
                axes.fill_between(strengths, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(strengths, _finite(points, "effect"), "o-", color=colour, label=spoken_window(layers))
    axes.set_ylabel("effect, nats per token")
    _label_places(axes, curve)


def draw_cost(axes: Any, curve: Curve, what: str) -> None:
    """``what``: "perplexity_ratio" (logarithmic where it grows large) or "kl"."""
    if curve.by_layer:
        places, points = _places(curve)
        _draw_cost_line(axes, places, points, what, "o", MAIN)
    else:
        _draw_band(axes.axvspan, curve.safe, SAFE, "safe range")
        windows = curve.windows
        for number, points in enumerate(windows.values()):
            strengths = [point.strength for point in points]
            _draw_cost_line(axes, strengths, points, what, "o-", _colour(number, len(windows)))
    if what == "perplexity_ratio":
        axes.axhline(1, color=FAINT, linewidth=0.8)
        if _largest(curve) > _LARGE_RATIO:
            make_logarithmic(axes)
    axes.set_ylabel("perplexity, times" if what == "perplexity_ratio" else "KL, nats per token")
    _label_places(axes, curve)


def _draw_cost_line(
    axes: Any, places: Sequence[float], points: Sequence[SweepPoint], what: str, form: str, colour: str
) -> None:
    values = _finite(points, what)
    if what == "perplexity_ratio":
        values = [value if value > 0 else math.nan for value in values]
    axes.plot(places, values, form, color=colour)
    broken = [place for place, point in zip(places, points, strict=True) if getattr(point, what) == math.inf]
    axes.plot(broken, [0.92] * len(broken), "x", color=colour, transform=axes.get_xaxis_transform(), markersize=5)


def _largest(curve: Curve) -> float:
    ratios = [point.perplexity_ratio for points in curve.windows.values() for point in points]
    return max((ratio for ratio in ratios if math.isfinite(ratio)), default=0.0)


def _draw_band(span: Callable[..., Any], band: Band, colour: str, label: str) -> None:
    low, high = band
    if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
        span(low, high, color=colour, linewidth=0, label=label, zorder=0.5, alpha=0.8)


def _finite(points: Sequence[SweepPoint], what: str) -> list[float]:
    values = [float(getattr(point, what)) for point in points]
    return [value if math.isfinite(value) else math.nan for value in values]


def _errors(points: Sequence[SweepPoint]) -> tuple[list[float], list[float]]:
    def apart(one: float, other: float) -> float:
        return max(0.0, one - other) if math.isfinite(one - other) else 0.0

    return (
        [apart(point.effect, point.effect_low) for point in points],
        [apart(point.effect_high, point.effect) for point in points],
    )


def _places(curve: Curve) -> tuple[list[float], list[SweepPoint]]:
    """Where each window stands on the axis of layers: at the middle of its layers; and its point."""
    pairs = [((layers[0] + layers[-1]) / 2 if layers else 0.0, points[0]) for layers, points in curve.windows.items()]
    pairs.sort(key=lambda pair: pair[0])
    return [place for place, _ in pairs], [point for _, point in pairs]


def _label_places(axes: Any, curve: Curve) -> None:
    if curve.by_layer:
        axes.xaxis.get_major_locator().set_params(integer=True)
        (strength,) = {point.strength for points in curve.windows.values() for point in points}
        axes.set_xlabel(f"layer (strength {strength:+g})")
    else:
        axes.set_xlabel("strength")


def _colour(number: int, count: int) -> str:
    if count <= _FEW_LINES:
        return LINES[number]
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = LinearSegmentedColormap.from_list("layers", _RAMP)
    return str(to_hex(ramp(number / (count - 1))))
