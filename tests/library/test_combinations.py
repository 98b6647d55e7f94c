"""Expressions become vector files, put together again when a part has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.errors import DialError, ExpressionError, VectorError
from localsteer.library.combinations import put_together
from localsteer.library.dials import VectorToUse, combination_to_save, find_vector, is_expression, split_strength
from localsteer.library.places import Places
from localsteer.library.recipes import read_card, require_recipe
from localsteer.library.vector_cards import VectorCard, read_vector_card
from localsteer.library.vectors import VectorLibrary
from localsteer.steering.vector_file import load_vector
from tests.library.conftest import write_vector
from tests.library.test_vectors import write_recipe


@pytest.fixture
def library(places: Places) -> VectorLibrary:
    """With vectors called ``up`` and ``down`` for the model m1."""
    library = VectorLibrary.at(places)
    for name in ("up", "down"):
        write_vector(library.path_for(name, "m1"))
    return library


def had(vector: VectorToUse) -> VectorCard:
    assert vector.to_extract == ()
    put_together(vector)
    return read_vector_card(vector.path)


@pytest.mark.usefixtures("library")
class TestUnnamed:
    def test_an_expression_has_a_file_of_its_own_that_no_list_shows(
        self, places: Places, library: VectorLibrary
    ) -> None:
        card = had(find_vector("2*up + down @scope everything", "m1", places))
        assert (card.expression, card.scope, card.error) == ("2*up + down @scope everything", "everything", None)
        assert load_vector(card.path).directions[3].tolist() == [6.0] * 8
        assert {card.name for card in library.all()} == {"up", "down"}

    def test_it_is_put_together_once_however_it_is_spelt(self, places: Places) -> None:
        first = find_vector("2*up + down", "m1", places)
        assert first.combine is not None
        put_together(first)
        again = find_vector("  (up*2)+  down ", "m1", places)
        assert (again.path, again.combine, again.name) == (first.path, None, "2*up + down")

    def test_it_is_put_together_again_when_a_part_has_changed(self, places: Places, library: VectorLibrary) -> None:
        put_together(find_vector("2*up", "m1", places))
        write_vector(library.path_for("up", "m1"), digest="another")
        changed = find_vector("2*up", "m1", places)
        assert changed.changed
        assert had(changed).error is None
        assert find_vector("2*up", "m1", places).combine is None

    def test_recipes_among_its_parts_are_extracted_first_each_once(self, places: Places) -> None:
        write_recipe(places, "glad")
        vector = find_vector("glad - up without 2*glad", "m1", places)
        assert [part.name for part in vector.to_extract] == ["glad"]
        write_vector(vector.to_extract[0].path, digest=read_card(require_recipe("glad", places)).digest)
        assert find_vector("glad - up without 2*glad", "m1", places).to_extract == ()

    def test_a_path_may_be_a_part(self, places: Places, tmp_path: Path) -> None:
        own = write_vector(tmp_path / "my own.gguf")
        card = had(find_vector(f'up + 2*"{own}"', "m1", places))
        assert load_vector(card.path).directions[2].tolist() == [3.0] * 8

    def test_what_is_wrong_names_the_part(self, places: Places) -> None:
        with pytest.raises(DialError, match=r'named "upp" \(in "2\*upp"\): did you mean up'):
            find_vector("2*upp", "m1", places)
        with pytest.raises(VectorError, match=r"no vector file missing\.gguf"):
            find_vector('up + "missing.gguf"', "m1", places)
        with pytest.raises(ExpressionError, match="at the end"):
            find_vector("up +", "m1", places)


class TestSaved:
    def test_a_saved_one_is_listed_and_follows_its_parts(self, places: Places, library: VectorLibrary) -> None:
        put_together(combination_to_save("2*up", "bright", "m1", places))
        assert [(card.name, card.expression) for card in library.all() if card.expression] == [("bright", "2*up")]
        assert find_vector("bright", "m1", places).combine is None
        write_vector(library.path_for("up", "m1"), digest="another")
        assert find_vector("bright", "m1", places).changed

    def test_it_may_be_a_part_itself(self, places: Places, library: VectorLibrary) -> None:
        put_together(combination_to_save("2*up", "bright", "m1", places))
        write_vector(library.path_for("up", "m1"), digest="another")
        vector = find_vector("bright + down", "m1", places)
        assert load_vector(had(vector).path).directions[2].tolist() == [3.0] * 8
        assert find_vector("bright", "m1", places).combine is None

    def test_it_outlives_its_parts(self, places: Places, library: VectorLibrary) -> None:
        path = had(combination_to_save("2*up", "bright", "m1", places)).path
        library.remove(library.require("up"))
        assert find_vector("bright", "m1", places) == VectorToUse("bright", path)

    def test_it_serves_another_model_that_has_its_parts(self, places: Places, library: VectorLibrary) -> None:
        put_together(combination_to_save("2*up", "bright", "m1", places))
        write_vector(library.path_for("up", "m2"), model_id="m2")
        assert had(find_vector("bright", "m2", places)).model_id == "m2"

    def test_without_a_name_it_is_called_after_its_text(self, places: Places, library: VectorLibrary) -> None:
        assert combination_to_save("2*up - down", None, "m1", places).name == "2 up - down"
        with pytest.raises(VectorError, match="cannot be called"):
            combination_to_save("up without down @layers 2", None, "m1", places)

    @pytest.mark.parametrize(
        ("text", "name", "words"),
        [
            ("up", "bright", "is a dial already"),
            ("2*up", "up", "made of itself"),
            ("2*up", "mood", "name of a recipe"),
            ("2*up", "down", "already"),
            ("2*up", "../bright", "cannot be called"),
        ],
    )
    def test_names_are_not_taken_twice(
        self, places: Places, library: VectorLibrary, text: str, name: str, words: str
    ) -> None:
        before = {card.path: card.path.read_bytes() for card in library.all()}
        with pytest.raises((DialError, VectorError), match=words):
            combination_to_save(text, name, "m1", places)
        assert {card.path: card.path.read_bytes() for card in library.all()} == before

    def test_one_that_leads_back_to_itself_serves_as_it_was_made(self, places: Places, library: VectorLibrary) -> None:
        put_together(combination_to_save("2*up", "bright", "m1", places))
        put_together(combination_to_save("bright + down", "brighter", "m1", places))
        put_together(combination_to_save("2*brighter", "other", "m1", places))
        library.remove(library.require("bright"))
        put_together(combination_to_save("2*other", "bright", "m1", places))
        card = had(find_vector("bright", "m1", places))
        assert load_vector(card.path).directions[2].tolist() == [12.0] * 8


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mood=1.5", ("mood", 1.5)),
        ("mood", ("mood", 1.0)),
        ("mood*1.2 - register @layers 7", ("mood*1.2 - register @layers 7", 1.0)),
        ("(mood + register)=-0.8", ("(mood + register)", -0.8)),
        ('2*"a=b"', ('2*"a=b"', 1.0)),
        ('"a=b"=2', ('"a=b"', 2.0)),
    ],
)
def test_a_strength_may_follow_and_is_1_otherwise(text: str, meant: tuple[str, float]) -> None:
    assert split_strength(text) == meant


@pytest.mark.parametrize(
    ("text", "expression"),
    [("mood", False), ('"the sea"', False), ("2*mood", True), ("mood @layers 3", True), ("mood +* sea", True)],
)
def test_an_expression_is_told_from_a_name(text: str, expression: bool) -> None:
    assert is_expression(text) is expression


def test_a_path_is_no_expression_whatever_is_in_it(places: Places, tmp_path: Path) -> None:
    own = write_vector(tmp_path / "my-own.gguf")
    assert find_vector(str(own), "m1", places) == VectorToUse("my-own", own)
