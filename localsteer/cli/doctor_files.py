"""The doctor looks at what lies on the disk: folders, rights, settings, conversations, recipes, vectors, left-overs."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from localsteer.chat.inspection import inspect
from localsteer.cli.findings import Finding
from localsteer.cli.output import size
from localsteer.cli.session import identify
from localsteer.errors import ModelError, StorageError
from localsteer.file_reading import home_folder, is_file, is_folder, is_there
from localsteer.gguf_header import check_chat_model
from localsteer.library.files import ABANDONED_SECONDS, UNFINISHED
from localsteer.library.model_places import hugging_face_folders
from localsteer.library.models import list_models
from localsteer.library.places import HOME_VARIABLE, Places, packaged_recipes, practice_model
from localsteer.library.recipes import recipe_cards
from localsteer.library.scenes import read_scenes
from localsteer.library.settings import Settings
from localsteer.library.vector_cards import VectorCard
from localsteer.library.vectors import ANY_MODEL, VectorLibrary
from localsteer.private import OTHERS

_LITTLE_SPACE = 200_000_000
_DAY = 86_400.0
_MONTH = 30 * _DAY


def look_at_places(places: Places) -> Iterator[Finding]:
    why = f" (from {HOME_VARIABLE})" if os.environ.get(HOME_VARIABLE) else ""
    for what, folder in (("data", places.data), ("settings", places.config)):
        standing = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
        if not is_there(standing):
            yield Finding(what, "problem", f"{standing} is a link to what is not there; mend it or delete it{why}.")
        elif not is_folder(standing):
            yield Finding(what, "problem", f"{standing} is a file; move it away, a folder is needed there{why}.")
        elif not os.access(standing, os.W_OK | os.X_OK):
            yield Finding(
                what, "problem", f"{folder} cannot be written; set {HOME_VARIABLE} to a folder of your own{why}."
            )
        else:
            yield _with_space(what, folder, standing, why)


def _with_space(what: str, folder: Path, standing: Path, why: str) -> Finding:
    free = shutil.disk_usage(standing).free
    if free < _LITTLE_SPACE:
        return Finding(what, "problem", f"only {size(free)} are left on the disk with {folder}{why}; make room.")
    return Finding(what, "ok", f"{folder}{why}, {size(free)} free")


def look_at_rights(places: Places) -> Iterator[Finding]:
    """Files of ours that others can read, or that we cannot write."""
    if os.name != "posix":
        return
    for folder in dict.fromkeys((places.data, places.config, places.logs)):
        if is_folder(folder) and stat.S_IMODE(folder.stat().st_mode) & OTHERS:
            yield Finding("rights", "note", f"others can look into {folder}; `chmod 700 '{folder}'` shuts it")
    ours = list(_files(places))
    loose = [path for path in ours if stat.S_IMODE(path.stat().st_mode) & OTHERS]
    if loose:
        yield Finding(
            "rights",
            "problem",
            f"others can read {_some(loose)}; `chmod go-rwx` with {'its name' if len(loose) == 1 else 'their names'} "
            "ends that.",
        )
    fixed = [path for path in ours if not os.access(path, os.R_OK | os.W_OK)]
    if fixed:
        yield Finding(
            "rights",
            "problem",
            f"{_some(fixed)} cannot be written, perhaps because localsteer once ran as another user; `sudo chown "
            '"$USER"` with the name gives it back, `chmod u+rw` makes it writable.',
        )


def _files(places: Places) -> Iterator[Path]:
    """What localsteer itself writes; not the person's recipes and models, which are as open as they want them."""
    single = (places.settings, places.scenes, places.remembered, places.sent_messages, places.engine_log)
    beside = (places.conversations.with_name(places.conversations.name + ending) for ending in ("", "-wal", "-shm"))
    yield from (path for path in (*single, *beside) if is_file(path))
    for folder in (places.vectors, places.sweeps, places.experiments):
        if is_folder(folder):
            yield from (path for path in folder.rglob("*") if is_file(path))


def look_at_settings(places: Places, settings_problems: Iterable[str]) -> Iterator[Finding]:
    for problem in settings_problems:
        yield Finding("settings", "problem", f"{problem} `localsteer settings edit` opens the file.")
    for problem in read_scenes(places).problems:
        yield Finding("scenes", "problem", problem)


def look_at_conversations(places: Places) -> Iterator[Finding]:
    if not os.path.lexists(places.conversations):
        yield Finding("conversations", "ok", "none yet")
        return
    try:
        count = inspect(places.conversations)
    except StorageError as error:
        yield Finding("conversations", "problem", str(error))
    else:
        yield Finding("conversations", "ok", f"{count} in {places.conversations}")


def look_at_recipes(places: Places) -> Iterator[Finding]:
    cards = recipe_cards(places)
    broken = [card for card in cards if card.error]
    for card in broken:
        yield Finding("recipe", "problem", card.error or "")
    if len(cards) > len(broken):
        yield Finding("recipes", "ok", f"{len(cards) - len(broken)} can be read")
    else:
        yield Finding("recipes", "problem", f"there are none in {packaged_recipes()}; install localsteer again.")


def look_at_practice_model() -> Iterator[Finding]:
    path = practice_model()
    try:
        header = check_chat_model(path)
    except ModelError as error:
        yield Finding("practice model", "problem", f"{error} Install localsteer again.")
        return
    yield Finding("practice model", "ok", f"{size(header.file_size)}, {header.n_params / 1e6:.1f} million weights")


def look_at_vectors(places: Places, settings: Settings) -> Iterator[Finding]:
    """Vectors that cannot be read, and those that nothing leads to any more."""
    library = VectorLibrary.at(places)
    cards = library.all()
    for card in cards:
        if card.error:
            yield Finding("vector", "problem", f"{card.error} `localsteer vectors remove` or deleting it helps.")
    whole = [card for card in cards if not card.error]
    recipes = {card.name for card in recipe_cards(places)}
    without_recipe = [card for card in whole if card.recipe_digest and card.name not in recipes]
    if without_recipe:
        yield Finding(
            "vectors",
            "note",
            f"the recipe of {_names(without_recipe)} is gone; they still work, and `localsteer vectors remove NAME` "
            "removes one",
        )
    if whole:
        there = set(_model_ids(places, settings)) | {ANY_MODEL}
        without_model = [card for card in whole if card.path.parent.name not in there]
        if without_model:
            yield Finding(
                "vectors",
                "note",
                f"the model of {_names(without_model)} is gone; `localsteer vectors remove NAME` removes one",
            )


def _model_ids(places: Places, settings: Settings) -> Iterator[str]:
    for model in list_models(places, more_folders=settings.model_folders):
        try:
            yield identify(model.path)
        except ModelError:
            continue


def look_at_left_overs(places: Places) -> Iterator[Finding]:
    """What a process that was killed has left lying."""
    halves = [
        path
        for folder in dict.fromkeys((places.data, places.config))
        if is_folder(folder)
        for path in folder.rglob(UNFINISHED)
        if _older(path, ABANDONED_SECONDS)
    ]
    if halves:
        yield _left(halves, "half-written files of a process that was killed; delete them")
    folders = [path for path in Path(tempfile.gettempdir()).glob("localsteer-*") if _older(path, _DAY) and _own(path)]
    if folders:
        yield _left(folders, "temporary folders of a process that was killed; delete them")
    if is_folder(places.sweeps):
        journals = [path for path in places.sweeps.glob("*.jsonl") if _older(path, _MONTH)]
        if journals:
            yield _left(journals, "journals of sweeps that are more than a month old; delete them unless you go on")
    caches = [folder for folder in hugging_face_folders(os.environ, home_folder()) if is_folder(folder)]
    downloads = [path for cache in caches for path in cache.glob("models--*/blobs/*.incomplete") if _older(path, _DAY)]
    if downloads:
        yield _left(downloads, "downloads that were broken off; `localsteer models pull` goes on, or delete them")


def _left(paths: list[Path], what: str) -> Finding:
    taken = sum(path.stat().st_size for path in paths if is_file(path))
    return Finding("left over", "note", f"{_some(paths)}{f' ({size(taken)})' if taken else ''}: {what}")


def _older(path: Path, seconds: float) -> bool:
    try:
        return time.time() - path.stat().st_mtime > seconds
    except OSError:
        return False


def _own(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def _some(paths: list[Path]) -> str:
    return f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}"


def _names(cards: list[VectorCard]) -> str:
    return ", ".join(sorted({card.name for card in cards})[:5]) + (" …" if len({c.name for c in cards}) > 5 else "")
