"""Scenes: dials, sampling and system prompt under a name, in a file that a person can read and change."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from localsteer.engine.protocol import SCOPES, Sampling
from localsteer.errors import DialError, quoted, sentence
from localsteer.file_reading import read_file
from localsteer.library.places import Places
from localsteer.library.remembered import RememberedDial
from localsteer.library.settings import SCHEMA
from localsteer.steering.expressions import read_layers
from localsteer.toml_reading import parse_toml

HEADER = re.compile(r"^[ \t]*\[\[[ \t]*scene[ \t]*\]\]", re.MULTILINE)
"""Where a scene begins in the file."""

MOST_BYTES = 8 * 1024 * 1024
"""Of the file of scenes."""

SAMPLING = tuple(field.name for field in fields(Sampling))
_SCENE = ("name", "model", "system_prompt", "sampling", "dials")
_DIAL = ("name", "strength", "layers", "scope", "on")


@dataclass(frozen=True, slots=True)
class Scene:
    """``None``: what stays as it is when the scene is recalled. ``model``: the one it was made with, for show."""

    name: str
    dials: tuple[RememberedDial, ...] | None = None
    sampling: Sampling | None = None
    system_prompt: str | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class FoundScenes:
    """The scenes in the order of the file, and one sentence for each that cannot be used."""

    scenes: tuple[Scene, ...] = ()
    problems: tuple[str, ...] = ()


class _Wrong(Exception):
    """What a scene says that it cannot. ``trail``: expressions that lead to the place, one after the other."""

    def __init__(self, sentence: str, *trail: str) -> None:
        super().__init__(sentence)
        self.trail = trail


def read_scenes(places: Places) -> FoundScenes:
    """All scenes that can be used. Never raises; a scene that says something impossible is left out as a whole."""
    path = places.scenes
    try:
        raw = read_file(path, MOST_BYTES)
    except FileNotFoundError:
        return FoundScenes()
    except OSError as error:
        return FoundScenes(problems=(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.",))
    try:
        text = raw.decode("utf-8-sig")
        found = parse_toml(text)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return FoundScenes(problems=(f"{path}, line {line}: this is no UTF-8 text; mend it to have its scenes again.",))
    except ValueError as error:
        problem = sentence(f"{path} cannot be read: {error}; mend that line to have its scenes again.")
        return FoundScenes(problems=(problem,))
    tables = found.get("scene", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables) or set(found) - {"scene"}:
        other = next((name for name in found if name != "scene"), "scene")
        where = _line(text, 0, (rf"^[ \t\[]*{re.escape(other)}",))
        problem = sentence(f'{path}, line {where}: "{other}" is no scene; each begins with a line [[scene]].')
        return FoundScenes(_usable(tables), (problem,))
    scenes: list[Scene] = []
    problems = []
    starts = [match.start() for match in HEADER.finditer(text)]
    for place, table in enumerate(tables):
        try:
            scene = _scene(table)
            if any(scene.name == other.name for other in scenes):
                raise _Wrong(f'another scene is called "{scene.name}", too; rename one.', r"\bname\s*=")
            scenes.append(scene)
        except _Wrong as wrong:
            start = starts[place] if len(starts) == len(tables) else 0
            problems.append(
                f"{path}, line {_line(text, start, wrong.trail)}: {wrong} Until then this scene is left out."
            )
    return FoundScenes(tuple(scenes), tuple(map(sentence, problems)))


def _usable(tables: Any) -> tuple[Scene, ...]:
    scenes = []
    for table in tables if isinstance(tables, list) else ():
        try:
            scenes.append(_scene(table))
        except (_Wrong, AttributeError, TypeError):
            continue
    return tuple(scenes)


def _scene(table: Mapping[str, Any]) -> Scene:
    name = table.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _Wrong('a scene needs a name, such as name = "cheerful".', *_trail("name", table))
    _check_keys(table, _SCENE, "a scene")
    for key in ("model", "system_prompt"):
        if not isinstance(table.get(key, ""), str):
            raise _Wrong(f'"{key}" must be a text in quotes.', *_trail(key, table))
    dials, sampling = table.get("dials"), table.get("sampling")
    if not (dials is None or (isinstance(dials, list) and all(isinstance(dial, dict) for dial in dials))):
        raise _Wrong('"dials" must be a list like [{ name = "mood", strength = 1.2 }].', *_trail("dials", table))
    if not (sampling is None or isinstance(sampling, dict)):
        raise _Wrong('"sampling" must be a table like { temperature = 0.8 }.', *_trail("sampling", table))
    return Scene(
        name=name.strip(),
        dials=None if dials is None else tuple(_dial(dial, place) for place, dial in enumerate(dials)),
        sampling=None if sampling is None else _sampling(sampling),
        system_prompt=table.get("system_prompt"),
        model=table.get("model", ""),
    )


def _sampling(table: Mapping[str, Any]) -> Sampling:
    _check_keys(table, SAMPLING, "sampling", r"\bsampling\b")
    values = {}
    for key, value in table.items():
        kind = SCHEMA[key].kind
        try:
            values[key] = kind.check(value)
        except (TypeError, ValueError):
            raise _Wrong(f'"{key}" cannot be {quoted(value)}; it must be {kind.wanted}.', *_trail(key, table)) from None
    return Sampling(**values)


def _dial(table: Mapping[str, Any], place: int) -> RememberedDial:
    before = (r"\bdials\b", *[r"\bname\s*="] * (place + 1))
    name = table.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _Wrong('a dial needs a name, such as name = "mood".', *before[:-1])
    _check_keys(table, _DIAL, f'the dial "{name}"', *before)

    def wrong(key: str, wanted: str) -> _Wrong:
        return _Wrong(f'"{key}" of the dial "{name}" must be {wanted}.', *before, rf"\b{key}\s*=")

    strength, on, scope = table.get("strength", 0.0), table.get("on", True), table.get("scope", "")
    if isinstance(strength, bool) or not isinstance(strength, int | float) or not _is_finite(strength):
        raise wrong("strength", "a number, such as 0.5 or -1")
    if not isinstance(on, bool):
        raise wrong("on", "true or false")
    if scope not in ("", *SCOPES):
        raise wrong("scope", " or ".join(f'"{scope}"' for scope in SCOPES))
    layers = table.get("layers")
    if not (layers is None or isinstance(layers, str)):
        raise wrong("layers", 'a text, such as "7-9" or "7,9"')
    try:
        chosen = None if layers is None else read_layers("".join(layers.split()))
    except DialError:
        raise wrong("layers", 'a text, such as "7-9" or "7,9"') from None
    return RememberedDial(name.strip(), float(strength), on, chosen, scope)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number of a thousand digits
        return False


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...], what: str, *before: str) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f'did you mean "{close[0]}"?' if close else f"it may hold {', '.join(known)}."
            raise _Wrong(f'{what} has no "{key}"; {hint}', *before, rf"\b{re.escape(key)}\s*=")


def _trail(key: str, table: Mapping[str, Any]) -> Iterator[str]:
    if key in table:
        yield rf"\b{key}\s*="


def _line(text: str, start: int, trail: tuple[str, ...]) -> int:
    """The line, from 1, to which ``trail`` leads from ``start`` on; as far as it can be followed."""
    at = start
    for step in trail:
        found = re.compile(step, re.MULTILINE).search(text, start)
        if found is None:
            break
        at, start = found.start(), found.end()
    return text.count("\n", 0, at) + 1
