"""A loaded engine, and strong random vectors for its model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import DialSetting, Extract, Load, ModelCard
from localsteer.library.places import practice_model
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector

RECIPES = Path(__file__).parents[2] / "vectors"


@pytest.fixture(scope="module")
def engine(random_bpe_model: Path) -> Iterator[Engine]:
    """One engine for the tests of a module, with the F32 model."""
    with Engine() as engine:
        engine.load(Load(0, str(random_bpe_model), n_threads=1))
        yield engine


@pytest.fixture
def fresh_engine(random_bpe_model: Path) -> Iterator[Engine]:
    """An engine with an empty cache."""
    with Engine() as engine:
        engine.load(Load(0, str(random_bpe_model), n_threads=1))
        yield engine


def stamp(card: ModelCard) -> ModelStamp:
    return ModelStamp(card.name, card.architecture, card.n_layer, card.n_embd, card.vocabulary, card.model_id)


def write_vector(path: Path, model: ModelStamp, *, seed: int = 0, layer: int = 2, size: float = 6.0) -> Path:
    """A random direction, long enough to change what a random model says."""
    direction = np.random.default_rng(seed).standard_normal(model.n_embd)
    direction *= size / np.linalg.norm(direction)
    save_vector(SteeringVector(path.stem, "up", "down", {layer: direction.astype(np.float32)}, model), path)
    return path


@pytest.fixture(scope="module")
def vectors(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[DialSetting, DialSetting]:
    """Two dials at strength 1."""
    assert engine.card is not None
    folder = tmp_path_factory.mktemp("vectors")
    paths = [
        write_vector(folder / f"{name}.gguf", stamp(engine.card), seed=n) for n, name in enumerate(("mood", "sea"))
    ]
    return DialSetting("mood", str(paths[0]), 1.0), DialSetting("sea", str(paths[1]), 1.0)


@pytest.fixture(scope="module")
def practice() -> Iterator[Engine]:
    """An engine with the practice model."""
    with Engine() as engine:
        engine.load(Load(0, str(practice_model()), n_threads=1))
        yield engine


@pytest.fixture(scope="module")
def mood(practice: Engine, tmp_path_factory: pytest.TempPathFactory) -> DialSetting:
    """Its mood, made from our recipe, as a dial at strength 1."""
    path = tmp_path_factory.mktemp("vectors") / "mood.gguf"
    list(practice.extract(Extract(1, str(RECIPES / "mood.toml"), str(path), calibrate=False)))
    return DialSetting("mood", str(path), 1.0)
