"""What the app is opened with: places, settings, memory, and which model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localsteer.engine.client import EngineClient
from localsteer.errors import ModelError
from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.library.settings_sources import read_settings
from localsteer.tui.memory import Memory


@dataclass(frozen=True)
class Opening:
    """``problems``: sentences that the person should read first; ``engine``: one that was started beforehand."""

    model_path: Path
    places: Places
    settings: Settings
    memory: Memory
    problems: tuple[str, ...] = ()
    engine: EngineClient | None = None


def open_with(
    model: str | None, places: Places, given: Sequence[str] = (), engine: EngineClient | None = None
) -> Opening:
    """The model that was asked for, else the last one used, else the practice model.

    ``given``: settings from the command line, ``KEY=VALUE`` each. Raises ModelError, and SettingsError for those.
    """
    settings, problems = read_settings(places, given)
    memory = Memory(places, remember_dials=settings.remember_dials, needles=settings.needles, first_dial=True)
    path, problem = _model(model, places, settings, memory)
    return Opening(path, places, settings, memory, (*problems, *([problem] if problem else [])), engine)


def _model(model: str | None, places: Places, settings: Settings, memory: Memory) -> tuple[Path, str]:
    from localsteer.library.models import PRACTICE, resolve_model

    wanted = model or memory.last_model or PRACTICE
    try:
        return resolve_model(wanted, places, more_folders=settings.model_folders), ""
    except ModelError as error:
        if model is not None or wanted == PRACTICE:
            raise
        # Yesterday's model is gone; that is no reason not to open.
        return resolve_model(PRACTICE, places), f"The model used last is gone: {error} This is the practice model."
