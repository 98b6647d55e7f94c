"""Combinations of vectors wherever a dial is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, stamp, write_vector


@pytest.fixture
def vector(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> str:
    """A stored vector for the random model, by its name; there is another one called ``side``."""
    for name, seed in (("up", 0), ("side", 1)):
        file = write_vector(tmp_path / f"{name}.gguf", stamp(random_bpe_model), seed=seed)
        assert localsteer("vectors", "import", file).status == 0
    return "up"


def test_an_expression_steers_like_its_dials(localsteer: Run, random_bpe_model: Path, vector: str) -> None:
    def tokens(*dials: str) -> object:
        options = [option for dial in dials for option in ("--dial", dial)]
        base = ("say", "Hello", "-m", random_bpe_model, "--max-tokens", 8, "--temperature", 0, "--json")
        return localsteer(*base, *options).document["tokens"]

    steered = tokens(f"{vector}=4", "side=-2")
    assert tokens() != steered
    assert tokens(f"(2*{vector} - side)=2") == steered
    assert tokens(f"(2*{vector} - side)=0") != steered


def test_what_is_missing_is_made_first_and_the_strengths_are_named_as_typed(
    localsteer: Run, random_bpe_model: Path, vector: str
) -> None:
    said = localsteer("say", "Hi", "-m", random_bpe_model, "--max-tokens", 2, "--json", "--dial", f"glad-{vector}")
    assert said.document["dials"] == {f"glad-{vector}": 1.0}
    assert "making the vector glad" in said.err
    again = localsteer("say", "Hi", "-m", random_bpe_model, "--max-tokens", 2, "--dial", f"glad-{vector}")
    assert "making" not in again.err


def test_a_combination_is_saved_listed_shown_used_and_exported(
    localsteer: Run, random_bpe_model: Path, vector: str, tmp_path: Path
) -> None:
    saved = localsteer("vectors", "combine", f"2*{vector} @layers 2", "--name", "bright", "-m", random_bpe_model)
    assert saved.status == 0
    assert f"bright = 2*{vector} @layers 2, sad ↔ happy; it steers layer 2; recommended strengths -1.00" in saved.out
    assert f"= 2*{vector} @layers 2" in localsteer("vectors", "list").out
    assert f"combines       2*{vector} @layers 2" in localsteer("vectors", "show", "bright").out
    assert localsteer("say", "Hi", "-m", random_bpe_model, "--max-tokens", 2, "--dial", "bright=2").status == 0
    out = tmp_path / "out.gguf"
    assert localsteer("vectors", "export", f"bright + {vector}", out, "-m", random_bpe_model).status == 0
    assert localsteer("vectors", "show", out, "--json").document["expression"] == f"bright + {vector}"
    shown = localsteer("vectors", "show", f"bright + {vector}", "-m", random_bpe_model, "--json").document
    assert shown["expression"] == f"bright + {vector}"


def test_mixtures_say_that_no_strength_is_recommended(localsteer: Run, random_bpe_model: Path, vector: str) -> None:
    said = localsteer("vectors", "combine", f"side without {vector}", "--name", "b", "-m", random_bpe_model)
    assert "no strength is recommended" in said.out
    document = localsteer("vectors", "combine", f"side + {vector}", "-m", random_bpe_model, "--json").document
    assert (document["name"], document["strength_high"]) == (f"side + {vector}", None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("say", "Hi", "--dial", "up ** 2"), "at character 5 (* 2)"),
        (("say", "Hi", "--dial", "up - up"), "comes to nothing"),
        (("say", "Hi", "--dial", "2*upp"), "did you mean up"),
        (("vectors", "combine", "up +"), "at the end"),
        (("vectors", "combine", "up", "--name", "b"), "is a dial already"),
        (("vectors", "show", "up + glad"), "`localsteer extract glad` makes one"),
        (("vectors", "export", "up +", "out.gguf"), "at the end"),
        (("sweep", "2*up"), "--recipe FILE"),
    ],
)
@pytest.mark.usefixtures("vector")
def test_what_cannot_be_had_is_one_sentence(
    localsteer: Run, random_bpe_model: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = localsteer(*arguments, "-m", random_bpe_model)
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert words in said.err
