"""From a dial's name to its vector file: a path, a vector made earlier, or a recipe that one is yet to be made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localsteer.errors import DialError, RecipeError, VectorError
from localsteer.library.names import did_you_mean
from localsteer.library.places import Places
from localsteer.library.recipes import RecipeFile, find_recipe, list_recipes, read_card
from localsteer.library.vectors import VectorLibrary


@dataclass(frozen=True, slots=True)
class VectorToUse:
    """``path`` is the vector file; ``make_from`` the recipe to extract it from first, None where it stands ready.

    ``changed``: there is an older vector, but its recipe has changed since.
    """

    name: str
    path: Path
    make_from: RecipeFile | None = None
    changed: bool = False


def looks_like_path(name: str) -> bool:
    """True for what is meant as a vector file rather than as a name."""
    return name.lower().endswith(".gguf") or "/" in name or "\\" in name


def find_vector(name: str, model_id: str, places: Places) -> VectorToUse:
    """What the dial ``name`` means for this model.

    Raises VectorError for a missing or damaged file, RecipeError for a broken recipe, DialError for an unknown name.
    """
    if looks_like_path(name):
        path = Path(name).expanduser()
        if not path.is_file():
            raise VectorError(f"There is no vector file {name}; check the path.")
        return VectorToUse(path.stem, path.absolute())
    library = VectorLibrary.at(places)
    stored = library.find(name, model_id)
    recipe = find_recipe(name, places)
    if recipe is None:
        if stored is None:
            raise DialError(f'There is no dial named "{name}"{_hint(name, model_id, places)}')
        return VectorToUse(name, stored.path)
    card = read_card(recipe)
    if stored is not None and stored.error is None and (card.error or stored.is_made_from(card.digest)):
        return VectorToUse(name, stored.path)
    if card.error:
        raise RecipeError(card.error)
    return VectorToUse(name, library.path_for(name, model_id), make_from=recipe, changed=stored is not None)


def _hint(name: str, model_id: str, places: Places) -> str:
    stored = {card.name for card in VectorLibrary.at(places).all(model_id)}
    return did_you_mean(name, stored | {recipe.name for recipe in list_recipes(places)})
