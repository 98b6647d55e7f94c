"""``vectors show``: the whole card, from vectors that know much and from those that know little."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from localsteer.plots import style
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector
from tests.cli.conftest import Run, stamp, write_vector

ROWS = [
    {
        "layers": [2],
        "strength": strength,
        "effect": strength,
        "effect_low": strength - 0.1,
        "effect_high": strength + 0.1,
        "perplexity_ratio": None if strength == 2 else 1 + strength**2,
        "kl": 0.1,
    }
    for strength in (-2, -1, 0, 1, 2)
]


@pytest.mark.usefixtures("glad_at_hand")
def test_a_made_vector_shows_all_of_itself(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep.json"
    sweep.write_text(json.dumps({"rows": ROWS, "safe_low": -1.0, "safe_high": 1.5}))
    shown = ("vectors", "show", "glad", "--model", random_bpe_model, "--sweep", sweep)
    said = localsteer(*shown)
    assert said.status == 0, said.err
    for words in ("sad ↔ happy", "AUC by layer", "norm by layer", "○ sad", "● happy", "effect of layer 2", "promoted"):
        assert words in said.out
    assert "\x1b" not in said.out
    assert max(map(len, said.out.splitlines())) <= 130
    picture = tmp_path / "glad.png"
    document = localsteer(*shown, "--plot", picture, "--json").document
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(document["layers"]) == len(document["cosines"]) == 3
    assert [layer["layer"] for layer in document["layers"]] == [1, 2, 3]
    for layer in document["layers"]:
        assert layer["norm_share"] == pytest.approx(layer["norm"] / layer["residual_norm"])
    assert document["scatter"]["layer"] == document["main_layer"] in document["default_layers"]
    assert len(document["scatter"]["positive"]) == len(document["scatter"]["negative"]) == 6
    assert len(document["tokens"]["promoted"]) == len(document["tokens"]["suppressed"]) == 10
    assert [point["strength"] for point in document["curve"]["points"]] == [-2, -1, 0, 1, 2]
    assert document["others"] == []


def test_a_vector_of_long_ago_says_what_it_does_not_know(localsteer: Run, tmp_path: Path) -> None:
    save_vector(SteeringVector("old", "", "", {2: np.ones(8, np.float32)}, ModelStamp(n_embd=8)), tmp_path / "old.gguf")
    said = localsteer("vectors", "show", tmp_path / "old.gguf")
    assert said.status == 0
    assert "the file does not say" in said.out
    assert "localsteer sweep old" in said.out
    assert "--model" in said.err
    document = localsteer("vectors", "show", tmp_path / "old.gguf", "--json").document
    assert (document["scatter"], document["curve"], document["tokens"]) == (None, None, None)


@pytest.mark.usefixtures("glad_at_hand")
def test_the_model_used_last_is_taken_for_the_tokens_where_it_is_the_vectors_own(
    localsteer: Run, random_bpe_model: Path, home: Path
) -> None:
    assert localsteer("vectors", "show", "glad", "--json").document["tokens"] is None
    (home / "remembered.json").write_text(json.dumps({"last_model": str(random_bpe_model)}))
    assert localsteer("vectors", "show", "glad", "--json").document["tokens"] is not None


@pytest.mark.usefixtures("glad_at_hand")
def test_other_vectors_of_the_same_model_are_named(localsteer: Run, random_bpe_model: Path, home: Path) -> None:
    made_for = stamp(random_bpe_model)
    layer = localsteer("vectors", "show", "glad", "--json").document["main_layer"]
    write_vector(home / "vectors" / made_for.model_id / "other.gguf", made_for, layer=layer)
    document = localsteer("vectors", "show", "glad", "--json").document
    assert [other["name"] for other in document["others"]] == ["other"]
    assert "other" in localsteer("vectors", "show", "glad").out


def test_a_model_of_another_size_costs_only_the_tokens(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    save_vector(SteeringVector("v", "", "", {2: np.ones(8, np.float32)}, ModelStamp(n_embd=8)), tmp_path / "v.gguf")
    said = localsteer("vectors", "show", tmp_path / "v.gguf", "--model", random_bpe_model)
    assert said.status == 0
    assert "another size" in said.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--plot", "card.jpg"), ".png"),
        (("--sweep", "nothing.json"), "cannot be read"),
        (("--model", "no-such-model"), "no-such-model"),
    ],
)
def test_what_cannot_be_is_one_sentence(localsteer: Run, tmp_path: Path, options: tuple[str, str], words: str) -> None:
    file = tmp_path / "v.gguf"
    save_vector(SteeringVector("v", "", "", {2: np.ones(8, np.float32)}, ModelStamp(n_embd=8)), file)
    said = localsteer("vectors", "show", file, *options)
    assert said.status == 2
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1


def test_without_matplotlib_a_sentence_says_how_to_get_it(
    localsteer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "find_spec", lambda name: None)
    said = localsteer("vectors", "show", "whatever", "--plot", tmp_path / "card.png")
    assert said.status == 2
    assert 'pip install "localsteer[plot]"' in said.err
