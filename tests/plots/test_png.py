"""Pictures as files: real PNGs of the right size, whatever goes in; or one sentence and no file."""

from __future__ import annotations

import math
import struct
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from localsteer.errors import PlotError, StorageError
from localsteer.plots import card as card_module
from localsteer.plots import style
from localsteer.plots.card import plot_card
from localsteer.plots.curve import SweepPoint
from localsteer.plots.portrait import Portrait
from localsteer.plots.style import DPI, check_plotting, shown, styled_figure
from localsteer.plots.sweep import plot_sweep
from tests.plots.portraits import BARE, BROKEN, STRENGTHS, WHOLE, point

pytest.importorskip("matplotlib")


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a PNG whose every chunk is whole."""
    raw = path.read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    at, kinds = 8, []
    while at < len(raw):
        length, kind = struct.unpack_from(">I4s", raw, at)
        assert struct.unpack_from(">I", raw, at + 8 + length)[0] == zlib.crc32(raw[at + 4 : at + 8 + length])
        kinds.append(kind)
        at += 12 + length
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    width, height = struct.unpack_from(">II", raw, 16)
    return width, height


@pytest.mark.parametrize(
    "rows",
    [
        [point(strength) for strength in STRENGTHS],
        [point(strength, (layer,)) for layer in (2, 3) for strength in STRENGTHS],
        [point(strength, (layer,)) for layer in range(1, 13) for strength in STRENGTHS],
        [point(1.0, (layer,)) for layer in range(1, 6)],
        [point(1.0, (layer, layer + 1)) for layer in range(1, 6)],
        [point(1.0)],
        [],
        [SweepPoint((3,), math.nan)],
        [SweepPoint((3,), strength, math.nan, math.inf, -math.inf, math.inf, math.nan) for strength in STRENGTHS],
        [SweepPoint((), 1.0, 1.0, perplexity_ratio=0.0)],
    ],
    ids=["line", "lines", "many-lines", "layers", "windows", "point", "empty", "nowhere", "broken", "no-layer"],
)
@pytest.mark.parametrize("known", [True, False])
def test_every_sweep_becomes_a_picture(tmp_path: Path, rows: Sequence[SweepPoint], known: bool) -> None:
    low, high, safe_low, safe_high = (-0.3, 0.2, -1.5, 1.5) if known else (None, math.nan, None, math.inf)
    plot_sweep(rows, low, high, safe_low, safe_high, tmp_path / "sweep.png", title="$mood$ on\x1b a model")
    assert size_of(tmp_path / "sweep.png") == (round(7.5 * DPI), round(6.2 * DPI))


@pytest.mark.parametrize(("card", "rows", "columns"), [(WHOLE, 3, 3), (BARE, 1, 2), (BROKEN, 3, 3)])
def test_every_card_becomes_a_picture_of_what_is_known(tmp_path: Path, card: Portrait, rows: int, columns: int) -> None:
    plot_card(card, tmp_path / "card.png")
    width, height = size_of(tmp_path / "card.png")
    assert width == round(columns * card_module._PANEL_WIDTH * DPI)
    assert height == pytest.approx((rows * card_module._PANEL_HEIGHT + card_module._HEAD_HEIGHT) * DPI, abs=2)


def test_what_is_not_known_takes_no_room(tmp_path: Path) -> None:
    plot_card(replace(WHOLE, curve=None), tmp_path / "two.png")
    plot_card(WHOLE, tmp_path / "three.png")
    assert size_of(tmp_path / "two.png")[1] < size_of(tmp_path / "three.png")[1]


def test_a_picture_that_fails_leaves_the_older_one_and_nothing_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "card.png"
    out.write_bytes(b"older")

    class Sudden(Exception):
        pass

    with pytest.raises(Sudden), styled_figure(1, 1, out):
        raise Sudden
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("card.png", b"older")]


@pytest.mark.parametrize("name", ["card.jpg", "card", "folder.png"])
def test_a_name_that_is_none_for_a_picture_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PlotError, match=r"\.png"):
        check_plotting(tmp_path / name)
    with pytest.raises(PlotError):
        plot_card(WHOLE, tmp_path / name)


def test_a_disk_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"):
        plot_card(BARE, tmp_path / "file" / "card.png")


def test_without_matplotlib_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "find_spec", lambda name: None)
    with pytest.raises(PlotError, match=r'pip install "localsteer\[plot\]"'):
        plot_card(WHOLE, tmp_path / "card.png")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PlotError, match=r'pip install "localsteer\[plot\]"'):
        plot_sweep([], None, None, None, None, tmp_path / "sweep.png")
    assert not list(tmp_path.iterdir())


def test_names_are_shown_on_one_line_without_control_characters() -> None:
    assert shown("a\x1b[2Jb\nc") == "a [2Jb c"
    assert len(shown("x" * 500)) == 60
