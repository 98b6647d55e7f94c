"""Vectors that are put together from others: where they stand, and whether their parts are still the same.

An expression that nobody named stands below its model's vectors, in a folder of its own that no list shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from localsteer.errors import StorageError, VectorError
from localsteer.file_reading import is_there
from localsteer.library.files import file_digest, private_folder
from localsteer.library.places import Places
from localsteer.library.recipes import recipe_like
from localsteer.library.vector_cards import VectorCard, read_vector_card
from localsteer.library.vectors import ANY_MODEL, VectorLibrary
from localsteer.steering.expressions import Expression

if TYPE_CHECKING:
    from localsteer.library.dials import VectorToUse

_FOLDER = "expressions"


def expression_path(expression: Expression, model_id: str, places: Places) -> Path:
    """Where the vector of an unnamed expression stands. Makes the folder. Raises StorageError."""
    folder = private_folder(places.vectors / (model_id or ANY_MODEL) / _FOLDER)
    return folder / f"{hashlib.sha256(str(expression).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}.gguf"


def is_combined_from(card: VectorCard, expression: Expression, parts: Sequence[Path]) -> bool:
    """Whether the file is ``expression`` put together from the vector files ``parts`` as they are now."""
    if card.error or card.expression != str(expression):
        return False
    try:
        return card.parts == tuple(map(file_digest, parts))
    except StorageError:
        return False


def saved_expression(name: str, library: VectorLibrary) -> str:
    """What was saved under ``name`` for any model; empty where nothing was."""
    return next((card.expression for card in library.all() if card.name == name and card.expression), "")


def put_together(vector: VectorToUse) -> None:
    """Write the file of a vector that has ``combine``, those of its parts before it; all others stand ready.

    Raises VectorError for a part that is damaged or of another size, DialError for what comes to nothing, StorageError.
    """
    if vector.combine is None:
        return
    from localsteer.steering.combining import combine
    from localsteer.steering.vector_file import Composition, load_vector, save_vector

    expression, parts = vector.combine.expression, vector.combine.parts
    for part in parts:
        put_together(part)
    vectors = {name: load_vector(part.path) for name, part in zip(expression.names, parts, strict=True)}
    made_of = Composition(str(expression), tuple(file_digest(part.path) for part in parts))
    save_vector(combine(expression, vectors).renamed(vector.name), vector.path, made_of)


def check_free(name: str, library: VectorLibrary, model_id: str, places: Places) -> Path:
    """Where a combination called ``name`` is to be written. Raises VectorError where the name is taken or is none."""
    path = library.path_for(name, model_id)
    if recipe_like(name, places) is not None:
        raise VectorError(f'"{name}" is the name of a recipe; choose another name.')
    if is_there(path) and not read_vector_card(path).expression:
        raise VectorError(f'There is a vector named "{name}" already; choose another name, or remove it.')
    return path
