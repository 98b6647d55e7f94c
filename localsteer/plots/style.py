"""The one style of all our PNG pictures: the colours of the app's light theme on paper, few lines, no boxes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from localsteer.errors import PlotError
from localsteer.file_reading import is_folder
from localsteer.steering.whole_file import write_whole

PAPER = "#fcfaf6"
INK = "#2d2a26"
QUIET = "#746d61"
FAINT = "#d8cfc0"
NEGATIVE = "#1f74a3"
POSITIVE = "#c4532b"
MAIN = "#9c5a12"
SAFE = "#e6eedf"
NOISE = "#d9d2c5"
LINES = (MAIN, NEGATIVE, "#5d8a4a", POSITIVE, "#7a5c99", "#4a8a8a")
"""For lines beside each other; the first for one alone."""

DPI = 150
_LONGEST_TEXT = 60
_FEW_POWERS = 300


def check_plotting(out: Path) -> None:
    """That a picture can be written to ``out``, to be asked before long work. Raises PlotError with one sentence."""
    if out.suffix.lower() != ".png":
        raise PlotError(f"{out} is no name for a picture; let it end in .png.")
    if is_folder(out):
        raise PlotError(f"{out} is a folder; name a .png file in it.")
    if find_spec("matplotlib") is None:
        raise _missing()


@contextmanager
def styled_figure(width: float, height: float, out: Path) -> Iterator[Any]:
    """A matplotlib Figure of ``width`` × ``height`` inches to draw on, written to ``out`` when the block ends well.

    The file is written whole or not at all. Raises PlotError as :func:`check_plotting`, StorageError where the disk
    refuses.
    """
    check_plotting(out)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise _missing() from None
    with rc_context(_settings()), warnings.catch_warnings():
        # A token may be written in letters that no font of this machine has; a box then stands for it.
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
        yield figure
        with write_whole(out) as beside:
            figure.savefig(beside, format="png")


def shown(text: str, longest: int = _LONGEST_TEXT) -> str:
    """A name from a file made fit for a picture: one line, no control characters, not endless."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def say_instead(axes: Any, words: str) -> None:
    """Words in place of a picture that there is nothing for."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=QUIET, fontsize=9)


def make_logarithmic(axes: Any) -> None:
    """The y axis, with plain numbers; between powers of ten 2 and 5 as well, where these are few."""

    def spoken(value: float, _position: int) -> str:
        return f"{value:g}"

    def spoken_between(value: float, position: int) -> str:
        low, high = axes.get_ylim()
        few = low > 0 and high / low < _FEW_POWERS
        return spoken(value, position) if few and f"{value:e}"[0] in "25" else ""

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(spoken)
    axes.yaxis.set_minor_formatter(spoken_between)
    axes.tick_params(axis="y", which="minor", labelsize=8, labelcolor=QUIET)


def _missing() -> PlotError:
    return PlotError('Pictures need matplotlib, which is not installed: pip install "localsteer[plot]".')


def _settings() -> dict[str, Any]:
    return {
        "axes.axisbelow": True,
        "axes.edgecolor": FAINT,
        "axes.facecolor": PAPER,
        "axes.grid": True,
        "axes.labelcolor": QUIET,
        "axes.labelsize": 9,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": INK,
        "axes.titlelocation": "left",
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "figure.facecolor": PAPER,
        "font.size": 9,
        "grid.alpha": 0.45,
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "legend.labelcolor": INK,
        "lines.linewidth": 1.6,
        "lines.markersize": 3.5,
        "savefig.facecolor": PAPER,
        "text.color": INK,
        # A name may hold a dollar sign.
        "text.parse_math": False,
        "xtick.color": FAINT,
        "xtick.labelcolor": QUIET,
        "xtick.labelsize": 8,
        "ytick.color": FAINT,
        "ytick.labelcolor": QUIET,
        "ytick.labelsize": 8,
    }
