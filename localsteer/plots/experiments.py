"""Pictures of the papers' experiments, from the rows of their tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from localsteer.plots.style import (
    LINES,
    MAIN,
    NEGATIVE,
    NOISE,
    POSITIVE,
    QUIET,
    make_logarithmic,
    say_instead,
    shown,
    styled_figure,
)

Row: TypeAlias = Mapping[str, Any]
Tables: TypeAlias = Mapping[str, Sequence[Row]]
_LARGEST = 1e30  # as in a curve
_Panels: TypeAlias = Sequence[tuple[str, Callable[[Any, Tables], None]]]


def plot_experiment(suite: str, tables: Tables, out: Path, *, title: str = "") -> None:
    """Write the picture of an experiment to ``out`` (PNG): its panels side by side, from rows as ``eval --json`` has
    them. What was not measured is left out. Raises PlotError where matplotlib is missing or ``out`` is no name for a
    PNG, StorageError.
    """
    panels = _PANELS.get(suite, ())
    columns = 2 if len(panels) > 1 else 1
    rows = max(1, math.ceil(len(panels) / columns))
    with styled_figure(4.6 * columns + 0.6, 3.3 * rows + 0.4, out) as figure:
        figure.suptitle(shown(title or suite), ha="left", x=0.02, fontsize=11, fontweight="bold")
        places = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, panel in zip(places, [*panels, *[None] * (len(places) - len(panels))], strict=True):
            if panel is None:
                axes.set_axis_off()
                continue
            name, draw = panel
            axes.set_title(name)
            try:
                draw(axes, tables)
            except (LookupError, TypeError, ValueError, ArithmeticError):
                axes.clear()
                say_instead(axes, "Nothing was measured.")


def _number(row: Row, key: str) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) and abs(value) <= _LARGEST else math.nan


def _by(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _lines(axes: Any, rows: Sequence[Row], group: str, across: str, value: str, *, spoken: str = "{}") -> None:
    """A line for each value of ``group``; where there are none, words to say so."""
    groups = _by(rows, group)
    if not groups:
        raise ValueError("no rows")
    for number, (name, members) in enumerate(groups.items()):
        ordered = sorted(members, key=lambda row: _number(row, across))
        axes.plot(
            [_number(row, across) for row in ordered],
            [_number(row, value) for row in ordered],
            "o-",
            color=LINES[number % len(LINES)],
            label=shown(spoken.format(name), 24),
        )
    axes.set_xlabel(across)
    axes.legend(fontsize=7, ncols=1 + (len(groups) > 6))


def _dots(
    axes: Any, names: Sequence[str], rows: Sequence[Row], key: str, colour: str, label: str, shift: float
) -> None:
    """Means with their intervals, one above the other."""
    places = [place + shift for place in range(len(rows))]
    means = [_number(row, key) for row in rows]
    errors = [
        [max(0.0, mean - _number(row, f"{key}_low")) for mean, row in zip(means, rows, strict=True)],
        [max(0.0, _number(row, f"{key}_high") - mean) for mean, row in zip(means, rows, strict=True)],
    ]
    axes.errorbar(means, places, xerr=errors, fmt="o", color=colour, label=label, capsize=2, elinewidth=1.1)
    axes.set_yticks(range(len(names)), [shown(name, 24) for name in names])
    axes.invert_yaxis() if not axes.yaxis_inverted() else None


def _letters_by_layer(axes: Any, tables: Tables) -> None:
    _lines(axes, tables["layers"], "set", "layer", "moved")
    axes.axhline(0, color=QUIET, linewidth=0.8)
    axes.set_ylabel("change of p(matching) from − to +")


def _letters(axes: Any, tables: Tables) -> None:
    rows = tables["letters"]
    names = [str(row["set"]) for row in rows]
    for place, row in enumerate(rows):
        zero = _number(row, "at_zero")
        low, high = zero + _number(row, "random_low"), zero + _number(row, "random_high")
        axes.barh(place, high - low, left=low, height=0.7, color=NOISE, label="random vectors" if not place else None)
    for key, colour, label in (("at_minus", NEGATIVE, "−"), ("at_zero", QUIET, "0"), ("at_plus", POSITIVE, "+")):
        _dots(axes, names, rows, key, colour, label, 0.0)
    axes.set_xlim(0, 1)
    axes.set_xlabel("p(matching letter)")
    axes.legend(fontsize=7)


def _topic(axes: Any, tables: Tables) -> None:
    _lines(axes, tables["perplexity"], "layer", "strength", "topic_ratio", spoken="layer {}")
    axes.axhline(1, color=QUIET, linewidth=0.8)
    axes.set_ylabel("perplexity ratio")


def _others(axes: Any, tables: Tables) -> None:
    _lines(axes, tables["perplexity"], "layer", "strength", "others_ratio", spoken="layer {}")
    axes.axhspan(0.99, 1.01, color=NOISE, label="within 1 %")
    axes.set_ylabel("perplexity ratio")


def _about(axes: Any, tables: Tables) -> None:
    rows = tables["completions"]
    names = [f"{row['vector']} {row['layer'] or ''} {row['strength'] or ''}".strip() for row in rows]
    _dots(axes, names, rows, "about_topic", MAIN, "", 0.0)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of completions about the topic")


def _sentiment(axes: Any, tables: Tables) -> None:
    rows = tables["sentiment"]
    names = [f"{row['vector']} {row['strength'] or ''}".strip() for row in rows]
    _dots(axes, names, rows, "positive", POSITIVE, "positive", -0.12)
    _dots(axes, names, rows, "negative", NEGATIVE, "negative", 0.12)
    axes.set_xlabel("share of completions")
    axes.legend(fontsize=7)


def _fluency(axes: Any, tables: Tables) -> None:
    rows = tables["sentiment"]
    axes.plot([_number(row, "perplexity_ratio") for row in rows], [_number(row, "relevance") for row in rows], "o")
    axes.set_xlabel("perplexity ratio to the unsteered model")
    axes.set_ylabel("relevance (cosine)")


def _held(axes: Any, tables: Tables) -> None:
    groups = _by(tables["together"], "arrangement")
    names = list(_by(tables["together"], "vector"))
    height = 0.8 / len(groups)
    for number, (arrangement, rows) in enumerate(groups.items()):
        places = [names.index(row["vector"]) + (number - (len(groups) - 1) / 2) * height for row in rows]
        axes.barh(
            places, [_number(row, "held") for row in rows], height=height * 0.9, color=LINES[number], label=arrangement
        )
    axes.axvline(1, color=QUIET, linewidth=0.8)
    axes.set_yticks(range(len(names)), [shown(str(name), 24) for name in names])
    axes.invert_yaxis()
    axes.set_xlabel("share of its effect alone")
    axes.legend(fontsize=7)


def _alone(axes: Any, tables: Tables) -> None:
    _lines(axes, tables["alone"], "vector", "layer", "effect")
    axes.set_ylabel("effect, nats per token")


def _norms(axes: Any, tables: Tables) -> None:
    rows = [row for row in tables["layers"] if _number(row, "residual_norm") > 0]
    with_share = [{**row, "share": _number(row, "added_norm") / _number(row, "residual_norm")} for row in rows]
    _lines(axes, with_share, "strength", "layer", "share", spoken="strength {:g}")
    axes.set_ylabel("addition ÷ residual norm")


def _cosines(axes: Any, tables: Tables) -> None:
    _lines(axes, tables["layers"], "strength", "layer", "cosine", spoken="strength {:g}")
    axes.set_ylim(min(0.0, *(_number(row, "cosine") for row in tables["layers"])), 1.02)
    axes.set_ylabel("cosine with the unsteered state")


def _entropy(axes: Any, tables: Tables) -> None:
    rows = tables["output"]
    strengths = [_number(row, "strength") for row in rows]
    axes.fill_between(
        strengths,
        [_number(r, "entropy_low") for r in rows],
        [_number(r, "entropy_high") for r in rows],
        alpha=0.18,
        color=MAIN,
        linewidth=0,
    )
    axes.plot(strengths, [_number(row, "entropy") for row in rows], "o-", color=MAIN, label="steered")
    axes.axhline(_number(rows[0], "entropy_unsteered"), color=QUIET, linewidth=0.8, label="unsteered")
    axes.set_xlabel("strength")
    axes.set_ylabel("entropy, nats")
    axes.legend(fontsize=7)


def _divergence(axes: Any, tables: Tables) -> None:
    rows = tables["output"]
    strengths = [_number(row, "strength") for row in rows]
    for key, colour, label in (("kl", MAIN, "mean"), ("kl_95", POSITIVE, "95th percentile")):
        axes.plot(strengths, [max(1e-4, _number(row, key)) for row in rows], "o-", color=colour, label=label)
    axes.axhline(1, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set_xlabel("strength")
    axes.set_ylabel("KL per token, nats")
    make_logarithmic(axes)
    axes.legend(fontsize=7)


def _shares(axes: Any, tables: Tables) -> None:
    rows = tables["components"]
    axes.bar([str(row["component"]) for row in rows], [_number(row, "variance_share") for row in rows], color=MAIN)
    axes.set_xlabel("component")
    axes.set_ylabel("share of the variance")


_PANELS: Mapping[str, _Panels] = {
    "caa": (("Two-choice questions", _letters), ("By layer", _letters_by_layer)),
    "actadd-topic": (("Sentences of the topic", _topic), ("Other sentences", _others), ("Completions", _about)),
    "actadd-sentiment": (("Sentiment", _sentiment), ("Fluency and relevance", _fluency)),
    "several": (("What each keeps among the others", _held), ("Each alone", _alone)),
    "breaking": (
        ("How large the addition is", _norms),
        ("What is left of the state", _cosines),
        ("How undecided the model becomes", _entropy),
        ("How far it departs", _divergence),
    ),
    "pca": (("Principal directions", _shares),),
}
