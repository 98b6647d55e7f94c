"""Read a contrast set from a file, whoever wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Never

from localsteer.errors import RecipeError
from localsteer.file_kinds import JSON, LOOKED_AT, RECIPE, kind_of, kind_of_file
from localsteer.file_reading import is_file
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.contrast_files import json_forms
from localsteer.steering.contrast_files.options import ContrastOptions
from localsteer.steering.contrast_files.texts import explicit_pairs, statements
from localsteer.steering.recipe_forms import Form
from localsteer.steering.recipes import Recipe, read_recipe, read_text

ENDINGS = (".toml", ".json", ".txt")
_POSITIVE, _NEGATIVE = "positive", "negative"


def read_contrast_file(path: Path, options: ContrastOptions | None = None) -> ContrastSet:
    """The contrast set in ``path``: a recipe (``.toml``), or another tool's file (``.json``, ``.txt``).

    Raises :class:`RecipeError` for what is none, or needs an option that was not given.
    """
    chosen = options or ContrastOptions()
    ending = path.suffix.lower()
    if ending not in (".json", ".txt"):
        return read_recipe(path) if ending in ENDINGS or not is_file(path) else _refuse(path)
    text = read_text(path)
    forms, positive, negative = _from_json(path, text, chosen) if ending == ".json" else _from_text(path, text, chosen)
    recipe = Recipe(
        name=path.stem,
        description=f"Made from {path.name}.",
        positive=chosen.positive or positive,
        negative=chosen.negative or negative,
        forms=forms,
    )
    return recipe.contrast_set()


def read_stems_file(path: Path) -> tuple[str, ...]:
    """Beginnings of system prompts for :class:`ContrastOptions`. Raises :class:`RecipeError`."""
    return json_forms.read_stems(_parsed(path, read_text(path)), str(path))


def _refuse(path: Path) -> Never:
    """Raise RecipeError for a file of another ending, by what is in it."""
    kind = kind_of_file(path)
    if kind in (JSON, RECIPE):
        ending = ".json" if kind is JSON else ".toml"
        raise RecipeError(f"{path} looks like {kind.name}; give its name the ending {ending} to have it read.")
    read_text(path)
    raise RecipeError(f"{path} is none of the contrast files ({', '.join(ENDINGS)}).")


def _parsed(path: Path, text: str) -> object:
    if kind_of(text.encode()[:LOOKED_AT]) is RECIPE:
        raise RecipeError(f"{path} is a recipe (TOML) by what is in it, not JSON; give its name the ending .toml.")
    try:
        written: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        if str(error).startswith("Extra data: line 2 "):
            raise RecipeError(
                f"{path} holds a JSON document on each line (JSON Lines); write one list of them."
            ) from None
        raise RecipeError(f"{path} has a syntax error: {error}.") from None
    return written


def _from_json(path: Path, text: str, options: ContrastOptions) -> tuple[tuple[Form, ...], str, str]:
    found = json_forms.read(_parsed(path, text), str(path), options)
    return found.forms, found.positive, found.negative


def _from_text(path: Path, text: str, options: ContrastOptions) -> tuple[tuple[Form, ...], str, str]:
    """Lines with ``\\n`` for line breaks: prompts of one pole with those of the other in a file beside it, or mere
    texts.
    """
    lines = _lines(text)
    if not lines:
        raise RecipeError(f"{path} is empty; write one prompt on each line.")
    other = _other_file(path)
    if other is None:
        return statements(lines, f"{path} is a plain text of {len(lines)} lines", options), "positive", "negative"
    second = _lines(read_text(other))
    if len(lines) != len(second):
        raise RecipeError(
            f"{path} has {len(lines)} lines and {other.name} {len(second)}; they are matched one by one, so write "
            "equally many."
        )
    if _NEGATIVE in path.stem.lower():
        lines, second = second, lines
    return explicit_pairs(list(zip(lines, second, strict=True))), "positive", "negative"


def _other_file(path: Path) -> Path | None:
    """The file of the opposite pole: ``negative.txt`` beside ``positive.txt``; None for a file of neither name."""
    for here, there in ((_POSITIVE, _NEGATIVE), (_NEGATIVE, _POSITIVE)):
        if here in path.stem.lower():
            other = path.with_name(path.name.lower().replace(here, there))
            if not is_file(other):
                raise RecipeError(
                    f"{path} holds the prompts of one pole, but there is no {other.name} beside it with the other's."
                )
            return other
    return None


def _lines(text: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in text.splitlines() if line.strip()]
