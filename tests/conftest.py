"""Models with random weights that every room's tests can share; written once per test run."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localsteer.engine import client
from localsteer.library import model_places
from tests.random_models import MISTRAL_TEMPLATE, write_random_llama
from tests.warm_engines import CAN_ADOPT, WarmEngine


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests of the app and of child processes wait much of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    """The hundreds of processes that the tests start, workers among them, compile the package once, not each anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no worker is left alone with one of them at the end."""
    long = {"tui", "hardening", "practice"}
    items.sort(key=lambda item: (item.path.name != "test_house_rules.py", item.path.parent.name not in long))


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look through it again and again, a fifth of the time of
    the app's tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture(autouse=True)
def _no_models_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The one place of models that lies in nobody's home is empty."""
    monkeypatch.setattr(model_places, "OLLAMA_SERVICE", tmp_path / "no service")


@pytest.fixture
def as_the_app_collects() -> Iterator[None]:
    """The garbage collector looks as often as it does in the app; for tests it does a twentieth as often."""
    from localsteer.tui.app import collect_what_is_new

    before = gc.get_threshold()
    gc.collect()
    collect_what_is_new()
    yield
    gc.set_threshold(*before)


@pytest.fixture(scope="session")
def warm_engine() -> Iterator[WarmEngine | None]:
    """The process whose copies are the engines of tests that start many; None where it cannot be had."""
    if not CAN_ADOPT:
        yield None
        return
    warm = WarmEngine()
    yield warm
    warm.close()


@pytest.fixture
def warm_engines(warm_engine: WarmEngine | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that are started begin with everything imported."""
    if warm_engine is not None:
        monkeypatch.setattr(client, "_spawn", warm_engine.spawn)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all models of this test run."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def random_bpe_model(model_folder: Path) -> Path:
    """F32, BPE vocabulary, Llama-3-style special tokens and chat template, 4 layers, width 64, context 512."""
    return write_random_llama(model_folder / "random-bpe-f32.gguf", vocabulary="bpe")


@pytest.fixture(scope="session")
def random_spm_model(model_folder: Path) -> Path:
    """Q8_0, SentencePiece-type vocabulary, Mistral-style chat template (no header, no system role)."""
    return write_random_llama(
        model_folder / "random-spm-q8_0.gguf", vocabulary="spm", template=MISTRAL_TEMPLATE, seed=1, ftype="Q8_0"
    )


@pytest.fixture(scope="session")
def random_bpe_model_without_template(model_folder: Path) -> Path:
    """F16, BPE vocabulary, no chat template."""
    return write_random_llama(
        model_folder / "random-bpe-plain.gguf", vocabulary="bpe", template=None, seed=2, ftype="F16"
    )


@pytest.fixture(scope="session")
def random_spm_model_without_template(model_folder: Path) -> Path:
    """F32, SentencePiece-type vocabulary, no chat template."""
    return write_random_llama(model_folder / "random-spm-plain.gguf", vocabulary="spm", template=None, seed=3)
