"""Two-choice questions on disk, as CAA's data lie (arXiv 2312.06681)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from localsteer.errors import RecipeError
from localsteer.file_reading import is_file, is_folder, read_file, typed_path

TRAIN = "generate_dataset.json"
TEST = "test_dataset_ab.json"
PROMPTS = "prompts.json"
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class LetterFiles:
    """``train``: to learn from; ``test``: to try, None for a part of the first. ``prompts``: the system prompts that
    plainly ask for either pole, the positive one first, () for none.
    """

    name: str
    train: Path
    test: Path | None = None
    prompts: tuple[str, ...] = ()


def find_letter_set(path: Path) -> LetterFiles:
    """The questions in a file, or in a folder as CAA's. Raises RecipeError."""
    path = typed_path(path).absolute()
    if not is_folder(path):
        if not is_file(path):
            raise RecipeError(f"There is no file {path}; check the path.")
        return LetterFiles(path.stem, path)
    train, test = path / TRAIN, path / TEST
    if not is_file(train):
        raise RecipeError(f"{path} holds no {TRAIN}; name the file with the questions instead.")
    return LetterFiles(path.name, train, test if is_file(test) else None, _prompts(path / PROMPTS))


def _prompts(path: Path) -> tuple[str, ...]:
    if not is_file(path):
        return ()
    try:
        written = json.loads(read_file(path, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        written = None
    match written:
        case {"positive": str(positive), "negative": str(negative)} if positive.strip() and negative.strip():
            return positive, negative
        case _:
            raise RecipeError(f'{path} does not name two system prompts; write {{"positive": "…", "negative": "…"}}.')
