"""Lint, formatting, strict types, import contracts: part of the ordinary test line."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import localsteer

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> None:
    """Run a Python module or program text from the top of the repository; what it says is the failure's message."""
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_ruff_finds_nothing() -> None:
    run("-m", "ruff", "check")


def test_every_file_is_formatted() -> None:
    run("-m", "ruff", "format", "--check")


def test_types_are_strict() -> None:
    run("-m", "mypy")


def test_import_contracts_are_kept() -> None:
    run("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("localsteer", {"numpy", "llama_cpp", "textual", "click", "localsteer.engine"}),
        ("localsteer.notebook", {"numpy", "llama_cpp", "textual"}),
        ("localsteer.engine.client", {"numpy", "llama_cpp", "textual"}),
        ("localsteer.library.dials", {"numpy", "llama_cpp", "textual"}),
        ("localsteer.chat.store", {"numpy", "llama_cpp", "textual"}),
        ("localsteer.library.portraits", {"numpy", "gguf", "matplotlib", "plotext", "textual"}),
        ("localsteer.plots.card", {"numpy", "matplotlib", "plotext", "textual"}),
        ("localsteer.plots.terminal", {"numpy", "matplotlib", "plotext", "textual"}),
        ("localsteer.tui.app", {"numpy", "llama_cpp", "matplotlib", "plotext", "textual_plotext"}),
        ("localsteer.cli", {"numpy", "llama_cpp", "textual", "matplotlib", "plotext"}),
    ],
)
def test_importing_a_room_does_not_drag_heavy_things_in(module: str, unwanted: set[str]) -> None:
    run("-c", f"import sys, {module}; found = {unwanted!r} & set(sys.modules); assert not found, found")


def test_the_librarys_names_are_offered_lazily() -> None:
    assert set(dir(localsteer)) >= {"Engine", "SteeringVector", "ContrastSet", "Message", "LocalsteerError"}
    for name in dir(localsteer):
        assert getattr(localsteer, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = localsteer.nonsense


def test_ci_runs_exactly_the_readmes_test_line() -> None:
    line = 'python3 -m venv .venv && .venv/bin/pip install -e ".[dev]" && .venv/bin/pytest'
    assert line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == line


def test_the_wheel_carries_recipes_and_types() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert wheel["force-include"] == {"vectors": "localsteer/_recipes"}
    assert (ROOT / "localsteer" / "py.typed").is_file()
