"""The file of scenes, changed scene by scene; what a person wrote around them stays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from localsteer.errors import SceneError, StorageError
from localsteer.file_reading import read_file, real_path
from localsteer.library.files import changes, write_private
from localsteer.library.places import Places
from localsteer.library.scenes import HEADER, MOST_BYTES, SAMPLING, Scene
from localsteer.steering.expressions import written_layers
from localsteer.toml_reading import parse_toml

LONGEST_NAME = 60

_HEAD = """\
# Scenes of localsteer: dials, sampling and a system prompt under a name. The app lists, saves and recalls them (Alt+Q).
# You can write here, too. What a scene leaves out stays as it is when the scene is recalled.
#
# [[scene]]
# name = "cheerful"
# system_prompt = "You are a gardener."           # what the model is told first; "" for nothing
# sampling = { temperature = 0.8, top_p = 0.95 }  # what is left out here is as usual
# dials = [
#     { name = "mood", strength = 1.2 },          # a recipe, a stored vector, a vector file or an expression
#     { name = "register", strength = -0.5, layers = "3-4", scope = "everything", on = false },
# ]
"""
_QUOTES = '"""'
_COMMENTS_ABOVE = re.compile(r"(?:^[ \t]*#[^\n]*\n)+\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RemovedScene:
    """What it takes to have a removed scene again: the file before and after, and the scene's own text."""

    name: str
    before: str
    after: str
    block: str


@changes(attrgetter("scenes"))
def save_scene(places: Places, scene: Scene) -> None:
    """Write the scene at the end of the file, or in the place of the one that has its name.

    Raises SceneError for a name that cannot be and for a file that cannot be read (which stays as it is); StorageError.
    """
    name = _check_name(scene.name)
    text = _read(places)
    found = _scenes(places, text)
    block, table = _written(scene, name)
    names = _names(found)
    if name in names:
        place = names.index(name)
        start, end = _span(places, text, place, len(found), comments=False)
        # A blank line before what comes next.
        after = text[end:].lstrip("\r\n")
        changed = text[:start] + block + ("\n" if after else "") + after
        found[place] = table
    else:
        changed = f"{text.rstrip()}\n\n{block}"
        found.append(table)
    _write(places, changed, found)


@changes(attrgetter("scenes"))
def rename_scene(places: Places, name: str, new: str) -> None:
    """Call a scene otherwise. Raises as :func:`save_scene`, and SceneError for a name that is taken."""
    import tomlkit

    new = _check_name(new)
    text = _read(places)
    found = _scenes(places, text)
    place = _place(places, found, name)
    if new == name:
        return
    if new in _names(found):
        raise SceneError(f'There is a scene called "{new}" already; choose another name.')
    document: Any = tomlkit.parse(text)
    document["scene"][place]["name"] = new
    found[place] = {**found[place], "name": new}
    _write(places, document.as_string(), found)


@changes(attrgetter("scenes"))
def remove_scene(places: Places, name: str) -> RemovedScene:
    """Take a scene out of the file, with the comment right above it. Raises as :func:`save_scene`."""
    text = _read(places)
    found = _scenes(places, text)
    place = _place(places, found, name)
    start, end = _span(places, text, place, len(found), comments=True)
    changed = text[:start] + text[end:].lstrip("\r\n")
    block = text[start:end].strip() + "\n"
    if not changed.strip():
        changed = _HEAD
    del found[place]
    _write(places, changed, found)
    return RemovedScene(name, text, changed, block)


@changes(attrgetter("scenes"))
def restore_scene(places: Places, removed: RemovedScene) -> None:
    """Bring a removed scene back: where it was, or at the end where the file has changed since. Raises as above."""
    text = _read(places)
    if text == removed.after:
        _write(places, removed.before, _scenes(places, removed.before))
        return
    found = _scenes(places, text)
    if removed.name in _names(found):
        raise SceneError(f'There is another scene called "{removed.name}" by now; rename it first.')
    _write(places, f"{text.rstrip()}\n\n{removed.block}", [*found, *parse_toml(removed.block)["scene"]])


def _check_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise SceneError(f"A scene needs a name of 1 to {LONGEST_NAME} characters.")
    return name


def _written(scene: Scene, name: str) -> tuple[str, dict[str, Any]]:
    """The scene as the file has it, and what TOML reads there."""
    import tomlkit

    table: dict[str, Any] = {"name": name}
    if scene.model:
        table["model"] = scene.model
    if scene.system_prompt is not None:
        table["system_prompt"] = scene.system_prompt
    if scene.sampling is not None:
        values = {key: getattr(scene.sampling, key) for key in SAMPLING}
        table["sampling"] = {key: value for key, value in values.items() if value is not None}
    if scene.dials is not None:
        table["dials"] = [
            {"name": dial.name, "strength": dial.strength}
            | ({"layers": written_layers(dial.layers)} if dial.layers else {})
            | ({"scope": dial.scope} if dial.scope else {})
            | ({} if dial.on else {"on": False})
            for dial in scene.dials
        ]
    lines = ["[[scene]]"]
    for key, value in table.items():
        if key == "dials" and value:
            lines += ["dials = [", *(f"    {_inline(dial)}," for dial in value), "]"]
        elif isinstance(value, dict):
            lines.append(f"{key} = {_inline(value)}")
        elif isinstance(value, str) and "\n" in value and "\r" not in value and not HEADER.search(value):
            quoted = tomlkit.string(value, multiline=True).as_string()
            # TOML drops a new line right after the opening quotes.
            lines.append(
                f"{key} = {quoted if value[0] == chr(10) else _QUOTES + chr(10) + quoted.removeprefix(_QUOTES)}"
            )
        else:
            lines.append(f"{key} = {tomlkit.item(value).as_string()}")
    return "\n".join(lines) + "\n", table


def _inline(values: dict[str, Any]) -> str:
    import tomlkit

    return "{ " + ", ".join(f"{key} = {tomlkit.item(value).as_string()}" for key, value in values.items()) + " }"


def _span(places: Places, text: str, place: int, count: int, *, comments: bool) -> tuple[int, int]:
    """Where the scene at ``place`` begins and ends in ``text``. ``comments``: with those right above it. What stands
    below its last line is not its own.
    """
    starts = [match.start() for match in HEADER.finditer(text)]
    if len(starts) != count:
        raise SceneError(f"{places.scenes} is written in a way that only you can change; do it by hand.")
    begins = [start - len(above[0]) if (above := _COMMENTS_ABOVE.search(text, 0, start)) else start for start in starts]
    end = begins[place + 1] if place + 1 < count else len(text)
    lines = text[starts[place] : end].splitlines(keepends=True)
    while not lines[-1].strip() or lines[-1].lstrip().startswith("#"):
        lines.pop()
    return (begins if comments else starts)[place], starts[place] + len("".join(lines))


def _names(found: list[dict[str, Any]]) -> list[str]:
    return [name.strip() if isinstance(name := table.get("name"), str) else "" for table in found]


def _place(places: Places, found: list[dict[str, Any]], name: str) -> int:
    names = _names(found)
    if name not in names:
        raise SceneError(f'There is no scene called "{name}" in {places.scenes} any more.')
    return names.index(name)


def _read(places: Places) -> str:
    """The file's text; that of a new file where there is none."""
    try:
        # Not read_text, which would change the file's line ends.
        return read_file(places.scenes, MOST_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        return _HEAD
    except UnicodeDecodeError as error:
        raise SceneError(f"{places.scenes} is no UTF-8 text; mend it or move it away first.") from error
    except OSError as error:
        raise StorageError(f"{places.scenes} cannot be read: {(error.strerror or str(error)).lower()}.") from error


def _scenes(places: Places, text: str) -> list[dict[str, Any]]:
    """What TOML reads in ``text``, be it usable or not."""
    try:
        tables = parse_toml(text).get("scene", [])
    except ValueError as error:
        raise SceneError(
            f"{places.scenes} cannot be read ({error}), so it is left as it is; mend that line first."
        ) from error
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SceneError(f'{places.scenes}: "scene" is no list of tables, so the file is left as it is; mend it first.')
    return tables


def _write(places: Places, text: str, wanted: list[dict[str, Any]]) -> None:
    """Write ``text`` where it says what is wanted; a longer text within the file may look like a scene's beginning."""
    try:
        says = parse_toml(text).get("scene", [])
    except ValueError:
        says = None
    if says != wanted:
        raise SceneError(f"{places.scenes} is written in a way that only you can change; do it by hand.")
    write_private(real_path(places.scenes), text.encode("utf-8", "replace"))
