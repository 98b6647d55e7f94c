"""The recipes on this disk: those that come along in ``vectors/`` and the person's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from localsteer.errors import RecipeError
from localsteer.file_reading import is_folder, matching
from localsteer.library.names import did_you_mean, folded
from localsteer.library.places import Places, packaged_recipes
from localsteer.steering.contrast import name_of_words, split_words
from localsteer.steering.contrast_files import ContrastOptions, read_contrast_file, read_stems_file
from localsteer.steering.recipes import read_recipe_source

__all__ = [
    "ContrastOptions",
    "RecipeCard",
    "RecipeFile",
    "check_contrast_file",
    "contrast_digest",
    "find_recipe",
    "list_recipes",
    "name_of_words",
    "read_card",
    "read_stems",
    "recipe_cards",
    "recipe_like",
    "require_recipe",
    "split_words",
]

Origin: TypeAlias = Literal["packaged", "own"]


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe by name; the file has not been read."""

    name: str
    path: Path
    origin: Origin


@dataclass(frozen=True, slots=True)
class RecipeCard:
    """What a recipe says of itself. ``error`` says what is wrong with it; the other fields are empty then.

    ``group``: the heading that it stands under, empty for none. ``digest`` changes with everything that shapes the
    vector: :attr:`localsteer.steering.contrast.ContrastSet.digest`.
    """

    name: str
    path: Path
    origin: Origin
    description: str = ""
    positive_pole: str = ""
    negative_pole: str = ""
    n_pairs: int = 0
    digest: str = ""
    group: str = ""
    error: str | None = None


def list_recipes(places: Places) -> tuple[RecipeFile, ...]:
    """All recipes by name; a recipe of one's own hides the packaged one of the same name, be it in capitals: on some
    systems their vectors would be one file.
    """
    own = {recipe.name: recipe for recipe in _recipes_in(places.recipes, "own")}
    hidden = set(map(folded, own))
    packaged = _recipes_in(packaged_recipes(), "packaged")
    found = {recipe.name: recipe for recipe in packaged if folded(recipe.name) not in hidden} | own
    return tuple(found[name] for name in sorted(found))


def find_recipe(name: str, places: Places) -> RecipeFile | None:
    """The recipe of that name, be it in capitals where there is none otherwise; or None."""
    return next((recipe for recipe in list_recipes(places) if recipe.name == name), recipe_like(name, places))


def recipe_like(name: str, places: Places) -> RecipeFile | None:
    """The recipe that takes this name away from a new one: of that name, be it in capitals. None where it is free."""
    return next((recipe for recipe in list_recipes(places) if folded(recipe.name) == folded(name)), None)


def require_recipe(name: str, places: Places) -> RecipeFile:
    """The recipe of that name. Raises RecipeError that names those that are alike."""
    recipe = find_recipe(name, places)
    if recipe is None:
        names = [known.name for known in list_recipes(places)]
        raise RecipeError(f'There is no recipe named "{name}"{did_you_mean(name, names)}')
    return recipe


def read_card(recipe: RecipeFile) -> RecipeCard:
    """Read the recipe; never raises, a broken one says so in ``error``."""
    try:
        written = read_recipe_source(recipe.path)
        contrast = written.contrast_set()
    except RecipeError as error:
        return RecipeCard(recipe.name, recipe.path, recipe.origin, error=str(error))
    return RecipeCard(
        name=recipe.name,
        path=recipe.path,
        origin=recipe.origin,
        description=contrast.description,
        positive_pole=contrast.positive,
        negative_pole=contrast.negative,
        n_pairs=len(contrast.pairs),
        digest=contrast.digest,
        group=written.group,
    )


def check_contrast_file(path: Path, options: ContrastOptions | None = None) -> None:
    """Raise RecipeError for a recipe or contrast file that no vector can be made from."""
    read_contrast_file(path, options)


def contrast_digest(path: Path, options: ContrastOptions | None = None) -> str:
    """What a vector made from that file carries, see :attr:`RecipeCard.digest`. Raises RecipeError."""
    return read_contrast_file(path, options).digest


def read_stems(path: Path) -> tuple[str, ...]:
    """Beginnings of system prompts, from a file of jukofyork's control-vectors. Raises RecipeError."""
    return read_stems_file(path)


def recipe_cards(places: Places) -> tuple[RecipeCard, ...]:
    """All recipes, read (a few milliseconds each)."""
    return tuple(read_card(recipe) for recipe in list_recipes(places))


def _recipes_in(folder: Path, origin: Origin) -> Iterator[RecipeFile]:
    if is_folder(folder):
        for path in matching(folder, "*.toml"):
            yield RecipeFile(name=path.stem, path=path, origin=origin)
