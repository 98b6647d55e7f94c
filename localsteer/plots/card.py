"""A vector's card as one picture: a panel for each thing that is known of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localsteer.plots.curve import Curve, spoken_window
from localsteer.plots.portrait import Portrait, TokenFigures
from localsteer.plots.style import FAINT, MAIN, NEGATIVE, PAPER, POSITIVE, QUIET, shown, styled_figure
from localsteer.plots.sweep import draw_cost, draw_effect

Panel = Callable[[Any, Portrait], None]

_PANEL_WIDTH, _PANEL_HEIGHT, _HEAD_HEIGHT = 4.1, 3.1, 0.95
_LONGEST_TOKEN = 16
_MOST_OTHERS = 16
_LEGEND_AT_MOST = 4


def plot_card(card: Portrait, out: Path) -> None:
    """Write the picture of a vector to ``out`` (PNG): separation, norms, likeness, scatter, tokens, effect and cost, as
    far as they are known.

    Raises PlotError where matplotlib is missing or ``out`` is no name for a PNG, StorageError.
    """
    panels = _panels(card)
    n_columns = 2 if len(panels) in (1, 2, 4) else 3
    n_rows = max(1, math.ceil(len(panels) / n_columns))
    height = n_rows * _PANEL_HEIGHT + _HEAD_HEIGHT
    with styled_figure(n_columns * _PANEL_WIDTH, height, out) as figure:
        # A strip above the grid of panels for the head.
        figure.get_layout_engine().set(rect=(0.005, 0.0, 0.99, 1 - _HEAD_HEIGHT / height), w_pad=0.1, h_pad=0.1)
        _write_head(figure, card, height)
        grid = figure.add_gridspec(n_rows, n_columns)
        for number, draw in enumerate(panels):
            draw(figure.add_subplot(grid[divmod(number, n_columns)]), card)


def _panels(card: Portrait) -> list[Panel]:
    """What there is to draw, in the order of the panels."""
    found: list[tuple[bool, Panel]] = [
        (any(_known(layer.auc) for layer in card.layers), _draw_separation),
        (bool(card.layers), _draw_norms),
        (len(card.cosines) > 1, _draw_own_cosines),
        (card.scatter is not None, _draw_scatter),
        (card.tokens is not None, _draw_tokens),
        (bool(card.others), _draw_others),
    ]
    if card.curve is not None and card.curve.windows:
        curve = card.curve
        found += [
            (True, _titled("Effect", lambda axes, _: _draw_effect(axes, curve))),
            (True, _titled("Cost: perplexity", lambda axes, _: draw_cost(axes, curve, "perplexity_ratio"))),
            (True, _titled("Cost: divergence", lambda axes, _: draw_cost(axes, curve, "kl"))),
        ]
    return [panel for known, panel in found if known]


def _draw_effect(axes: Any, curve: Curve) -> None:
    draw_effect(axes, curve)
    if len(curve.windows) <= _LEGEND_AT_MOST:
        axes.legend(loc="best")


def _titled(title: str, draw: Panel) -> Panel:
    def both(axes: Any, card: Portrait) -> None:
        axes.set_title(title)
        draw(axes, card)

    return both


def _write_head(figure: Any, card: Portrait, height: float) -> None:
    from matplotlib.text import Annotation

    def line(down: float, words: str, **look: Any) -> Any:
        return figure.text(0.012, 1 - down / height, words, va="top", in_layout=False, **look)

    negative, positive = (shown(pole, 30) for pole in card.poles)
    last = line(0.16, shown(card.name, 40), fontsize=15, fontweight="bold")
    for words, colour, gap in ((negative, NEGATIVE, 16), ("↔", QUIET, 6), (positive, POSITIVE, 6)):
        # Each stands behind the one before, however wide that is.
        behind = Annotation(
            words,
            xy=(1, 0),
            xycoords=last,
            xytext=(gap, 0),
            textcoords="offset points",
            va="bottom",
            fontsize=12,
            color=colour,
            annotation_clip=False,
        )
        behind.set_in_layout(False)
        last = figure.add_artist(behind)
    strengths = ""
    if _known(card.strength_low) and _known(card.strength_high):
        strengths = f"recommended {card.strength_low:+.2f} to {card.strength_high:+.2f}".replace("-", "−")
    facts = (shown(card.model), shown(card.method), f"steers {spoken_window(card.default_layers)}", strengths)
    line(0.58, "   ·   ".join(fact for fact in facts if fact), fontsize=9, color=QUIET)


def _draw_separation(axes: Any, card: Portrait) -> None:
    axes.set_title("Separation (AUC on held-out pairs)")
    axes.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=(0, (4, 4)))
    axes.annotate("chance", (1, 0.5), xycoords=("axes fraction", "data"), ha="right", va="bottom", color=QUIET)
    known = [layer.auc for layer in card.layers if layer.auc is not None and math.isfinite(layer.auc)]
    _draw_by_layer(axes, card, [layer.auc for layer in card.layers])
    axes.set_ylim(min([0.45, *known]) - 0.02, 1.03)


def _draw_norms(axes: Any, card: Portrait) -> None:
    shares = [layer.norm_share for layer in card.layers]
    if any(_known(share) for share in shares):
        axes.set_title("Norm, as a fraction of the residual norm")
        _draw_by_layer(axes, card, shares)
    else:
        axes.set_title("Norm")
        _draw_by_layer(axes, card, [layer.norm for layer in card.layers])
    axes.set_ylim(bottom=0)


def _draw_by_layer(axes: Any, card: Portrait, values: list[float | None]) -> None:
    numbers = [layer.layer for layer in card.layers]
    heights = [math.nan if value is None or not math.isfinite(value) else value for value in values]
    axes.plot(numbers, heights, "o-", color=QUIET)
    chosen = [
        (number, height) for number, height in zip(numbers, heights, strict=True) if number in card.default_layers
    ]
    axes.plot([number for number, _ in chosen], [height for _, height in chosen], "o", color=MAIN, markersize=6.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(f"layer (steered: {spoken_window(card.default_layers).partition(' ')[2]})")


def _draw_own_cosines(axes: Any, card: Portrait) -> None:
    axes.set_title("Cosine between its layers")
    first, last = card.layers[0].layer - 0.5, card.layers[-1].layer + 0.5
    image = axes.imshow(
        card.cosines,
        cmap=_diverging(),
        vmin=-1,
        vmax=1,
        origin="lower",
        extent=(first, last, first, last),
        aspect="equal",
    )
    axes.grid(visible=False)
    axes.set_anchor("W")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("layer")
    axes.set_ylabel("layer")
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.8, ticks=(-1, 0, 1))
    bar.outline.set_visible(False)


def _draw_scatter(axes: Any, card: Portrait) -> None:
    scatter = card.scatter
    assert scatter is not None
    axes.set_title(f"Prompts at layer {scatter.layer}")
    for points, colour, pole in zip(
        (scatter.negative, scatter.positive), (NEGATIVE, POSITIVE), card.poles, strict=True
    ):
        axes.scatter(
            [x for x, _ in points],
            [y for _, y in points],
            s=16,
            color=colour,
            alpha=0.6,
            linewidth=0,
            label=shown(pole, 30),
        )
    axes.set_xlabel("first component, as the direction")
    axes.set_ylabel("second component")
    axes.legend(loc="best", handletextpad=0.1)


def _draw_tokens(axes: Any, card: Portrait) -> None:
    tokens = card.tokens
    assert isinstance(tokens, TokenFigures)
    axes.set_title(f"Tokens through the logit lens, layer {tokens.layer}")
    rows = [
        *((token, POSITIVE) for token in tokens.promoted),
        *((token, NEGATIVE) for token in reversed(tokens.suppressed)),
    ]
    places = range(len(rows), 0, -1)
    axes.barh(places, [token.score for token, _ in rows], color=[colour for _, colour in rows], height=0.62, alpha=0.85)
    for place, (token, _) in zip(places, rows, strict=True):
        # Beside zero, on the side where no bar is.
        right = token.score < 0
        axes.annotate(
            shown(token.text, _LONGEST_TOKEN),
            (0, place),
            xytext=(4 if right else -4, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=7,
        )
    axes.axvline(0, color=FAINT, linewidth=0.8)
    reach = max((abs(token.score) for token, _ in rows if math.isfinite(token.score)), default=1.0) or 1.0
    axes.set_xlim(-1.05 * reach, 1.05 * reach)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("added to the logit, up to a factor")


def _draw_others(axes: Any, card: Portrait) -> None:
    axes.set_title(f"Cosine with other vectors, layer {card.main_layer}")
    others = card.others[:_MOST_OTHERS]
    places = range(len(others), 0, -1)
    colours = [POSITIVE if other.cosine >= 0 else NEGATIVE for other in others]
    axes.barh(places, [other.cosine for other in others], color=colours, height=0.62, alpha=0.85)
    axes.set_yticks(list(places), [shown(other.name, 20) for other in others])
    for place, other in zip(places, others, strict=True):
        words = f"{round(other.cosine, 2) + 0.0:+.2f}".replace("-", "−")
        axes.text(1, place, words, ha="right", va="center", fontsize=7, color=QUIET)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_xlim(-1, 1)
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    axes.set_ylim(len(others) - max(8, len(others)) + 0.3, len(others) + 0.7)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _diverging() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("poles", [NEGATIVE, PAPER, POSITIVE])


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
