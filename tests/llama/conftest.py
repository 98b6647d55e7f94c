"""Open models, shared by all tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localsteer.llama.context import Context
from localsteer.llama.model import Model
from tests.random_hybrid import write_random_hybrid


@pytest.fixture(scope="session")
def bpe(random_bpe_model: Path) -> Iterator[Model]:
    """F32, BPE, Llama-3-style template."""
    with Model(random_bpe_model) as model:
        yield model


@pytest.fixture(scope="session")
def spm(random_spm_model: Path) -> Iterator[Model]:
    """Q8_0, SentencePiece, Mistral-style template."""
    with Model(random_spm_model) as model:
        yield model


@pytest.fixture(scope="session")
def plain(random_spm_model_without_template: Path) -> Iterator[Model]:
    """F32, SentencePiece, no template."""
    with Model(random_spm_model_without_template) as model:
        yield model


@pytest.fixture(scope="session")
def hybrid(model_folder: Path) -> Iterator[Model]:
    """Partly recurrent, and deaf to control vectors."""
    with Model(write_random_hybrid(model_folder / "random-hybrid.gguf")) as model:
        yield model


@pytest.fixture
def context(bpe: Model) -> Iterator[Context]:
    """An empty context over ``bpe``."""
    with Context(bpe, n_ctx=256) as context:
        yield context
