"""What a setting's value can be: checked alike, whether a file, the environment or the command line gave it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localsteer.file_reading import expanded

_LARGEST = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Kind:
    """``wanted`` completes "It must be …".

    ``check`` turns what TOML gave into the setting's value, ``from_text`` what was typed into what TOML would have
    given; both raise ValueError or TypeError for what is none.
    """

    wanted: str
    check: Callable[[object], Any]
    from_text: Callable[[str], object]


def whole(low: int, high: int = _LARGEST) -> Kind:
    """A whole number."""

    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    limit = f"from {low} up" if high == _LARGEST else f"from {low} to {high}"
    return Kind(f"a whole number {limit}", check, int)


def number(low: float, high: float, *, above: bool = False) -> Kind:
    """A finite number from ``low`` (``above``: greater than that) to ``high``."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        # Not a number fails every comparison, and a whole number of any length bears them.
        if not low <= value <= high or (above and value == low):
            raise ValueError
        return float(value)

    return Kind(
        f"a number {'above' if above else 'from'} {low:g}{' and up' if above else ''} to {high:g}", check, float
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _name(value: object) -> str:
    if not _text(value).strip():
        raise ValueError
    return _text(value).strip()


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _switch_from(text: str) -> bool:
    return {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}[
        text.strip().lower()
    ]


def _folders(value: object) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(expanded(_name(folder)) for folder in value)


def _folders_from(text: str) -> list[str]:
    return [folder for folder in text.split(os.pathsep) if folder.strip()]


def _key_list(value: object) -> tuple[str, ...]:
    keys = [value] if isinstance(value, str) else value
    if not isinstance(keys, list):
        raise TypeError
    return tuple(_name(key).lower() if len(_name(key)) > 1 else _name(key) for key in keys)


def _keys_from(text: str) -> list[str]:
    return [key for key in text.split(",") if key.strip()]


TEXT = Kind("a text", _text, str)
NAME = Kind("a name", _name, str)
SWITCH = Kind("true or false", _switch, _switch_from)
FOLDERS = Kind("a list of folders", _folders, _folders_from)
KEYS = Kind('a key such as "ctrl+b", or a list of keys', _key_list, _keys_from)


def plain_value(value: Any) -> Any:
    """A setting's value in TOML's own types."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [plain_value(one) for one in value]
    if isinstance(value, dict):
        return {name: plain_value(one) for name, one in value.items()}
    return value
