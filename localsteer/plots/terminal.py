"""The same pictures for a terminal, in characters: drawn on a plotext figure that the caller brings.

On the command line that is the ``plotext`` module, in the app the figure inside a ``PlotextPlot``; both have the same
functions. Colours are the caller's, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from localsteer.plots.curve import Curve, SweepPoint
from localsteer.plots.portrait import Portrait
from localsteer.plots.ticks import log_ticks, round_ticks, spoken_tick

Colour: TypeAlias = int | tuple[int, int, int]
"""One of a terminal's 256 colours, or red, green and blue."""

POSITIVE_MARK, NEGATIVE_MARK = "●", "○"
_LINE_MARK = "braille"
_MARGIN = 0.06
_MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Inks:
    """Colours of the poles, of what is looked at, of what is beside it, of guides, and of lines beside each other."""

    negative: Colour
    positive: Colour
    main: Colour
    quiet: Colour
    guide: Colour
    lines: tuple[Colour, ...]


TERMINAL_INKS = Inks(negative=74, positive=173, main=179, quiet=246, guide=240, lines=(179, 74, 107, 173, 139, 73))
"""For a terminal whose background nobody knows."""

Draw: TypeAlias = Callable[[Any, Inks], None]


def picture(draw: Draw, width: int, height: int) -> str:
    """What ``draw`` draws, ``width`` × ``height`` characters, with the escape sequences of its colours."""
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.theme("clear")
    plotext.plot_size(width, height)
    draw(plotext, TERMINAL_INKS)
    lines = str(plotext.build()).rstrip("\n").split("\n")
    plotext.clear_figure()
    return "\n".join(lines)


def draw_separation(plt: Any, inks: Inks, card: Portrait) -> None:
    """AUC by layer; the layers that are steered are marked."""
    _draw_by_layer(plt, inks, card, [layer.auc for layer in card.layers], at_least=0.5, at_most=1.0)
    plt.horizontal_line(0.5, color=inks.guide)


def draw_norms(plt: Any, inks: Inks, card: Portrait) -> None:
    """Norm as a fraction of the residual norm, by layer; the bare norm where no residual norms are known."""
    shares = [layer.norm_share for layer in card.layers]
    if not any(_known(share) for share in shares):
        shares = [layer.norm for layer in card.layers]
    _draw_by_layer(plt, inks, card, shares, at_least=0.0)


def draw_scatter(plt: Any, inks: Inks, card: Portrait) -> None:
    """Where the prompts of both poles lie."""
    _begin(plt)
    if card.scatter is None:
        return
    for points, mark, colour in (
        (card.scatter.negative, NEGATIVE_MARK, inks.negative),
        (card.scatter.positive, POSITIVE_MARK, inks.positive),
    ):
        finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if finite:
            plt.scatter([x for x, _ in finite], [y for _, y in finite], marker=mark, color=colour)
    every = (*card.scatter.positive, *card.scatter.negative)
    _tick(plt.xticks, [x for x, _ in every], most=9)
    _tick(plt.yticks, [y for _, y in every])


def draw_effect(plt: Any, inks: Inks, curve: Curve) -> None:
    """Effect with its interval; lines where random vectors end, and at the ends of the safe range."""
    _begin(plt)
    windows = curve.windows
    for value in curve.random:
        if value is not None and math.isfinite(value):
            plt.horizontal_line(value, color=inks.guide)
    _draw_safe(plt, inks, curve)
    if len(windows) == 1 and not curve.by_layer:
        (points,) = windows.values()
        for what in ("effect_low", "effect_high"):
            _draw_line(plt, points, what, inks.quiet)
    _draw_curve(plt, inks, curve, "effect")
    _tick(plt.yticks, [value for what in ("effect", "effect_low", "effect_high") for value in _values(curve, what)])


def draw_cost(plt: Any, inks: Inks, curve: Curve, what: str) -> None:
    """``what``: "perplexity_ratio" (logarithmic where it grows large) or "kl"."""
    _begin(plt)
    _draw_safe(plt, inks, curve)
    finite = [value for value in _values(curve, what) if math.isfinite(value)]
    logarithmic = what == "perplexity_ratio" and bool(finite) and 0 < 5 * min(finite) < max(finite)
    if logarithmic:
        plt.yscale("log")
    _draw_curve(plt, inks, curve, what)
    _tick(plt.yticks, finite, logarithmic=logarithmic)


def _begin(plt: Any) -> None:
    plt.clear_data()
    plt.yscale("linear")
    plt.xaxes(True, False)
    plt.yaxes(True, False)


def _draw_safe(plt: Any, inks: Inks, curve: Curve) -> None:
    if not curve.by_layer:
        strengths = _values(curve, "strength")
        for value in curve.safe:
            # A line beyond what was swept would only squeeze the picture.
            if value is not None and strengths and min(strengths) <= value <= max(strengths):
                plt.vertical_line(value, color=inks.guide)


def _draw_curve(plt: Any, inks: Inks, curve: Curve, what: str) -> None:
    windows = curve.windows
    if curve.by_layer:
        places = {layers: sum(layers) / max(1, len(layers)) for layers in windows}
        points = [(places[layers], getattr(one[0], what)) for layers, one in windows.items()]
        finite = sorted((x, y) for x, y in points if math.isfinite(y))
        if finite:
            plt.scatter([x for x, _ in finite], [y for _, y in finite], marker=POSITIVE_MARK, color=inks.main)
        _tick_layers(plt, sorted({round(x) for x, _ in finite}))
        return
    for number, points_of_one in enumerate(windows.values()):
        _draw_line(plt, points_of_one, what, inks.lines[number % len(inks.lines)])
    _tick(plt.xticks, _values(curve, "strength"), most=9)


def _values(curve: Curve, what: str) -> list[float]:
    return [getattr(point, what) for points in curve.windows.values() for point in points]


def _tick(
    set_ticks: Callable[..., Any], values: Iterable[float], *, most: int = _MOST_TICKS, logarithmic: bool = False
) -> None:
    """Round numbers at the axis of ``set_ticks``."""
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        found = (log_ticks if logarithmic else round_ticks)(min(finite), max(finite), most)
        if found:
            set_ticks(found, [spoken_tick(tick) for tick in found])


def _draw_line(plt: Any, points: Sequence[SweepPoint], what: str, colour: Colour) -> None:
    finite = [point for point in points if math.isfinite(getattr(point, what))]
    if finite:
        plt.plot(
            [point.strength for point in finite],
            [getattr(point, what) for point in finite],
            marker=_LINE_MARK,
            color=colour,
        )


def _draw_by_layer(
    plt: Any,
    inks: Inks,
    card: Portrait,
    values: Iterable[float | None],
    *,
    at_least: float,
    at_most: float | None = None,
) -> None:
    _begin(plt)
    finite = [
        (layer.layer, value)
        for layer, value in zip(card.layers, values, strict=True)
        if value is not None and math.isfinite(value)
    ]
    if not finite:
        return
    layers, heights = [layer for layer, _ in finite], [value for _, value in finite]
    plt.plot(layers, heights, marker=_LINE_MARK, color=inks.quiet)
    chosen = [(layer, value) for layer, value in finite if layer in card.default_layers]
    if chosen:
        plt.scatter([layer for layer, _ in chosen], [value for _, value in chosen], marker="●", color=inks.main)
    low = min(at_least, *heights)
    high = max(heights) if at_most is None else at_most
    margin = _MARGIN * ((high - low) or 1.0)
    plt.ylim(low, high + margin)
    _tick(plt.yticks, (low, high))
    _tick_layers(plt, layers)


def _tick_layers(plt: Any, layers: Sequence[int]) -> None:
    if layers:
        every = max(1, math.ceil(len(layers) / 12))
        plt.xticks([float(layer) for layer in layers[::every]], [str(layer) for layer in layers[::every]])


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
