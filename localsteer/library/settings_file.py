"""The settings file itself: made with every setting in a comment, changed without touching what the person wrote."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from localsteer.errors import SettingsError, StorageError
from localsteer.file_reading import is_there, read_file, real_path
from localsteer.library.files import changes, write_private
from localsteer.library.places import Places
from localsteer.library.setting_values import plain_value
from localsteer.library.settings import SCHEMA, Setting
from localsteer.library.settings_sources import MOST_BYTES, setting_named, typed_value
from localsteer.toml_reading import parse_toml

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_HEAD = """\
# The settings of localsteer. Take the # away from a line to set it; `localsteer settings` shows what is in force.
# Each can be overridden by an environment variable (LOCALSTEER_TEMPERATURE) and by --set (--set temperature=0.5).
"""
_KEYS = """\
# [keys]: a command and its key, or a list of keys; an empty list takes the key away.
# again = "ctrl+b"
# add_dial = ["f7", "alt+a"]
"""
_MARK = "\x00 this value goes \x00"


def toml_text(value: Any) -> str:
    """A setting's value as TOML writes it."""
    # Only those who change settings need it.
    import tomlkit

    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml_text(one)}" for name, one in value.items()) + "}"
    return str(tomlkit.item(plain_value(value)).as_string())


def commented_file() -> str:
    """The file that a person is given to begin with: every setting with its sentence, none of them set."""
    lines = [_HEAD]
    section = ""
    for setting in SCHEMA.values():
        if setting.section != section:
            section = setting.section
            lines.append(f"# ---- {section}\n")
        lines.append(f"# {setting.says}")
        lines.append(f"{_KEYS}\n[{setting.name}]" if setting.table else f"{_commented(setting)}\n")
    return "\n".join(lines) + "\n"


@changes(attrgetter("settings"))
def make_settings_file(places: Places) -> bool:
    """Make the file where there is none; True if it was made. Raises StorageError."""
    if is_there(places.settings):
        return False
    write_private(real_path(places.settings), commented_file().encode("utf-8"))
    return True


@changes(attrgetter("settings"))
def set_in_file(places: Places, key: str, typed: str) -> Any:
    """Write what was typed for ``key`` into the file, which is made where it is missing; gives the value.

    ``key``: a setting, or ``keys.COMMAND``. Comments and order stay. Raises SettingsError for an unknown key, a value
    that cannot be, and a file that cannot be read (which stays as it is); StorageError where the disk refuses.
    """
    value = typed_value(key, typed)
    if plain_value(value) is None:
        _unset(places, key)
        return value
    text = _read(places)
    wanted = _with(parse_toml(text), key, plain_value(value))
    for changed in (_uncommented(text, key, value), _assigned(text, key, value)):
        # The line that looks like the commented setting may be part of a longer text.
        if _says(changed, wanted):
            _write(places, changed)
            return value
    raise SettingsError(f'{places.settings} has no place for "{key}"; write it there by hand.')


@changes(attrgetter("settings"))
def unset_in_file(places: Places, key: str) -> bool:
    """Take ``key`` out of the file (its default returns as a comment); False where it was not there.

    Raises like :func:`set_in_file`.
    """
    return _unset(places, key)


def _unset(places: Places, key: str) -> bool:
    setting = setting_named(key.partition(".")[0])
    if not is_there(places.settings):
        return False
    text = _read(places)
    document, (name, _, entry) = _parse(places, text), key.partition(".")
    holder: Any = document.get(name, {}) if entry else document
    last = entry or name
    if last not in holder:
        return False
    if setting.table and not entry:
        del document[name]
        _write(places, document.as_string())
        return True
    wanted = parse_toml(text)
    del (wanted[name] if entry else wanted)[last]
    # A value over several lines becomes one line first, and that line a comment.
    holder[last] = _MARK
    shown = toml_text(_MARK)
    lines = document.as_string().splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if shown in line)
    ending = lines[at][len(lines[at].rstrip("\r\n")) :]
    lines[at] = f"{_commented(setting)}{ending}" if not entry else ""
    changed = "".join(lines)
    if not _says(changed, wanted):
        document = _parse(places, text)
        del (document[name] if entry else document)[last]
        changed = document.as_string()
    _write(places, changed)
    return True


def _commented(setting: Setting) -> str:
    shown = setting.example if setting.default is None else setting.default
    return f"# {setting.name} = {toml_text(shown)}"


def _uncommented(text: str, key: str, value: Any) -> str:
    """``text`` with the first commented line for ``key`` made into a setting; unchanged where there is none."""
    line = re.compile(rf"^#[ \t]*{re.escape(key)}[ \t]*=[^\r\n]*", re.MULTILINE)
    return line.sub(lambda _: f"{key} = {toml_text(value)}", text, count=1)


def _assigned(text: str, key: str, value: Any) -> str:
    import tomlkit

    document, (name, _, entry) = tomlkit.parse(text), key.partition(".")
    if entry:
        if name not in document:
            document[name] = tomlkit.table()
        document[name][entry] = plain_value(value)
    else:
        document[name] = plain_value(value)
    return document.as_string()


def _with(found: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    name, _, entry = key.partition(".")
    return found | {name: {**found.get(name, {}), entry: value} if entry else value}


def _says(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return parse_toml(text) == wanted
    except ValueError:
        return False


def _read(places: Places) -> str:
    """The file's text, known to be TOML; that of a new file where there is none."""
    try:
        # Not read_text, which would change the file's line ends.
        text = read_file(places.settings, MOST_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        return commented_file()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{places.settings} is no UTF-8 text; mend it or move it away first.") from error
    except OSError as error:
        raise StorageError(f"{places.settings} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    _parse(places, text)
    return text


def _parse(places: Places, text: str) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        parse_toml(text)
        return tomlkit.parse(text)
    except (ValueError, RecursionError, TOMLKitError) as error:
        raise SettingsError(
            f"{places.settings} cannot be read ({error}), so it is left as it is; mend that line first."
        ) from error


def _write(places: Places, text: str) -> None:
    write_private(real_path(places.settings), text.encode("utf-8"))
