"""``say``: one prompt, one reply."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import Run, ended, interrupt, stamp, write_vector

KEYS = [
    "model",
    "prompt",
    "reply",
    "tokens",
    "finish_reason",
    "seed",
    "scope",
    "dials",
    "prompt_tokens_evaluated",
    "prompt_tokens_reused",
    "tokens_per_second",
]

Child = Callable[..., subprocess.Popen[bytes]]


@pytest.mark.parametrize(
    "model",
    [
        "random_bpe_model",
        "random_spm_model",
        "random_bpe_model_without_template",
        "random_spm_model_without_template",
    ],
)
@pytest.mark.parametrize("raw", [[], ["--raw"]])
def test_every_kind_of_model_answers_with_and_without_its_template(
    localsteer: Run, request: pytest.FixtureRequest, model: str, raw: list[str]
) -> None:
    path = request.getfixturevalue(model)
    said = localsteer("say", "How are you?", "-m", path, "--json", "--max-tokens", 4, "--temperature", 0, *raw)
    document = said.document
    assert list(document) == KEYS
    assert document["prompt"] == "How are you?"
    assert len(document["tokens"]) <= 4
    assert document["finish_reason"] in {"end", "length"}
    assert (document["scope"], document["dials"]) == ("reply", {})
    assert document["prompt_tokens_evaluated"] > 3
    assert document["prompt_tokens_reused"] == 0
    assert said.err == ""


def test_the_same_seed_gives_the_same_reply_as_plain_text(localsteer: Run, random_bpe_model: Path) -> None:
    arguments = ("say", "Hello", "-m", random_bpe_model, "--max-tokens", 8, "--temperature", 1)
    first = localsteer(*arguments, "--json").document
    again = localsteer(*arguments, "--seed", first["seed"])
    assert again.out == first["reply"] + "\n"
    assert again.status == 0


def test_a_dial_moves_the_reply_and_zero_moves_nothing(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    vector = write_vector(tmp_path / "mood.gguf", stamp(random_bpe_model))

    def reply(*options: str) -> object:
        base = ("say", "Hello", "-m", random_bpe_model, "--max-tokens", 8, "--temperature", 0, "--json")
        document = localsteer(*base, *options).document
        if options:
            assert document["dials"] == {str(vector): float(options[1].rpartition("=")[2])}
        return document["tokens"]

    unsteered = reply()
    assert reply("--dial", f"{vector}=0") == unsteered
    assert reply("--dial", f"{vector}=8") != unsteered
    assert reply("--dial", f"{vector}=-8", "--scope", "everything") != unsteered


def test_the_prompt_may_come_on_standard_input(child: Child, random_bpe_model: Path) -> None:
    for line_end in ("\n", "\r\n"):
        typed = f"Grüß{line_end}dich{line_end}".encode()
        said = ended(child("say", "-", "-m", random_bpe_model, "--json", "--max-tokens", 2), typed)
        assert said.document["prompt"] == "Grüß\ndich"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
def test_ctrl_c_ends_the_reply_and_the_engine_without_a_word(child: Child, random_bpe_model: Path) -> None:
    running = child("say", "Hello", "-m", random_bpe_model, "--raw", "--temperature", 2)
    assert running.stdout is not None
    assert running.stdout.read(1)
    engines = psutil.Process(running.pid).children(recursive=True)
    assert engines
    interrupt(running)
    said = ended(running)
    assert said.status == 130
    assert said.err == ""
    gone, alive = psutil.wait_procs(engines, timeout=10)
    assert gone
    assert not alive


@pytest.mark.skipif(os.name == "nt", reason="no SIGPIPE there")
def test_a_reader_that_has_seen_enough_is_no_error(child: Child, random_bpe_model: Path) -> None:
    running = child("say", "Hello", "-m", random_bpe_model, "--raw", "--temperature", 2, "--max-tokens", 60)
    assert running.stdout is not None
    running.stdout.read(1)
    running.stdout.close()
    running.stdout = None
    said = ended(running)
    assert (said.status, said.err) == (0, "")
