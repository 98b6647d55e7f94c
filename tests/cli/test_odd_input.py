"""Arguments, streams and surroundings that nobody would type on purpose: a sentence, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import Load
from localsteer.errors import ModelError
from localsteer.library.places import practice_model
from tests.cli.conftest import ROOT, Run, Said
from tests.cli.test_bad_input import one_clear_line

Child = Callable[..., subprocess.Popen[bytes]]
posix = pytest.mark.skipif(os.name != "posix", reason="Windows knows no such names, nor these streams")


@pytest.mark.parametrize(
    "arguments",
    [
        ["say", "Hi", "-m", "practice", "--context", 2**32 + 1],
        ["say", "Hi", "-m", "practice", "--context", 10**14],
        ["say", "Hi", "-m", "practice", "--gpu-layers", 10**14],
        ["chats", "purge", "--days", 10**400],
        ["eval", "several", "mood", "register", "-m", "practice", "--strength", "nan"],
        ["eval", "caa", "x.json", "-m", "practice", "--multiplier", "inf"],
        ["bench", "-m", "practice", "--seconds", "nan"],
        ["say", "Hi", "-m", "practice", "--dial", 'mood - "\udcff"'],
        ["vectors", "show", '"\udcff"*2'],
        ["settings", "set", "system_prompt", "\udcff"],
        ["settings", "set", "model_folders", "\udcff"],
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(localsteer: Run, arguments: list[object]) -> None:
    one_clear_line(localsteer(*arguments))


def test_an_engine_refuses_a_context_that_llama_cpp_would_take_the_rest_of() -> None:
    with Engine() as engine, pytest.raises(ModelError, match="not possible"):
        engine.load(Load(0, str(practice_model()), n_ctx=2**32 + 1))


@pytest.mark.parametrize("key", ["n_threads", "theme", "seed", "max_tokens", "needles"])
def test_nothing_typed_takes_a_setting_out_of_the_file(localsteer: Run, home: Path, key: str) -> None:
    localsteer("settings", "set", "top_k", 7)
    assert localsteer("settings", "set", key, "").status == 0
    assert "top_k = 7" in (home / "settings.toml").read_text(encoding="utf-8").splitlines()


@posix
@pytest.mark.parametrize("editor", ['x"', " ", "/no/such/editor"])
def test_an_editor_that_cannot_be_run(localsteer: Run, monkeypatch: pytest.MonkeyPatch, editor: str) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    assert "settings.toml" in one_clear_line(localsteer("settings", "edit"))


@posix
def test_streams_that_cannot_be_used(child: Child, home: Path, tmp_path: Path) -> None:
    def shell(line: str) -> Said:
        program = f'exec "{sys.executable}" -m localsteer {line}'
        run = subprocess.run(["bash", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        return Said(run.returncode, run.stdout, run.stderr)

    only_written = tmp_path / "out"
    only_written.touch()
    assert "refuses" in one_clear_line(shell(f"say - -m practice 0>>{only_written}"))
    said = shell("paths 1</dev/null")
    assert said.status == 2
    assert "Traceback" not in said.err


@posix
def test_a_folder_that_is_gone(home: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = "import os, sys; os.rmdir(os.getcwd()); from localsteer.cli import main; main(sys.argv[1:])"
    for command in (["extract", "x.toml"], ["chats", "export", "1", "x.md"], ["paths"]):
        gone.mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)} | (
            {"LOCALSTEER_HOME": "here"} if command == ["paths"] else {}
        )
        run = subprocess.run(
            [sys.executable, "-c", program, *command],
            cwd=gone,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        one_clear_line(Said(run.returncode, run.stdout, run.stderr))


@posix
def test_somebody_whom_the_system_does_not_know(localsteer: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(_: int) -> NoReturn:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert localsteer("models", "list").status == 0
    assert "Traceback" not in localsteer("doctor").err
    monkeypatch.delenv("LOCALSTEER_HOME")
    assert "LOCALSTEER_HOME" in one_clear_line(localsteer("paths"))
