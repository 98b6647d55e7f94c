"""``extract``: a vector is made once per model and kept; a changed recipe is noticed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import gguf
import psutil
import pytest

from localsteer.gguf_header import model_id, read_header
from tests.cli.conftest import RECIPE, Run, ended, interrupt

KEYS = {
    "recipe",
    "model",
    "method",
    "out",
    "prompts",
    "tokens_evaluated",
    "tokens_one_by_one",
    "seconds",
    "layers",
}


def test_a_file_that_llama_cpp_takes_is_written_and_reported(
    localsteer: Run, random_bpe_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "glad.gguf"
    said = localsteer("extract", "glad", "-m", random_bpe_model, "-o", out, "--layers", "2-3", "--json")
    document = said.document
    assert set(document) >= KEYS
    assert (document["recipe"], document["method"], document["out"]) == ("glad", "mean-difference", str(out))
    assert document["prompts"] == 12
    assert 0 < document["tokens_evaluated"] < document["tokens_one_by_one"]
    assert [set(layer) for layer in document["layers"]] == [{"layer", "norm", "residual_norm", "auc"}] * 3
    assert [layer["layer"] for layer in document["layers"]] == [1, 2, 3]
    assert document["default_layers"] == [2, 3]
    reader = gguf.GGUFReader(out)
    assert [tensor.name for tensor in reader.tensors] == ["direction.1", "direction.2", "direction.3"]
    assert said.err == ""


def test_two_words_make_a_dial_for_the_front_of_a_prompt(localsteer: Run, random_bpe_model: Path) -> None:
    said = localsteer("extract", "--words", "the people/water", "-m", random_bpe_model)
    assert said.status == 0
    assert "--scope prompt-start" in said.out
    base = ("say", "the word of the day", "-m", random_bpe_model, "--max-tokens", 6, "--temperature", 0, "--json")
    unsteered = localsteer(*base).document
    steered = localsteer(*base, "--dial", "the people-water=30", "--scope", "prompt-start").document
    assert (steered["scope"], steered["dials"]) == ("prompt-start", {"the people-water": 30.0})
    assert steered["reply"] != unsteered["reply"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "Name a recipe or contrast file, or two texts"),
        (("glad", "--words", "Love/Hate"), "Name a recipe or contrast file, or two texts"),
        (("--words", "Love"), "is not two different texts"),
        (("--words", "Love/Love"), "is not two different texts"),
        (("glad", "--method", "actadd"), "ActAdd takes one pair of plain texts"),
        (("glad", "--poles", "happy"), "does not name two poles"),
        (("glad", "--stems", "missing.json"), "no recipe at missing.json"),
    ],
)
def test_words_and_options_that_make_no_vector_get_one_sentence(
    localsteer: Run, random_bpe_model: Path, options: tuple[str, ...], complaint: str
) -> None:
    said = localsteer("extract", *options, "-m", random_bpe_model)
    assert said.status == 2
    assert complaint in said.err.replace("\n", " ")


def test_a_dial_from_a_recipe_is_made_once_and_made_again_when_the_recipe_changes(
    localsteer: Run, random_bpe_model: Path, home: Path
) -> None:
    base = ("say", "Hello", "-m", random_bpe_model, "--max-tokens", 2, "--dial", "glad=1", "--json")
    stored = home / "vectors" / model_id(random_bpe_model, read_header(random_bpe_model)) / "glad.gguf"
    first = localsteer(*base)
    assert first.document["dials"] == {"glad": 1.0}
    assert "for the first time" in first.err
    made = stored.read_bytes()
    assert localsteer(*base).err == ""
    assert stored.read_bytes() == made
    (home / "recipes" / "glad.toml").write_text(RECIPE.replace("Be merry.", "Be full of joy."), encoding="utf-8")
    assert "the recipe has changed" in localsteer("vectors", "show", "glad").out.replace("\n", " ")
    again = localsteer(*base)
    assert "the recipe has changed" in again.err
    assert stored.read_bytes() != made
    assert [path.name for path in stored.parent.iterdir()] == ["glad.gguf"]


def test_plain_pairs_of_a_file_are_read_without_a_template(
    localsteer: Run, random_bpe_model_without_template: Path, tmp_path: Path
) -> None:
    pairs = tmp_path / "pairs.json"
    pairs.write_text('[["I am happy", "I am sad"], ["what fun", "what woe"]]')
    said = localsteer("extract", pairs, "-m", random_bpe_model_without_template, "-o", tmp_path / "pairs.gguf")
    assert said.status == 0, said.err
    assert "4 prompts" in said.out
    assert "written to" in said.out


def test_another_file_of_the_same_name_replaces_the_vector_and_that_is_said(
    localsteer: Run, random_bpe_model: Path, tmp_path: Path
) -> None:
    for folder, pairs in (("one", '[["a", "b"]]'), ("two", '[["c", "d"]]')):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "generate_dataset.json").write_text(pairs)
    first = localsteer("extract", tmp_path / "one" / "generate_dataset.json", "-m", random_bpe_model)
    again = localsteer("extract", tmp_path / "one" / "generate_dataset.json", "-m", random_bpe_model)
    assert (first.status, first.err, again.err) == (0, "", "")
    other = localsteer("extract", tmp_path / "two" / "generate_dataset.json", "-m", random_bpe_model)
    assert other.status == 0
    assert "made from other contrasts and is replaced" in other.err


@pytest.mark.parametrize("layers", ["0-2", "9"])
def test_layers_that_cannot_be_steered_are_refused(
    localsteer: Run, random_bpe_model: Path, tmp_path: Path, layers: str
) -> None:
    said = localsteer("extract", "glad", "-m", random_bpe_model, "-o", tmp_path / "x.gguf", "--layers", layers)
    assert said.status == 2
    assert "1 to 3" in said.err
    assert not (tmp_path / "x.gguf").exists()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
def test_ctrl_c_ends_an_extraction_and_leaves_nothing_behind(
    child: Callable[..., subprocess.Popen[bytes]], random_bpe_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    running = child("extract", "mood", "-m", random_bpe_model, "-o", out / "mood.gguf")
    me = psutil.Process(running.pid)
    while not (engines := me.children(recursive=True)):
        assert running.poll() is None
    interrupt(running)
    said = ended(running)
    assert (said.status, said.out, said.err) == (130, "", "")
    assert not psutil.wait_procs(engines, timeout=10)[1]
    assert list(out.iterdir()) == []
