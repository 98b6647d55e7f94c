"""The contrasts that a command names, with what it says beside the file."""

from __future__ import annotations

from pathlib import Path

from localsteer.engine.protocol import Extract, Sweep
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.contrast_files import ContrastOptions, read_contrast_file


def read_contrasts(command: Extract | Sweep) -> ContrastSet:
    """The contrast set in the command's file. Raises RecipeError."""
    usual = ContrastOptions()
    options = ContrastOptions(
        positive=command.positive,
        negative=command.negative,
        persona=command.persona or usual.persona,
        stems=command.stems or usual.stems,
    )
    return read_contrast_file(Path(command.recipe_path), options)
