"""What a person typed as a recipe: checked, written, read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from localsteer.errors import RecipeError, VectorError
from localsteer.library.combinations import check_free
from localsteer.library.drafts import (
    Draft,
    RowKind,
    lines_of,
    matched,
    read_draft,
    recipe_of,
    save_draft,
    taken_by,
    write_draft,
)
from localsteer.library.files import is_safe_name
from localsteer.library.names import suggested_name
from localsteer.library.pasted_pairs import pairs_in
from localsteer.library.places import Places, packaged_recipes
from localsteer.library.recipes import find_recipe, list_recipes, read_card
from localsteer.library.starting_forms import EVERYDAY, PAIRS, PERSONAS, WORD_FORMS
from localsteer.library.vectors import VectorLibrary

DRAFT = Draft("glad", "sad", (("You are glad.", "You are sad."),), "told", ("How are you?",), (), "affect")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(data=tmp_path, config=tmp_path, logs=tmp_path)


@pytest.mark.parametrize("kind", ["told", "said", "asked", "text"])
def test_a_saved_draft_is_a_recipe_like_any_other_and_reads_back_as_it_was(kind: RowKind, places: Places) -> None:
    messages = DRAFT.messages if kind in ("told", "said") else ()
    draft = replace(DRAFT, kind=kind, messages=messages)
    path = save_draft(draft, "gladness", places)
    recipe = find_recipe("gladness", places)
    assert recipe is not None
    card = read_card(recipe)
    assert (card.error, card.positive_pole, card.negative_pole, card.group) == (None, "glad", "sad", "affect")
    assert read_draft(path) == replace(draft, group="")


def test_a_draft_makes_the_same_vector_before_and_after_it_is_saved(places: Places) -> None:
    before, after = write_draft(DRAFT, "gladness", places), save_draft(DRAFT, "gladness", places)
    assert before.parent != after.parent
    assert before.read_text(encoding="utf-8") == after.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("draft", "complaint"),
    [
        (replace(DRAFT, rows=()), "at least one pair"),
        (replace(DRAFT, rows=(("You are glad.", " "),)), "Pair 1 says nothing on the negative side"),
        (replace(DRAFT, rows=(("Same.", "Same."),)), "are the same"),
        (replace(DRAFT, positive_pole=" "), "The positive pole .* has no name"),
        (replace(DRAFT, negative_pole="Glad"), "two different ends"),
        (replace(DRAFT, messages=()), "no messages"),
    ],
)
def test_what_can_make_no_vector_is_said_in_one_sentence(draft: Draft, complaint: str) -> None:
    with pytest.raises(RecipeError, match=complaint):
        recipe_of(draft, "gladness")


def test_lists_that_are_not_equally_long_are_refused_with_their_lengths() -> None:
    assert matched(lines_of("a\n\n b \n"), ("c", "d")) == (("a", "c"), ("b", "d"))
    with pytest.raises(RecipeError, match="2 statements on the positive side and 1 on the negative one"):
        matched(("a", "b"), ("c",))


def test_nothing_is_written_for_a_bad_draft_or_name(places: Places) -> None:
    with pytest.raises(RecipeError):
        save_draft(replace(DRAFT, rows=()), "gladness", places)
    for name in ("", "../gladness", ".gladness"):
        with pytest.raises(RecipeError, match=r"name|called"):
            save_draft(DRAFT, name, places)
    assert list(places.data.rglob("*.toml")) == []


def test_a_taken_name_is_told_by_what_has_it(places: Places) -> None:
    assert taken_by("mood", "", places) == "a recipe that comes along"
    assert taken_by("gladness", "", places) == ""
    save_draft(DRAFT, "gladness", places)
    assert taken_by("gladness", "", places) == "a recipe of yours"
    # On macOS and Windows it would be the same file.
    assert taken_by("Gladness", "", places) == "a recipe of yours"
    with pytest.raises(VectorError, match="is the name of a recipe"):
        check_free("MOOD", VectorLibrary.at(places), "", places)


def test_a_recipe_of_ones_own_hides_the_packaged_one_also_in_capitals(places: Places) -> None:
    save_draft(DRAFT, "Mood", places)
    assert [recipe.origin for recipe in list_recipes(places) if recipe.name.casefold() == "mood"] == ["own"]
    found = find_recipe("mood", places)
    assert found is not None
    assert (found.name, found.origin) == ("Mood", "own")


def test_a_packaged_recipe_of_personas_becomes_rows_and_one_of_another_kind_says_what_takes_it(tmp_path: Path) -> None:
    draft = read_draft(packaged_recipes() / "mood.toml")
    assert (draft.kind, len(draft.rows), len(draft.messages), len(draft.beginnings)) == ("told", 5, 12, 2)
    mixed = tmp_path / "pairs.json"
    mixed.write_text('[{"positive": "Good.", "negative": "Bad."}]', encoding="utf-8")
    assert read_draft(mixed).rows == (("Good.", "Bad."),)
    questions = tmp_path / "questions.toml"
    questions.write_text(
        'description = "q"\npoles = { positive = "yes", negative = "no" }\n'
        '[[questions]]\nask = [{ question = "Is it?", positive = "Yes.", negative = "No." }]\n',
        encoding="utf-8",
    )
    with pytest.raises(RecipeError, match="localsteer extract"):
        read_draft(questions)


def test_every_form_that_is_offered_makes_a_recipe() -> None:
    for form in WORD_FORMS:
        rows = matched(form.filled("owl"), form.filled("mouse"))
        assert all("{" not in one + other for one, other in rows)
        recipe_of(Draft("owl", "mouse", rows, "told", EVERYDAY), "owl")
    for positive, negative, one, other in PERSONAS:
        recipe_of(Draft(positive, negative, ((one, other),), "told", EVERYDAY), positive)
    for kind, positive, negative, rows in PAIRS:
        recipe_of(Draft(positive, negative, rows, kind, EVERYDAY), positive)


def test_pasted_columns_are_rows_and_pasted_lines_are_taken_by_twos() -> None:
    assert pairs_in("good\tbad\nwarm\tcold\n") == (("good", "bad"), ("warm", "cold"))
    assert pairs_in("good | bad\n") == (("good", "bad"),)
    assert pairs_in("good\nbad\n\nwarm\n") == (("good", "bad"), ("warm", ""))


@given(st.text())
def test_whatever_is_pasted_is_taken_apart_without_an_error(text: str) -> None:
    for row in pairs_in(text):
        assert any(row)


@given(st.text())
@example("NUL")
def test_a_suggested_name_can_always_be_a_files(text: str) -> None:
    name = suggested_name(text)
    assert not name or is_safe_name(name)
