"""``localsteer doctor`` and ``localsteer paths``: what there is, and whether all is well."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import click
import psutil

import localsteer
from localsteer.chat.store import ConversationStore
from localsteer.cli.options import json_option
from localsteer.cli.output import echo, one_line, print_json, size, table
from localsteer.cli.session import Home
from localsteer.errors import LocalsteerError, ModelError
from localsteer.gguf_header import check_chat_model
from localsteer.library.places import HOME_VARIABLE, Places, find_places, packaged_recipes, practice_model
from localsteer.library.recipes import recipe_cards

State: TypeAlias = Literal["ok", "note", "problem"]
_MARKS = {"ok": "✓", "note": "•", "problem": "✗"}
_LITTLE_SPACE = 200_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    what: str
    state: State
    said: str


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Explain the machine, the llama.cpp build, memory, places and the practice model.

    The exit status is 1 if something is wrong.
    """
    home = Home.find()
    findings = list(examine(home.places))
    if as_json:
        print_json({"findings": [{"what": one.what, "state": one.state, "said": one.said} for one in findings]})
    else:
        rows = [(_MARKS[one.state], one.what, one.said) for one in findings]
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
    """Look at everything that localsteer stands on. Never raises."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _machine,
        _llama_cpp,
        lambda: _places(places),
        lambda: _conversations(places),
        lambda: _recipes(places),
        _practice_model,
        _terminal,
    )
    for check in checks:
        try:
            yield from check()
        except LocalsteerError as error:
            yield Finding("problem", "problem", str(error))


def _machine() -> Iterator[Finding]:
    python = f"Python {platform.python_version()}, localsteer {localsteer.__version__}"
    yield Finding("system", "ok", f"{platform.system()} {platform.release()} on {platform.machine()}, {python}")
    cores, logical = psutil.cpu_count(logical=False), os.cpu_count()
    yield Finding("processor", "ok", f"{cores or 'unknown'} physical cores, {logical or 'unknown'} logical")
    memory = psutil.virtual_memory()
    free = f"{size(memory.available)} of {size(memory.total)} free"
    if memory.available < 1_000_000_000:
        yield Finding("memory", "note", f"{free}: close other programs before you load a larger model")
    else:
        yield Finding("memory", "ok", free)


def _llama_cpp() -> Iterator[Finding]:
    try:
        from localsteer.engine.machine import inspect_build

        build = inspect_build()
    except Exception as error:
        # Whatever is wrong with a native library, it is what the person came here to learn.
        yield Finding("llama.cpp", "problem", f"it does not start ({error}); install llama-cpp-python again.")
        return
    yield Finding("llama.cpp", "ok", f"llama-cpp-python {build.binding_version}: {' '.join(build.features)}")
    if build.gpu:
        yield Finding("GPU", "ok", "this build can use one; all layers go there unless you say otherwise")
    else:
        yield Finding(
            "GPU", "note", "this build uses the CPU only; the README says where builds for Metal and CUDA are"
        )
    yield Finding("threads", "ok", f"{build.threads} will be used (n_threads in the settings changes it)")
    if platform.machine().lower() in {"x86_64", "amd64"} and "AVX2" not in build.features:
        yield Finding("speed", "note", "built without AVX2, which most processors have: build it on this machine")


def _places(places: Places) -> Iterator[Finding]:
    why = f" (from {HOME_VARIABLE})" if os.environ.get(HOME_VARIABLE) else ""
    for what, folder in (("data", places.data), ("settings", places.config)):
        standing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if not standing.is_dir():
            yield Finding(what, "problem", f"{standing} is a file; a folder is needed there{why}")
        elif not os.access(standing, os.W_OK):
            yield Finding(
                what, "problem", f"{folder} cannot be written; set {HOME_VARIABLE} to a folder of your own{why}"
            )
        else:
            yield _with_space(what, folder, standing, why)


def _with_space(what: str, folder: Path, standing: Path, why: str) -> Finding:
    free = shutil.disk_usage(standing).free
    if free < _LITTLE_SPACE:
        return Finding(what, "problem", f"{folder}{why}: only {size(free)} left on that disk; make room")
    return Finding(what, "ok", f"{folder}{why}, {size(free)} free")


def _conversations(places: Places) -> Iterator[Finding]:
    if not places.conversations.exists():
        yield Finding("conversations", "ok", "none yet")
        return
    with ConversationStore(places.conversations) as store:
        problem = store.damage()
        if problem:
            yield Finding("conversations", "problem", problem)
        else:
            count = len(store.summaries(limit=1_000_000))
            yield Finding("conversations", "ok", f"{count} in {places.conversations}")


def _recipes(places: Places) -> Iterator[Finding]:
    cards = recipe_cards(places)
    broken = [card for card in cards if card.error]
    for card in broken:
        yield Finding("recipe", "problem", card.error or "")
    if len(cards) > len(broken):
        yield Finding("recipes", "ok", f"{len(cards) - len(broken)} can be read")
    else:
        yield Finding("recipes", "problem", f"there are none in {packaged_recipes()}; install localsteer again")


def _practice_model() -> Iterator[Finding]:
    path = practice_model()
    try:
        header = check_chat_model(path)
    except ModelError as error:
        yield Finding("practice model", "problem", f"{error} Install localsteer again.")
        return
    yield Finding("practice model", "ok", f"{size(header.file_size)}, {header.n_params / 1e6:.1f} million weights")


def _terminal() -> Iterator[Finding]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Finding("terminal", "note", "none here (input or output is piped); the chat app needs one")
        return
    width, height = shutil.get_terminal_size()
    said = f"{os.environ.get('TERM', 'unknown')}, {width}×{height}"
    yield Finding("terminal", "ok", one_line(said))
