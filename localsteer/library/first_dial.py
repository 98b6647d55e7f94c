"""The dial that stands ready when the practice model is opened for the first time."""

from __future__ import annotations

from contextlib import suppress

from localsteer.errors import LocalsteerError
from localsteer.library.files import copy_whole
from localsteer.library.places import Places, practice_vectors
from localsteer.library.recipes import find_recipe, read_card
from localsteer.library.vector_cards import VectorCard, read_vector_card
from localsteer.library.vectors import VectorLibrary

FIRST_DIAL = "mood"


def lend_first_dial(places: Places, model_id: str) -> VectorCard | None:
    """The stored vector of :data:`FIRST_DIAL`, put among the person's own where there is none yet.

    None for another model than the one in the box, and where the recipe is another one than it was made from.
    """
    library = VectorLibrary.at(places)
    if library.find(FIRST_DIAL, model_id) is None:
        packed = read_vector_card(practice_vectors() / f"{FIRST_DIAL}.gguf")
        recipe = find_recipe(FIRST_DIAL, places)
        if packed.error or packed.model_id != model_id or recipe is None:
            return None
        if packed.recipe_digest != read_card(recipe).digest:
            return None
        with suppress(LocalsteerError):
            copy_whole(packed.path, library.path_for(FIRST_DIAL, model_id))
    return library.find(FIRST_DIAL, model_id)
