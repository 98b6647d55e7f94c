"""``localsteer settings``: what is set and by what, and the file to set it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from localsteer.cli.options import given_settings, json_option, settings_option
from localsteer.cli.output import echo, note, print_json, table
from localsteer.cli.session import Home
from localsteer.errors import SettingsError
from localsteer.file_reading import is_there
from localsteer.library.places import find_places
from localsteer.library.setting_values import plain_value
from localsteer.library.settings import SCHEMA
from localsteer.library.settings_file import make_settings_file, set_in_file, toml_text, unset_in_file
from localsteer.library.settings_sources import FoundSettings, find_settings, setting_named, typed_value


@click.group(invoke_without_command=True)
@settings_option
@json_option
@click.pass_context
def settings(context: click.Context, as_json: bool) -> None:
    """Show every setting with its value and where it comes from: default, file, environment, command line.

    The environment variable of a setting is LOCALSTEER_ and its name in capitals; --set KEY=VALUE goes before it, and
    both go before the file.
    """
    if context.invoked_subcommand is not None:
        return
    places = find_places()
    found = find_settings(places, given_settings())
    _note(found)
    if as_json:
        print_json({"file": str(places.settings), "settings": _document(found)})
        return
    rows = [
        (name, _shown(getattr(found.settings, name)), found.origins[name], setting.says)
        for name, setting in SCHEMA.items()
    ]
    echo(table(rows, ("SETTING", "VALUE", "FROM", "")))
    echo(f"\nThe file is {places.settings}{'' if is_there(places.settings) else ' (not made yet)'}.")


@settings.command()
def path() -> None:
    """Print the file's path; where there is none yet, one is made with every setting in a comment."""
    places = find_places()
    make_settings_file(places)
    echo(places.settings)


@settings.command()
def edit() -> None:
    """Open the file in your editor ($VISUAL, $EDITOR), and check it afterwards."""
    places = find_places()
    make_settings_file(places)
    try:
        click.edit(filename=str(places.settings))
    except (click.ClickException, ValueError, OSError) as error:
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        raise SettingsError(f"The editor cannot be run ({reason}); open {places.settings} in another one.") from error
    _note(find_settings(places))


@settings.command("set")
@click.argument("key")
@click.argument("value")
def set_one(key: str, value: str) -> None:
    """Set KEY to VALUE in the file; your comments and the order stay.

    For instance `settings set temperature 0.5`, `settings set keys.again ctrl+b`.
    """
    places = find_places()
    if key.startswith("keys."):
        _check_keys(key.removeprefix("keys."), value)
    written = set_in_file(places, key, value)
    if written is None:
        echo(f"{key} is back at its default.")
        return
    echo(f"{key} = {toml_text(written)}")
    name = key.partition(".")[0]
    origin = find_settings(places, given_settings()).origins[name]
    if origin != "file":
        note(f"{setting_named(name).variable} in the environment goes before the file, as long as it is there.")


@settings.command()
@click.argument("key")
def unset(key: str) -> None:
    """Take KEY out of the file, so that its default holds."""
    places = find_places()
    if unset_in_file(places, key):
        echo(f"{key} is back at its default.")
    else:
        note(f"{key} was not set in {places.settings}.")


@settings.command()
@json_option
def keys(as_json: bool) -> None:
    """List the app's commands by their names for [keys] in the file, with the keys they have.

    A name that begins with panel_ is that command's key while the dials have the focus.
    """
    # The app's room is slow to import.
    from localsteer.tui.keymap import default_keys, keymap_of, shown_key

    keymap = keymap_of(Home.find().settings.keys)
    for problem in keymap.problems:
        note(problem)
    present = default_keys() | dict(keymap.changed)
    if as_json:
        print_json({"keys": {name: list(keys) for name, keys in present.items()}, "changed": sorted(keymap.changed)})
        return
    rows = [
        (name, "  ".join(shown_key(key) for key in keys), "set" if name in keymap.changed else "")
        for name, keys in present.items()
    ]
    echo(table(rows, ("COMMAND", "KEYS", "")))


def _check_keys(name: str, value: str) -> None:
    """Raises SettingsError for a key that the app could not use."""
    from localsteer.tui.keymap import keymap_of

    present = find_settings(find_places()).settings.keys
    wanted = {**present, name: typed_value(f"keys.{name}", value)}
    for problem in keymap_of(wanted).problems:
        if problem not in keymap_of(present).problems:
            raise SettingsError(problem.removeprefix("Keys: "))


def _note(found: FoundSettings) -> None:
    for problem in found.problems:
        note(problem)


def _document(found: FoundSettings) -> dict[str, Any]:
    return {
        name: {"value": plain_value(_plain(getattr(found.settings, name))), "from": origin}
        for name, origin in found.origins.items()
    }


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return toml_text(_plain(value))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
