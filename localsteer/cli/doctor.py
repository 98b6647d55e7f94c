"""``localsteer doctor`` and ``localsteer paths``: what there is, and whether all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from localsteer.cli.doctor_files import (
    look_at_conversations,
    look_at_left_overs,
    look_at_places,
    look_at_practice_model,
    look_at_recipes,
    look_at_rights,
    look_at_settings,
    look_at_vectors,
)
from localsteer.cli.doctor_machine import look_at_llama_cpp, look_at_machine, look_at_processes, look_at_terminal
from localsteer.cli.findings import Finding
from localsteer.cli.options import json_option
from localsteer.cli.output import echo, one_line, print_json, table
from localsteer.errors import LocalsteerError
from localsteer.library.places import Places, find_places, packaged_recipes, practice_model
from localsteer.library.settings_sources import find_settings

_MARKS = {"ok": "✓", "note": "•", "problem": "✗"}


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look at the machine, llama.cpp, memory, places, files and terminal, and say what to do about what is wrong.

    Nothing is changed. The exit status is 0 if all is well and 1 if something is wrong (✗).
    """
    findings = list(examine(find_places()))
    if as_json:
        print_json({"findings": [{"what": one.what, "state": one.state, "said": one.said} for one in findings]})
    else:
        rows = [(_MARKS[one.state], one.what, one_line(one.said)) for one in findings]
        echo(table(rows, ("", "", "")).lstrip("\n"))
    if any(one.state == "problem" for one in findings):
        click.get_current_context().exit(1)


@click.command()
@json_option
def paths(as_json: bool) -> None:
    """Print where everything lies."""
    places = find_places()
    found = {
        "conversations": places.conversations,
        "vectors": places.vectors,
        "sweeps": places.sweeps,
        "recipes": places.recipes,
        "packaged recipes": packaged_recipes(),
        "models": places.models,
        "practice model": practice_model(),
        "settings": places.settings,
        "remembered": places.remembered,
        "engine log": places.engine_log,
    }
    if as_json:
        print_json({name.replace(" ", "_"): str(path) for name, path in found.items()})
    else:
        width = max(map(len, found))
        echo("\n".join(f"{name:{width}}  {path}" for name, path in found.items()))


def examine(places: Places) -> Iterator[Finding]:
    """Look at everything that localsteer stands on. Changes nothing and never raises."""
    found = find_settings(places)
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        look_at_machine,
        lambda: look_at_llama_cpp(found.settings),
        look_at_processes,
        lambda: look_at_places(places),
        lambda: look_at_rights(places),
        lambda: look_at_settings(places, found.problems),
        lambda: look_at_conversations(places),
        lambda: look_at_recipes(places),
        lambda: look_at_vectors(places, found.settings),
        look_at_practice_model,
        lambda: look_at_left_overs(places),
        look_at_terminal,
    )
    for check in checks:
        try:
            yield from check()
        except LocalsteerError as error:
            yield Finding("problem", "problem", str(error))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            yield Finding("problem", "problem", f"{error.filename or 'Something'} cannot be looked at: {reason}.")
