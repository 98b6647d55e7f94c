"""Vectors are made once per model and kept; a changed recipe is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.errors import DialError, RecipeError, VectorError
from localsteer.library.dials import find_vector
from localsteer.library.places import Places
from localsteer.library.recipes import read_card, recipe_cards, require_recipe
from localsteer.library.vector_cards import read_vector_card
from localsteer.library.vectors import VectorLibrary
from tests.library.conftest import write_vector

RECIPE = """
description = "How cheerful the answers are."
poles = { positive = "happy", negative = "sad" }

[[texts]]
positive = ["I am happy."]
negative = ["I am sad."]
"""


@pytest.fixture
def library(places: Places) -> VectorLibrary:
    return VectorLibrary.at(places)


def write_recipe(places: Places, name: str, text: str = RECIPE) -> Path:
    places.recipes.mkdir(parents=True, exist_ok=True)
    path = places.recipes / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_card_says_what_the_file_says(tmp_path: Path) -> None:
    card = read_vector_card(write_vector(tmp_path / "mood.gguf", digest="d1"))
    assert card.error is None
    assert (card.name, card.positive_pole, card.negative_pole, card.method) == (
        "mood",
        "happy",
        "sad",
        "mean-difference",
    )
    assert (card.model_name, card.model_id, card.architecture) == ("Small", "m1", "llama")
    assert (card.n_layer, card.n_embd, card.layers, card.default_layers) == (6, 8, (2, 3), (3,))
    assert (card.strength_low, card.strength_high) == (-1.5, 1.25)
    assert (card.residual_norms, card.aucs) == ((4.5, 5.5), (0.75, None))


def test_a_damaged_file_has_a_card_that_says_so(tmp_path: Path, random_bpe_model: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    assert read_vector_card(tmp_path / "broken.gguf").error is not None
    assert "no vector" in (read_vector_card(random_bpe_model).error or "")


def test_a_vector_belongs_to_one_model(library: VectorLibrary) -> None:
    write_vector(library.path_for("mood", "m1"))
    assert library.find("mood", "m1") is not None
    assert library.find("mood", "m2") is None
    assert library.find("../m1/mood", "m1") is None
    with pytest.raises(VectorError, match="cannot be called"):
        library.path_for("../mood", "m1")


def test_an_imported_vector_of_another_tool_serves_any_model(library: VectorLibrary, tmp_path: Path) -> None:
    theirs = write_vector(tmp_path / "theirs.gguf", model_id="")
    card = library.add(theirs, layer_offset=-1)
    assert card.layers == (1, 2)
    assert library.find("theirs", "m1") == library.find("theirs", "m2") == card
    with pytest.raises(VectorError):
        library.add(theirs, layer_offset=-2)
    assert library.require("theirs") == card


def test_a_name_that_is_stored_for_two_models_must_be_told_apart(library: VectorLibrary) -> None:
    for model in ("m1", "m2"):
        write_vector(library.path_for("mood", model), model_id=model, model_name=f"Model {model}")
    with pytest.raises(VectorError, match="Model m1, Model m2"):
        library.require("mood")
    assert library.require("mood", "m2").model_id == "m2"
    with pytest.raises(VectorError, match="did you mean mood"):
        library.require("mod")


def test_export_and_remove(library: VectorLibrary, tmp_path: Path) -> None:
    card = read_vector_card(write_vector(library.path_for("mood", "m1")))
    library.export(card, tmp_path / "out.gguf")
    assert (tmp_path / "out.gguf").read_bytes() == card.path.read_bytes()
    library.remove(card)
    assert library.all() == ()


def test_a_dial_is_a_path_a_stored_vector_or_a_recipe(places: Places, library: VectorLibrary, tmp_path: Path) -> None:
    path = write_vector(tmp_path / "own.gguf")
    assert find_vector(str(path), "m1", places).path == path
    write_recipe(places, "glad")
    to_make = find_vector("glad", "m1", places)
    assert to_make.make_from is not None
    assert not to_make.changed
    digest = read_card(require_recipe("glad", places)).digest
    write_vector(to_make.path, digest=digest)
    assert find_vector("glad", "m1", places).make_from is None
    write_recipe(places, "glad", RECIPE.replace("I am happy.", "I am very happy."))
    changed = find_vector("glad", "m1", places)
    assert changed.make_from is not None
    assert changed.changed
    with pytest.raises(DialError, match="did you mean glad"):
        find_vector("glat", "m1", places)
    with pytest.raises(VectorError, match="no vector file"):
        find_vector("missing.gguf", "m1", places)


def test_a_broken_recipe_is_told_but_an_earlier_vector_still_serves(places: Places, library: VectorLibrary) -> None:
    write_recipe(places, "glad", "poles = {}\ndescription = \n")
    card = next(card for card in recipe_cards(places) if card.name == "glad")
    assert "line 2" in (card.error or "")
    with pytest.raises(RecipeError, match="line 2"):
        find_vector("glad", "m1", places)
    write_vector(library.path_for("glad", "m1"), digest="older")
    assert find_vector("glad", "m1", places).make_from is None


def test_a_damaged_stored_vector_is_made_again(places: Places, library: VectorLibrary) -> None:
    write_recipe(places, "glad")
    library.path_for("glad", "m1").write_bytes(b"GGUF")
    assert find_vector("glad", "m1", places).make_from is not None


def test_ones_own_recipe_hides_the_packaged_one(places: Places) -> None:
    assert require_recipe("mood", places).origin == "packaged"
    write_recipe(places, "mood")
    assert require_recipe("mood", places).origin == "own"
    with pytest.raises(RecipeError, match="did you mean mood"):
        require_recipe("mode", places)
