"""``sweep``: effect and cost at each strength, on the real backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.cli.sweep import read_grid
from localsteer.errors import DialError
from tests.cli.conftest import Run

ROW = {"strength", "layers", "effect", "effect_low", "effect_high", "perplexity_ratio", "kl"}


def test_a_sweep_reports_effect_and_cost_at_each_strength(localsteer: Run, random_bpe_model: Path) -> None:
    said = localsteer("sweep", "glad", "-m", random_bpe_model, "--strengths", "-1:1:0.5", "--controls", 2, "--json")
    document = said.document
    assert [row["strength"] for row in document["rows"]] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert all(set(row) == ROW for row in document["rows"])
    for row in document["rows"]:
        assert row["effect_low"] <= row["effect"] <= row["effect_high"]
    assert document["rows"][2]["perplexity_ratio"] == pytest.approx(1.0, abs=1e-6)
    assert document["rows"][2]["kl"] < 1e-3 < document["rows"][4]["kl"]
    assert document["random_effect_low"] <= document["random_effect_high"]
    assert document["safe_low"] < 0 < document["safe_high"]
    assert document["complete"] is True
    assert (document["vector"], document["seed"]) == ("glad", 0)


def test_the_same_sweep_gives_the_same_figures(localsteer: Run, random_bpe_model: Path) -> None:
    sweep = ("sweep", "glad", "-m", random_bpe_model, "--strengths", "0,1", "--controls", 1, "--json")
    assert localsteer(*sweep).document == localsteer(*sweep, "--fresh").document


def test_each_layer_can_be_swept_by_itself(localsteer: Run, random_bpe_model: Path) -> None:
    said = localsteer("sweep", "glad", "-m", random_bpe_model, "--strengths", "1", "--layers", "each", "--controls", 0)
    lines = [line.split() for line in said.out.splitlines()]
    assert [line[0] for line in lines if len(line) > 3 and line[1] == "+1.00"] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("grid", "strengths"),
    [("-1:1:1", (-1.0, 0.0, 1.0)), ("0:0.3:0.1", (0.0, 0.1, 0.2, 0.3)), ("2", (2.0,)), ("-1,0.5", (-1.0, 0.5))],
)
def test_a_grid_holds_both_ends(grid: str, strengths: tuple[float, ...]) -> None:
    assert read_grid(grid) == strengths


@pytest.mark.parametrize(
    ("grid", "complaint"),
    [
        ("", "is no grid"),
        ("a:b:c", "is no grid"),
        ("1:2", "is no grid"),
        ("0:nan:1", "is no grid"),
        ("0:inf:1", "is no grid"),
        ("2:1:0.5", "does not go upwards"),
        ("0:1:0", "does not go upwards"),
        ("0:1:0.0001", "larger step"),
    ],
)
def test_what_is_no_grid_is_refused(grid: str, complaint: str) -> None:
    with pytest.raises(DialError, match=complaint):
        read_grid(grid)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("glad", "--strengths", "x"), "is no grid"),
        (("glad", "--layers", "9"), "has layers 1 to 3"),
        (("glad", "--layers", "0"), "has layers 1 to 3"),
        (("glad", "--recipe", "missing.toml"), "no recipe at"),
        (("unheard-of",), 'no dial named "unheard-of"'),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_one_sentence(
    localsteer: Run, random_bpe_model: Path, options: tuple[str, ...], complaint: str
) -> None:
    said = localsteer("sweep", *options, "-m", random_bpe_model)
    assert said.status == 2
    assert complaint in said.err
