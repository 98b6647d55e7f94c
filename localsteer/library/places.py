"""Where localsteer keeps its files: the system's own places, or one folder named by ``LOCALSTEER_HOME``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from localsteer.errors import StorageError
from localsteer.file_reading import is_folder, typed_path

HOME_VARIABLE = "LOCALSTEER_HOME"


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of this person's own files. Asking for them creates nothing."""

    data: Path
    config: Path
    logs: Path

    @property
    def conversations(self) -> Path:
        """The SQLite database of all conversations."""
        return self.data / "conversations.sqlite3"

    @property
    def vectors(self) -> Path:
        """One folder per model, named by its id, with one GGUF per vector."""
        return self.data / "vectors"

    @property
    def experiments(self) -> Path:
        """What experiments have found, part by part (JSON)."""
        return self.data / "experiments"

    @property
    def sweeps(self) -> Path:
        """What sweeps have found, so that one that was stopped goes on (JSON lines)."""
        return self.data / "sweeps"

    @property
    def recipes(self) -> Path:
        """The person's own recipes; they win over those in the package."""
        return self.data / "recipes"

    @property
    def workshop(self) -> Path:
        """Recipes that were made into a vector in the workshop; those worth keeping are saved among the recipes."""
        return self.data / "workshop"

    @property
    def models(self) -> Path:
        """The person's own GGUF models."""
        return self.data / "models"

    @property
    def model_facts(self) -> Path:
        """What the headers of model files said, so that lists are quick (JSON)."""
        return self.data / "model_facts.json"

    @property
    def settings(self) -> Path:
        """What the person has set by hand (TOML)."""
        return self.config / "settings.toml"

    @property
    def scenes(self) -> Path:
        """Dials, sampling and system prompt under a name (TOML); the person may write in it."""
        return self.config / "scenes.toml"

    @property
    def remembered(self) -> Path:
        """What the app remembers by itself: last model, theme, dials per model (JSON)."""
        return self.data / "remembered.json"

    @property
    def sent_messages(self) -> Path:
        """What was sent, to be fetched back into the input (JSON lines)."""
        return self.data / "sent_messages.jsonl"

    @property
    def engine_log(self) -> Path:
        """llama.cpp's messages and everything else that the engine process says."""
        return self.logs / "engine.log"


def find_places(environment: Mapping[str, str] | None = None) -> Places:
    """The places of this machine. ``LOCALSTEER_HOME`` overrides all of them; StorageError is raised where it names what
    no folder can be called.
    """
    home = (os.environ if environment is None else environment).get(HOME_VARIABLE)
    if home:
        folder = typed_path(home).absolute()
        return Places(data=folder, config=folder, logs=folder / "logs")
    try:
        return Places(
            data=Path(platformdirs.user_data_dir("localsteer", appauthor=False)),
            config=Path(platformdirs.user_config_dir("localsteer", appauthor=False)),
            logs=Path(platformdirs.user_log_dir("localsteer", appauthor=False)),
        )
    except RuntimeError as error:
        raise StorageError(
            f"The system knows no home of yours; set {HOME_VARIABLE} to a folder of your own."
        ) from error


def package_folder() -> Path:
    """The folder of the installed package ``localsteer``."""
    return Path(__file__).resolve().parents[1]


def packaged_recipes() -> Path:
    """The recipes that come along: inside the package when it was installed from a wheel, at the top of a checkout."""
    inside = package_folder() / "_recipes"
    return inside if is_folder(inside) else package_folder().parent / "vectors"


def practice_model() -> Path:
    """The model in the box."""
    return package_folder() / "practice" / "practice.gguf"


def practice_vectors() -> Path:
    """Vectors of the model in the box that come ready made, each named like its recipe."""
    return practice_model().parent
