"""Every recipe that comes along makes a vector on a real model, though the practice model knows little of most."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import Extract, Extracted
from localsteer.messages import Message
from localsteer.steering.recipe_forms import ExplicitPair
from localsteer.steering.recipe_writer import write_recipe
from localsteer.steering.recipes import Recipe, read_recipe
from tests.engine.conftest import RECIPES

_PAIRS = 6


def thinned(path: Path, folder: Path) -> Path:
    """The same recipe with a few of its pairs, from all over it: the whole would take a second each."""
    contrast = read_recipe(path)
    few = contrast.pairs[:: len(contrast.pairs) // _PAIRS]
    forms = [ExplicitPair(_chat(pair.positive), _chat(pair.negative), pair.position) for pair in few]
    recipe = Recipe(contrast.name, contrast.description, contrast.positive, contrast.negative, tuple(forms))
    write_recipe(recipe, folder / path.name)
    return folder / path.name


def _chat(prompt: tuple[Message, ...] | str) -> tuple[Message, ...]:
    assert isinstance(prompt, tuple)
    return prompt


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_packaged_recipe_makes_a_vector_for_every_layer(practice: Engine, path: Path, tmp_path: Path) -> None:
    (tmp_path / "thinned").mkdir()
    recipe = thinned(path, tmp_path / "thinned")
    *_, made = practice.extract(Extract(1, str(recipe), str(tmp_path / "out.gguf"), calibrate=False))
    assert isinstance(made, Extracted)
    assert made.prompts >= 2 * _PAIRS
    assert all(layer.norm > 0 for layer in made.layers)
