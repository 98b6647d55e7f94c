"""Read a contrast set from a file, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from localsteer.errors import RecipeError
from localsteer.steering.contrast import ContrastPair, ContrastSet
from localsteer.steering.recipes import MAX_PAIRS, read_recipe, read_text


def read_contrast_file(path: Path) -> ContrastSet:
    """The contrast set in ``path``: a recipe (``.toml``) or plain pairs (``.json``). Raises :class:`RecipeError`."""
    reader = READERS.get(path.suffix.lower())
    if reader is None and path.exists():
        raise RecipeError(f"{path} is none of the contrast files that can be read ({', '.join(READERS)}).")
    return (reader or read_recipe)(path)


def read_plain_pairs(path: Path) -> ContrastSet:
    """Plain-text pairs, read without a chat template at their last token.

    JSON: a list of ``{"positive": "…", "negative": "…"}`` or of ``["…", "…"]``, the positive one first.
    """
    try:
        written = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise RecipeError(f"{path} has a syntax error: {error}.") from None
    if not isinstance(written, list) or len(written) > MAX_PAIRS:
        raise RecipeError(
            f'{path} is no list of at most {MAX_PAIRS:,} pairs like {{"positive": "…", "negative": "…"}}.'
        )
    pairs = tuple(_pair(entry, f"Entry {number} of {path}") for number, entry in enumerate(written, start=1))
    return ContrastSet(path.stem, f"Pairs of {path.name}.", "positive", "negative", pairs)


def _pair(entry: object, where: str) -> ContrastPair:
    match entry:
        case {"positive": str(positive), "negative": str(negative)} | [str(positive), str(negative)]:
            return ContrastPair(positive, negative)
        case _:
            raise RecipeError(f'{where} is no pair; write {{"positive": "…", "negative": "…"}} with a text for each.')


READERS: Mapping[str, Callable[[Path], ContrastSet]] = {
    ".toml": read_recipe,
    ".json": read_plain_pairs,
}
