"""Contrast files: recipes, and what other tools write; told apart by what is in them.

Every file becomes a :class:`~localsteer.steering.recipes.Recipe`, so that from there on all of them go the same way.
"""

from localsteer.steering.contrast_files.options import ContrastOptions
from localsteer.steering.contrast_files.reading import read_contrast_file, read_stems_file

__all__ = ["ContrastOptions", "read_contrast_file", "read_stems_file"]
