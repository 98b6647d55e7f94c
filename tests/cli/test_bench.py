"""``bench``: what a machine does with a model, in words and as a document."""

from __future__ import annotations

import struct
from pathlib import Path

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import Event, Generate, Load, TokenText, Turn
from tests.cli.conftest import Run
from tests.hardening.hostile_gguf import taken_apart
from tests.random_hybrid import write_random_hybrid
from tests.random_models import write_random_llama

QUICK = ("--seconds", 0.1, "--recipe", "glad", "--threads", 1)


def test_the_document_has_every_figure_with_its_spread_and_what_it_was_measured_on(
    localsteer: Run, random_bpe_model: Path
) -> None:
    document = localsteer("bench", "-m", random_bpe_model, *QUICK, "--json").document
    assert list(document) == ["model", "machine", "versions", "rows"]
    assert (document["model"]["layers"], document["model"]["width"]) == (4, 64)
    assert document["machine"]["threads"] == 1
    assert {"localsteer", "llama-cpp-python"} <= set(document["versions"])
    rows = {row["what"]: row for row in document["rows"]}
    for group in ("reading a prompt", "writing a reply"):
        steered = next(row for what, row in rows.items() if what.startswith(f"{group}: 4 dials"))
        assert steered["unit"] == rows[f"{group}: no dials"]["unit"] == "tokens/s"
        assert 0 < steered["low"] <= steered["value"] <= steered["high"]
        share = rows[f"{group}: steered"]
        assert share["low"] <= share["value"] <= share["high"]
    assert rows["turning a dial: the next token takes"]["value"] > 0
    assert rows["turning a dial: read again of the prompt"]["value"] == 0
    assert rows['a vector from the recipe "glad": read 12 prompts']["value"] > 0
    assert rows["memory beside the model's file: model loaded"]["value"] > 1


def test_a_person_reads_groups_of_figures_and_what_it_comes_to(
    localsteer: Run, random_bpe_model: Path, home: Path
) -> None:
    said = localsteer("bench", "-m", random_bpe_model, *QUICK)
    assert said.status == 0
    assert "writing a reply" in said.out
    assert "4 dials, every layer" in said.out
    assert said.out.splitlines()[-1].startswith("Dials cost")
    assert not list(home.rglob("*.gguf"))


def test_a_model_that_cannot_be_steered_is_measured_without_dials(localsteer: Run, tmp_path: Path) -> None:
    said = localsteer("bench", "-m", write_random_hybrid(tmp_path / "hybrid.gguf"), *QUICK)
    assert said.status == 0
    assert "no dial moves it" in said.out
    assert "4 dials" not in said.out


def test_a_model_that_ends_its_replies_before_they_begin_has_no_speed_and_that_is_said(
    localsteer: Run, tmp_path: Path
) -> None:
    path = write_random_llama(tmp_path / "model.gguf", sharpness=60.0, n_layer=2)
    with Engine() as engine:
        engine.load(Load(0, str(path), n_threads=1))
        events: list[Event] = []
        engine.carry_out(Generate(1, (Turn("user", "Tell me about gardens."),)), events.append)
        first = next(event.token for event in events if isinstance(event, TokenText))
    # What it begins every reply with is what ends one.
    file = taken_apart(path.read_bytes())
    file.put("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", first))
    path.write_bytes(file.content())
    said = localsteer("bench", "-m", path, *QUICK)
    assert said.status == 0, said.err
    assert "this model ended every reply before it had written anything" in said.out


def test_a_recipe_that_is_not_there_is_a_sentence(localsteer: Run, random_bpe_model: Path) -> None:
    said = localsteer("bench", "-m", random_bpe_model, "--recipe", "gladd")
    assert (said.status, said.out) == (2, "")
    assert 'no recipe named "gladd"' in said.err
