"""A TOML table read key by key: wrong types and unknown keys become sentences that name the place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from localsteer.errors import RecipeError

Choice = TypeVar("Choice", bound=str)


class TomlTable:
    """Take what is known out of ``values``; :meth:`close` complains of what is left."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self._values = dict(values)
        self._where = where
        self._known: list[str] = []

    def text(self, key: str, default: str | None = None) -> str:
        """The string under ``key``; without a ``default`` it must be there."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise RecipeError(f'"{key}" of {self._where} must be a text in quotes.')
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """The list of strings under ``key``."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise RecipeError(f'"{key}" of {self._where} must be a list of texts, like ["one", "two"].')
        return tuple(value)

    def choice(self, key: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        """One of ``choices`` under ``key``."""
        value = self.text(key, default)
        for choice in choices:
            if choice == value:
                return choice
        raise RecipeError(f'"{key}" of {self._where} is "{value}"; it can be {" or ".join(choices)}.')

    def tables(self, key: str) -> tuple[Mapping[str, object], ...]:
        """The list of tables under ``key``, empty where the key is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise RecipeError(f'"{key}" of {self._where} must be a list of tables.')
        return tuple(value)

    def table(self, key: str) -> TomlTable:
        """The table under ``key``, which must be there."""
        value = self._take(key, None)
        if not isinstance(value, dict):
            raise RecipeError(f'"{key}" of {self._where} must be a table.')
        return TomlTable(value, f"[{key}]")

    def close(self) -> None:
        """Raise :class:`RecipeError` for the first key that nobody took."""
        for key in self._values:
            close = difflib.get_close_matches(key, self._known, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"it may hold {', '.join(self._known)}."
            raise RecipeError(f'{self._where} has an unknown key "{key}"; {hint}')

    def _take(self, key: str, default: object) -> object:
        self._known.append(key)
        value = self._values.pop(key, default)
        if value is None:
            # A misspelt key is more help than a missing one.
            if difflib.get_close_matches(key, list(self._values), n=1):
                self.close()
            raise RecipeError(f'{self._where} has no "{key}".')
        return value
