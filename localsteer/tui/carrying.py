"""Conversations to files and from files, by names that a person types."""

from __future__ import annotations

import re
from pathlib import Path

from localsteer.chat.exporting import exported
from localsteer.chat.importing import read_conversation_file
from localsteer.chat.store import ConversationStore
from localsteer.errors import StorageError
from localsteer.file_reading import home_folder, is_folder, is_there
from localsteer.library.files import write_private

_LONGEST = 50


def default_file(title: str) -> Path:
    """Where a conversation goes unless another place is named: the documents, where there are any."""
    documents = home_folder() / "Documents"
    name = re.sub(r"[^\w ()+-]+", " ", title)
    name = " ".join(name.split())[:_LONGEST].strip() or "conversation"
    return (documents if is_folder(documents) else _here()) / f"{name}.md"


def export_to(store: ConversationStore, conversation_id: int, name: str, *, overwrite: bool) -> Path:
    """Write a conversation to the file of this name, and give its path. Raises StorageError."""
    out = path_named(name)
    text = exported(store, conversation_id, out)
    if is_folder(out):
        raise StorageError(f"{out} is a folder; name a file in it.")
    if is_there(out) and not overwrite:
        raise StorageError(f"{out} exists already; Enter once more overwrites it.")
    write_private(out, text.encode("utf-8", "replace"))
    return out


def import_from(store: ConversationStore, name: str) -> tuple[str, tuple[str, ...]]:
    """Add the conversation in the file of this name. Gives its title, and what had to be left out.

    Raises StorageError.
    """
    found = read_conversation_file(path_named(name))
    return store.add_tree(found.tree).title, found.notes


def _here() -> Path:
    """The folder that the program was started in; one's home where that is gone."""
    try:
        return Path.cwd()
    except OSError:
        return home_folder()


def path_named(name: str) -> Path:
    """The path that a person means. Raises StorageError for what can be none."""
    # A file that is dragged into a terminal comes in quotes.
    bare = name.strip().strip("\"'")
    if not bare:
        raise StorageError("Name a file.")
    try:
        path = Path(bare).expanduser().absolute()
        # A name that is too long, or goes through a file, is refused here and not where it is used.
        path.exists()
    except RuntimeError as error:
        raise StorageError(f"{bare} names a home folder that is not there.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StorageError(f"There can be no file of that name: {reason.lower()}.") from error
    return path
