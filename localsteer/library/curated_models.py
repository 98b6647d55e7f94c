"""A short list of good small Llamas, kept in ``curated_models.toml`` beside this file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from localsteer.library.hub_names import HubName, read_hub_name


@dataclass(frozen=True, slots=True)
class CuratedModel:
    """A model to begin with. ``size_mb``: of its file, in millions of bytes, rounded; ``weights``: how many."""

    name: str
    repo: str
    file: str
    size_mb: int
    weights: str
    licence: str
    about: str

    @property
    def hub_name(self) -> HubName:
        """Where it is."""
        return HubName(self.repo, self.file)


def curated_models() -> tuple[CuratedModel, ...]:
    """The list, from small to large."""
    content = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return tuple(CuratedModel(**entry) for entry in tomllib.loads(content)["model"])


def read_wanted(text: str) -> HubName:
    """What a person who wants ``text`` means: a name of the list, or one on the hub. Raises DownloadError."""
    for model in curated_models():
        if text.strip().lower() == model.name:
            return model.hub_name
    return read_hub_name(text)
