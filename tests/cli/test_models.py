"""``models list`` and ``models info`` say what there is, what it needs and what is wrong with it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import click
import psutil
import pytest

from localsteer.cli.model_table import model_table
from localsteer.cli.output import size
from localsteer.library import model_facts
from localsteer.library.model_facts import ModelFacts, read_facts
from localsteer.library.models import FoundModel
from localsteer.library.places import practice_model
from tests.cli.conftest import Run
from tests.random_models import write_random_llama


@pytest.fixture
def models(home: Path, random_bpe_model: Path) -> Path:
    """The person's own folder with a whole model, a model in two parts of which one is missing, and a cut-off one."""
    folder = home / "models"
    folder.mkdir(parents=True)
    content = random_bpe_model.read_bytes()
    for name, kept in (("small.gguf", None), ("big-00001-of-00002.gguf", None), ("cut.gguf", -1)):
        (folder / name).write_bytes(content[:kept])
    return folder


def test_the_list_says_size_context_memory_and_steering(localsteer: Run, models: Path) -> None:
    rows = {line.split("  ")[0]: line for line in localsteer("models", "list").out.splitlines()}
    assert rows["practice"].split() == ["practice", "3.6", "MB", "Q8_0", "1,024", "fits", "yes", "in", "the", "box"]
    assert "own folder" in rows["small"]
    assert "Part 2 of 2 of the model is missing" in rows["big"]
    assert "is cut off" in rows["cut"]


def test_the_list_as_a_document(localsteer: Run, models: Path, random_bpe_model: Path) -> None:
    listed = {model["name"]: model for model in localsteer("models", "list", "--json").document["models"]}
    small = listed["small"]
    assert (small["path"], small["found_in"], small["problem"]) == (str(models / "small.gguf"), "own folder", None)
    assert (small["architecture"], small["quantisation"], small["context_length"]) == ("llama", "F32", 512)
    assert small["steering"] == "yes"
    memory = small["memory"]
    assert memory["verdict"] == "fits"
    assert memory["weights"] == small["size_bytes"] == random_bpe_model.stat().st_size
    assert memory["needed"] == memory["weights"] + memory["cache"] + memory["buffers"]
    assert listed["cut"]["steering"] == "no"
    assert "Part 2" in listed["big"]["problem"]


def test_info_shows_the_figures_behind_the_verdict(
    localsteer: Run, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**8, total=10**9))
    said = localsteer("models", "info", "small").out
    assert "tight: close other programs first" in said
    assert "cache of 512 tokens" in said
    assert "free now 100.0 MB of 1.0 GB" in said
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**8, total=10**8))
    document = localsteer("models", "info", "small", "--json").document
    assert document["memory"]["verdict"] == "too large"
    assert document["steering"] == "yes"


def test_the_context_of_the_settings_counts(localsteer: Run, home: Path, models: Path) -> None:
    (home / "settings.toml").write_text("n_ctx = 256\n", encoding="utf-8")
    assert localsteer("models", "info", "small", "--json").document["memory"]["n_ctx"] == 256


def test_the_second_list_reads_no_header(localsteer: Run, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> list[tuple[object, ...]]:
        models = localsteer("models", "list", "--json").document["models"]
        return [tuple(model[key] for key in ("name", "steering", "quantisation", "problem")) for model in models]

    first = shown()

    def again(path: Path) -> ModelFacts:
        # Nothing is remembered of the practice model, whose header is short.
        return read_facts(path) if path == practice_model() else pytest.fail(f"{path} is read again")

    monkeypatch.setattr(model_facts, "read_facts", again)
    assert shown() == first


@pytest.mark.parametrize("width", [50, 80, 140])
def test_in_a_terminal_the_list_is_no_wider_than_that(
    monkeypatch: pytest.MonkeyPatch, random_bpe_model: Path, width: int
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((width, 24)))
    facts = read_facts(random_bpe_model)
    names = ["practice", "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF/Meta-Llama-3.1-8B-Instruct-Q4_K_M"]
    found = [FoundModel(name, random_bpe_model, "Hugging Face", facts=facts) for name in names]
    found.append(FoundModel("gone", random_bpe_model.with_name("gone-00001-of-00002.gguf"), "own folder"))
    headings, practice, long, _, *problem = map(click.unstyle, model_table(found, 0).splitlines())
    assert max(map(len, (headings, practice, long, *problem))) <= width
    assert long.startswith("bartowski/")
    assert "-Q4_K_M  " in long
    assert practice.split()[:3] == ["practice", *size(found[0].size_bytes).split()]
    assert "fits" in practice
    assert ("FOUND IN" in headings) is (width == 140)
    said = " ".join(map(str.strip, problem))
    assert said.startswith("Part 1 of 2 of the model is missing: there is no file gone-00001-of-00002.gguf.")


class TestModelsThatDoNotLoad:
    """What is said about them, in a list and when somebody wants to chat with them."""

    def test_an_architecture_that_llama_cpp_does_not_know(self, localsteer: Run, tmp_path: Path) -> None:
        novel = write_random_llama(tmp_path / "novel.gguf", architecture="novel")
        said = localsteer("say", "Hi", "--model", novel)
        assert said.status == 2
        assert 'has the architecture "novel", which this llama.cpp does not know; a newer llama-cpp-python' in said.err

    def test_a_version_that_is_too_new(self, refused: Callable[..., str], tmp_path: Path) -> None:
        file = tmp_path / "new.gguf"
        file.write_bytes(b"GGUF\x09\x00\x00\x00" + bytes(64))
        assert "is a GGUF file of version 9; versions 2 and 3 can be read" in refused(file)

    def test_a_missing_part(self, refused: Callable[..., str], models: Path) -> None:
        assert "Part 2 of 2 of the model is missing: there is no file" in refused("big")

    def test_a_later_part(self, refused: Callable[..., str], models: Path) -> None:
        later = models / "big-00002-of-00002.gguf"
        assert f"There is no file {later}" in refused(later)

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be read")
    def test_no_permission(self, refused: Callable[..., str], models: Path) -> None:
        (models / "small.gguf").chmod(0)
        assert "cannot be read: Permission denied" in refused(models / "small.gguf")

    @pytest.fixture
    def refused(self, localsteer: Run) -> Callable[..., str]:
        def run(model: object) -> str:
            said = localsteer("say", "Hi", "--model", model)
            assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
            return said.err

        return run
