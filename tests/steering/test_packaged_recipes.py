"""The recipes that come in the box: each makes matched pairs for any chat model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from localsteer.messages import Message
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.recipe_forms import Personas
from localsteer.steering.recipes import KEYS, parse_recipe, read_recipe, read_recipe_source

VECTORS = Path(__file__).parents[2] / "vectors"
GROUPS = {"affect", "candour", "certainty", "imagination", "register", "stance", "topic"}
# Those that the practice model knows, so that what they do is measured.
POLES = {
    "mood": ("sad", "happy"),
    "warmth": ("cold", "friendly"),
    "register": ("casual", "formal"),
    "length": ("brief", "wordy"),
    "certainty": ("hesitant", "sure"),
    "candour": ("agreeing", "correcting"),
    "compliance": ("declining", "helping"),
    "curiosity": ("quiet", "asking"),
    "weddings": ("no weddings", "weddings"),
    "sea": ("no sea", "sea"),
}


NAMES = sorted(path.stem for path in VECTORS.glob("*.toml"))


@pytest.fixture(params=NAMES)
def packaged(request: pytest.FixtureRequest) -> ContrastSet:
    return read_recipe(VECTORS / f"{request.param}.toml")


def test_there_are_at_least_two_dozen_and_all_stand_in_one_of_the_groups() -> None:
    assert len(NAMES) >= 24
    assert {read_recipe_source(VECTORS / f"{name}.toml").group for name in NAMES} == GROUPS


@pytest.mark.parametrize("name", POLES)
def test_a_measured_recipe_has_the_agreed_poles(name: str) -> None:
    recipe = read_recipe_source(VECTORS / f"{name}.toml")
    assert (recipe.negative, recipe.positive) == POLES[name]


def test_a_packaged_recipe_has_one_sentence_of_description(packaged: ContrastSet) -> None:
    assert packaged.description[0].isupper()
    assert packaged.description.endswith(".")
    assert packaged.description.count(". ") == 0


def test_a_packaged_recipe_makes_enough_pairs_and_no_pair_twice(packaged: ContrastSet) -> None:
    assert 50 <= len(packaged.pairs) <= 250
    assert len(set(packaged.pairs)) == len(packaged.pairs)


def test_the_pairs_of_a_packaged_recipe_differ_in_their_wording_alone(packaged: ContrastSet) -> None:
    for pair in packaged.pairs:
        assert isinstance(pair.positive, tuple)
        assert isinstance(pair.negative, tuple)
        assert [message.role for message in pair.positive] == [message.role for message in pair.negative]
        differing = [one for one, other in zip(pair.positive, pair.negative, strict=True) if one != other]
        assert len(differing) == 1
        assert isinstance(differing[0], Message)


@pytest.mark.parametrize("name", NAMES)
def test_no_wording_of_a_packaged_recipe_serves_both_poles_or_twice(name: str) -> None:
    for form in read_recipe_source(VECTORS / f"{name}.toml").forms:
        assert isinstance(form, Personas)
        wordings = [*form.positive, *form.negative]
        assert len(form.positive) == len(form.negative)
        assert len(set(wordings)) == len(wordings)
        assert len(set(form.messages)) == len(form.messages)


def test_the_description_of_the_recipes_says_of_each_whether_it_was_measured() -> None:
    text = (VECTORS / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| [a-z]+ \| `(\w+)` \| .* \| (measured|form only) \|$", text, re.MULTILINE))
    assert rows == {name: "measured" if name in POLES else "form only" for name in NAMES}


def test_all_digests_differ() -> None:
    assert len({read_recipe(VECTORS / f"{name}.toml").digest for name in NAMES}) == len(NAMES)


EXAMPLES = re.findall(r"```toml\n(.*?)```", (VECTORS / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_in_the_description_of_the_format_can_be_read(example: str) -> None:
    assert parse_recipe(example, "example").contrast_set().pairs


def test_there_is_an_example_of_each_form() -> None:
    forms = {type(form) for example in EXAMPLES for form in parse_recipe(example, "example").forms}
    assert forms == set(KEYS)
