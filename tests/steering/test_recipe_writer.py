"""A written recipe reads back as the same recipe, whatever its texts hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.recipe_forms import ExplicitPair, Form, Personas, Question, Questions, Texts
from localsteer.steering.recipe_writer import format_recipe, write_recipe
from localsteer.steering.recipes import Recipe, parse_recipe, read_recipe, read_recipe_source

texts = st.text(max_size=12)
lists = st.lists(texts, max_size=3).map(tuple)
messages = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts), max_size=3).map(tuple)
positions = st.sampled_from(["last", "letter", "reply"])
one_kind_each: st.SearchStrategy[tuple[Form, ...]] = st.tuples(
    st.builds(Personas, lists, lists, lists, lists, texts, texts, texts, positions),
    st.builds(ExplicitPair, messages, messages, positions),
    st.builds(
        Questions, st.lists(st.builds(Question, texts, texts, texts), max_size=3).map(tuple), texts, texts, texts
    ),
    st.builds(Texts, lists, lists, lists, st.sampled_from(["last", "letter"])),
)


@settings(max_examples=40)
@given(texts, texts, texts, one_kind_each, texts)
def test_every_recipe_survives_writing_and_reading(
    description: str, positive: str, negative: str, forms: tuple[Form, ...], group: str
) -> None:
    recipe = Recipe("mood", description, positive, negative, forms, group)
    assert parse_recipe(format_recipe(recipe), "mood") == recipe


def test_a_recipe_is_written_so_that_its_file_makes_the_same_contrast_set(tmp_path: Path) -> None:
    recipe = Recipe("mood", "Sad to happy.", "happy", "sad", (Personas(("Be happy.",), ("Be sad.",), ("Hi", "Bye")),))
    write_recipe(recipe, tmp_path / "new" / "mood.toml")
    assert read_recipe_source(tmp_path / "new" / "mood.toml") == recipe
    assert read_recipe(tmp_path / "new" / "mood.toml") == recipe.contrast_set()


def test_a_recipe_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "mood.toml"
    for broken in (
        Recipe("mood", "Sad to happy.", "happy", "happy", (Texts(("a",), ("b",)),)),
        Recipe("mood", "Half a character: \ud800", "happy", "sad", (Texts(("a",), ("b",)),)),
    ):
        with pytest.raises(RecipeError):
            write_recipe(broken, path)
    assert not list(tmp_path.iterdir())
