"""The dial that stands ready when the practice model is opened for the first time."""

from __future__ import annotations

from pathlib import Path

from localsteer.gguf_header import check_chat_model, model_id
from localsteer.library.first_dial import FIRST_DIAL, lend_first_dial
from localsteer.library.places import Places, packaged_recipes, practice_model
from localsteer.library.recipes import find_recipe, read_card


def practice_id() -> str:
    return model_id(practice_model(), check_chat_model(practice_model(), in_memory=False))


def test_the_packed_vector_is_made_from_the_packed_recipe_for_the_packed_model(tmp_path: Path) -> None:
    places = Places(data=tmp_path, config=tmp_path, logs=tmp_path)
    card, recipe = lend_first_dial(places, practice_id()), find_recipe(FIRST_DIAL, places)
    assert card is not None, "make it again: localsteer extract mood -o localsteer/practice/mood.gguf"
    assert recipe is not None
    assert card.recipe_digest == read_card(recipe).digest
    assert card.strength_high is not None
    assert card.path.is_relative_to(places.vectors)


def test_another_model_and_a_recipe_of_ones_own_get_none(tmp_path: Path) -> None:
    places = Places(data=tmp_path, config=tmp_path, logs=tmp_path)
    assert lend_first_dial(places, "another") is None
    places.recipes.mkdir()
    text = (packaged_recipes() / "mood.toml").read_text(encoding="utf-8")
    (places.recipes / "mood.toml").write_text(text.replace("gloomy", "grumpy"), encoding="utf-8")
    assert lend_first_dial(places, practice_id()) is None
