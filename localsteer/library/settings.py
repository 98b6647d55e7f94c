"""What the person has set by hand, in ``settings.toml``. Read only: the app keeps what it remembers elsewhere."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localsteer.library.places import Places


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field may stand in the file; ``None`` leaves the choice to the app.

    ``n_ctx`` in tokens, ``model_folders`` are searched for GGUF files besides the usual places.
    """

    theme: str | None = None
    n_threads: int | None = None
    gpu_layers: int | None = None
    n_ctx: int = 0
    temperature: float = 0.8
    model_folders: tuple[Path, ...] = ()


def read_settings(places: Places) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and one sentence for each thing in the file that could not be used. Never raises."""
    try:
        found = tomllib.loads(places.settings.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Settings(), ()
    except (OSError, ValueError, RecursionError) as error:
        return Settings(), (f"{places.settings} cannot be read ({error}); the defaults are used.",)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for key, value in found.items():
        try:
            values[key] = _READERS[key](value)
        except KeyError:
            problems.append(f'{places.settings}: there is no setting "{key}"; known are {", ".join(_READERS)}.')
        except (TypeError, ValueError):
            problems.append(f'{places.settings}: "{key}" cannot be {value!r}; its default is used.')
    return Settings(**values), tuple(problems)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise ValueError
    return value


def _threads(value: object) -> int:
    if not 0 < _count(value) <= 1024:
        raise ValueError
    return _count(value)


def _temperature(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise ValueError
    return float(value)


def _folders(value: object) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(Path(_text(folder)).expanduser() for folder in value)


_READERS = {
    "theme": _text,
    "n_threads": _threads,
    "gpu_layers": _count,
    "n_ctx": _count,
    "temperature": _temperature,
    "model_folders": _folders,
}
