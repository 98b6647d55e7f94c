"""Where the settings' values come from: the file, over it the environment, over that the command line."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from localsteer.errors import SettingsError, quoted, sentence
from localsteer.file_reading import read_file
from localsteer.library.places import Places
from localsteer.library.settings import SCHEMA, Setting, Settings
from localsteer.toml_reading import parse_toml

Origin: TypeAlias = Literal["default", "file", "environment", "command line"]

_MOST_UNKNOWN = 5
MOST_BYTES = 8 * 1024 * 1024
"""Of the settings file."""


@dataclass(frozen=True, slots=True)
class FoundSettings:
    """The settings in force, where each comes from, and one sentence for each thing that could not be used."""

    settings: Settings
    origins: Mapping[str, Origin]
    problems: tuple[str, ...]


def read_settings(
    places: Places, given: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and one sentence for each thing in file or environment that could not be used.

    ``given``: ``KEY=VALUE`` each, from the command line. Raises SettingsError for one of those that cannot be used,
    and for nothing else.
    """
    found = find_settings(places, given, environment)
    return found.settings, found.problems


def find_settings(
    places: Places, given: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> FoundSettings:
    """:func:`read_settings`, with the origin of each value."""
    taken = _Taken()
    problems = [
        *_take_file(taken, places),
        *_take_environment(taken, os.environ if environment is None else environment),
    ]
    for one in given:
        _take_given(taken, one)
    origins: dict[str, Origin] = dict.fromkeys(SCHEMA, "default")
    return FoundSettings(Settings(**taken.values), origins | taken.origins, tuple(map(sentence, problems)))


_HALF = re.compile("[\ud800-\udfff]")


def nearest(name: str, known: Iterable[str]) -> str:
    """`` (did you mean "…"?)`` for a name that is like a known one, else nothing."""
    close = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""


def setting_named(name: str) -> Setting:
    """Raises SettingsError that names the nearest one."""
    if name not in SCHEMA:
        raise SettingsError(f'There is no setting "{name}"{nearest(name, SCHEMA)}; `localsteer settings` lists them.')
    return SCHEMA[name]


def typed_value(key: str, text: str) -> Any:
    """What was typed for ``key`` (a setting, or ``keys.COMMAND``), checked. Raises SettingsError.

    Nothing typed means the default: for a command, no key at all.
    """
    name, _, entry = key.partition(".")
    setting = setting_named(name)
    if setting.table != bool(entry):
        example = "name the command: keys.COMMAND=KEY" if setting.table else f"write {name}=VALUE"
        raise SettingsError(f'"{key}" is no setting; {example}.')
    if not text.strip() and not setting.table:
        return setting.default
    if _HALF.search(text):
        raise SettingsError(f'"{key}" cannot be that: it has bytes that are no text.')
    try:
        return setting.kind.check(setting.kind.from_text(text))
    except (TypeError, ValueError, LookupError) as error:
        raise SettingsError(f'"{key}" cannot be "{text}"; it must be {setting.kind.wanted}.') from error


class _Taken:
    """Values as they pile up; what comes later lies on top."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, Origin] = {}

    def put(self, name: str, value: Any, origin: Origin) -> None:
        if SCHEMA[name].table:
            value = {**self.values.get(name, {}), **value}
        self.values[name] = value
        self.origins[name] = origin


# ---------------------------------------------------------------- the file


def _take_file(taken: _Taken, places: Places) -> list[str]:
    path = places.settings
    try:
        raw = read_file(path, MOST_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"{path} cannot be read ({(error.strerror or str(error)).lower()}); the defaults are used."]
    try:
        text = raw.decode("utf-8-sig")
        found = parse_toml(text)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return [f"{path}, line {line}: this is no UTF-8 text; the defaults are used until it is mended."]
    except ValueError as error:
        return [f"{path} cannot be read: {error}; the defaults are used until it is mended."]
    unknown = [name for name in found if name not in SCHEMA]
    if len(unknown) > _MOST_UNKNOWN and len(unknown) == len(found):
        where = line_of(unknown[0], text)
        return [f'{path}{where}: "{unknown[0]}" and all the rest are no settings of localsteer; the defaults are used.']
    problems = []
    for name, value in found.items():
        if name in unknown:
            problems.append(
                f'{path}{line_of(name, text)}: there is no setting "{name}"{nearest(name, SCHEMA)}; it is passed over.'
            )
        else:
            problems += _take_one(taken, SCHEMA[name], value, f"{path}{line_of(name, text)}")
    return problems


def line_of(name: str, text: str) -> str:
    """``, line N`` where the file sets or heads ``name``; nothing where that cannot be seen."""
    at = re.search(rf"^[ \t]*(\[[ \t]*)?[\"']?{re.escape(name)}[\"']?[ \t]*[=.\]]", text, re.MULTILINE)
    return f", line {text.count(chr(10), 0, at.start()) + 1}" if at else ""


def _take_one(taken: _Taken, setting: Setting, value: object, where: str) -> list[str]:
    if setting.table:
        return _take_table(taken, setting, value, where)
    try:
        taken.put(setting.name, setting.kind.check(value), "file")
    except (TypeError, ValueError):
        return [
            f'{where}: "{setting.name}" cannot be {quoted(value)}; it must be {setting.kind.wanted}. '
            "The default is used."
        ]
    return []


def _take_table(taken: _Taken, setting: Setting, value: object, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f'{where}: "{setting.name}" is a table; write [{setting.name}] and below it NAME = VALUE.']
    problems = []
    for entry, one in value.items():
        try:
            taken.put(setting.name, {entry: setting.kind.check(one)}, "file")
        except (TypeError, ValueError):
            problems.append(
                f'{where}: "{setting.name}.{entry}" cannot be {quoted(one)}; it must be {setting.kind.wanted}. '
                "The default is used."
            )
    return problems


# ---------------------------------------------------------------- environment and command line


def _take_environment(taken: _Taken, environment: Mapping[str, str]) -> list[str]:
    problems = []
    for setting in SCHEMA.values():
        text = environment.get(setting.variable)
        if text is None:
            continue
        try:
            if setting.table:
                for part in filter(str.strip, text.split(";")):
                    entry, _, one = part.partition("=")
                    value = typed_value(f"{setting.name}.{entry.strip()}", one)
                    taken.put(setting.name, {entry.strip(): value}, "environment")
            else:
                taken.put(setting.name, typed_value(setting.name, text), "environment")
        except SettingsError as error:
            problems.append(f"{setting.variable} in the environment is passed over: {error}")
    return problems


def _take_given(taken: _Taken, given: str) -> None:
    key, equals, text = given.partition("=")
    key = key.strip()
    if not equals:
        raise SettingsError(f'"{given}" sets nothing; write KEY=VALUE, for instance temperature=0.5.')
    value = typed_value(key, text)
    name, _, entry = key.partition(".")
    taken.put(name, {entry: value} if entry else value, "command line")
