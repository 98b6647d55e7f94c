"""Pictures of experiments: whole PNGs from whatever rows there are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from localsteer.errors import PlotError
from localsteer.plots.experiments import plot_experiment

PNG = b"\x89PNG\r\n\x1a\n"
TABLES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "caa": {
        "layers": [{"set": name, "layer": layer, "moved": 0.1 * layer} for name in ("a$b", "c") for layer in (1, 2)],
        "letters": [
            {
                "set": "a$b",
                **{f"at_{at}{end}": 0.5 for at in ("minus", "zero", "plus") for end in ("", "_low", "_high")},
                "random_low": -0.1,
                "random_high": 0.1,
            }
        ],
    },
    "actadd-topic": {
        "perplexity": [{"layer": 1, "strength": s, "topic_ratio": 0.9, "others_ratio": math.nan} for s in (0.5, 1.0)],
        "completions": [
            {
                "vector": "x",
                "layer": 0,
                "strength": 0.0,
                "about_topic": 0.1,
                "about_topic_low": 0,
                "about_topic_high": 1,
            }
        ],
    },
    "actadd-sentiment": {
        "sentiment": [
            {
                "vector": "x",
                "strength": 1.0,
                "positive": 0.5,
                "negative": None,
                "perplexity_ratio": 2,
                "relevance": None,
            }
        ]
    },
    "several": {
        "alone": [{"vector": "a", "layer": 2, "effect": 0.3}],
        "together": [
            {"arrangement": name, "vector": "a", "layer": 2, "held": 0.5} for name in ("merged into one", "own")
        ],
    },
    "breaking": {
        "layers": [
            {"strength": 1.0, "layer": layer, "added_norm": 1, "residual_norm": 2, "cosine": 0.9} for layer in (1, 2)
        ],
        "output": [
            {
                "strength": s,
                "entropy": 1,
                "entropy_low": 0.5,
                "entropy_high": 2,
                "entropy_unsteered": 1,
                "kl": s,
                "kl_95": 9,
            }
            for s in (1.0, 2.0)
        ],
    },
    "pca": {"components": [{"component": 1, "variance_share": 0.5}]},
}


@pytest.mark.parametrize("suite", TABLES)
def test_every_suite_has_its_picture(suite: str, tmp_path: Path) -> None:
    out = tmp_path / "picture.png"
    plot_experiment(suite, TABLES[suite], out, title="a name with $ and \x1b[31m")
    whole = out.read_bytes()
    assert whole.startswith(PNG)
    assert int.from_bytes(whole[16:20]) > 500
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("suite", [*TABLES, "another"])
@pytest.mark.parametrize("tables", [{}, {name: [] for tables in TABLES.values() for name in tables}])
def test_where_nothing_was_measured_the_picture_says_so(suite: str, tables: dict[str, Any], tmp_path: Path) -> None:
    plot_experiment(suite, tables, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(PNG)


def test_only_pngs_are_drawn(tmp_path: Path) -> None:
    with pytest.raises(PlotError, match=r"\.png"):
        plot_experiment("caa", TABLES["caa"], tmp_path / "picture.jpg")
