"""``localsteer chats``: the conversations on this disk, without opening the app."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

import click

from localsteer.chat.conversation import ConversationSummary, SearchHit
from localsteer.chat.exporting import FORMS, exported
from localsteer.chat.foot import day_and_time, foot_of, speaker
from localsteer.chat.importing import read_conversation_file
from localsteer.chat.rescue import rescue as rescue_conversations
from localsteer.chat.store import ConversationStore
from localsteer.cli.options import json_option
from localsteer.cli.output import echo, note, one_line, print_json, table
from localsteer.errors import StorageError
from localsteer.file_reading import is_there, typed_path
from localsteer.library.files import write_private
from localsteer.library.places import find_places

_ID = click.argument("conversation_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
_FORCE = click.option("--force", is_flag=True, help="Overwrite a file that is there.")
_OFF = click.option("--off", is_flag=True, help="The other way round.")


@click.group()
def chats() -> None:
    """The conversations on this disk. ID is a number that `chats list` shows."""


@chats.command("list")
@click.option("--search", "text", metavar="TEXT", help="Only where all these words occur, archived ones too.")
@click.option("--archived", is_flag=True, help="Those that are archived instead.")
@json_option
def list_all(text: str | None, archived: bool, as_json: bool) -> None:
    """List conversations, pinned ones first, then the last used first."""
    if text is not None:
        _list_hits(text, as_json)
        return
    found: tuple[ConversationSummary, ...] = ()
    if _are_there():
        with _store() as store:
            found = store.summaries(limit=sys.maxsize, archived=archived)
    if as_json:
        keys = ("id", "title", "titled_by", "updated", "message_count", "pinned", "archived")
        print_json({"conversations": [{key: getattr(one, key) for key in keys} for one in found]})
    elif found:
        rows = [
            (str(one.id), "*" if one.pinned else "", day_and_time(one.updated), str(one.message_count), one.title)
            for one in found
        ]
        echo(table(rows, ("ID", "", "LAST USED", "MESSAGES", "TITLE")))
    else:
        echo("There are none.")


def _list_hits(text: str, as_json: bool) -> None:
    hits: tuple[SearchHit, ...] = ()
    if _are_there():
        with _store() as store:
            hits = store.search(text, limit=1000)
            if store.search_limits:
                note(store.search_limits)
    if as_json:
        keys = ("conversation_id", "title", "archived", "message_id", "role", "created")
        print_json({"hits": [{key: getattr(hit, key) for key in keys} | {"snippet": _spoken(hit, "")} for hit in hits]})
    elif hits:
        rows = [(str(hit.conversation_id), _short(hit.title), hit.role or "title", _spoken(hit, "*")) for hit in hits]
        echo(table(rows, ("ID", "TITLE", "WHERE", "")))
    else:
        echo("Nothing was found.")


@chats.command()
@_ID
def show(conversation_id: int) -> None:
    """Print the chosen path of a conversation."""
    with _store() as store:
        conversation = store.open(conversation_id, last=None)
    echo(conversation.title)
    if conversation.system_prompt.strip():
        echo(f"\nSystem prompt\n{conversation.system_prompt}")
    for message in conversation.messages:
        echo(f"\n{speaker(message)}\n{message.content}")
        if foot := foot_of(message):
            echo(f"    {foot}")


@chats.command()
@_ID
@click.argument("out", type=click.Path(path_type=Path))
@_FORCE
def export(conversation_id: int, out: Path, force: bool) -> None:
    """Write a conversation to OUT.md or OUT.html (its chosen path), or to OUT.json (everything, for `chats import`)."""
    out = typed_path(out)
    if out.suffix.lower() in FORMS and is_there(out) and not force:
        raise StorageError(f"{out} exists already; name another file, or give --force.")
    with _store() as store:
        text = exported(store, conversation_id, out)
    write_private(out.absolute(), text.encode("utf-8", "replace"))
    echo(f"Written to {out}.")


@chats.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_file(file: Path) -> None:
    """Add the conversation in FILE: our own JSON, or messages as OpenAI's interface takes them."""
    found = read_conversation_file(file)
    with _store(anew=True) as store:
        conversation = store.add_tree(found.tree)
    for one in found.notes:
        note(one)
    echo(f"Conversation {conversation.id}: {len(found.tree.messages)} messages, “{conversation.title}”.")


@chats.command()
@_ID
@click.argument("title")
def rename(conversation_id: int, title: str) -> None:
    """Give a conversation a title; "" goes back to its first words."""
    with _store() as store:
        store.rename(conversation_id, title)


@chats.command()
@_ID
@_OFF
def pin(conversation_id: int, off: bool) -> None:
    """Keep a conversation at the top of the list."""
    with _store() as store:
        store.pin(conversation_id, not off)


@chats.command()
@_ID
@_OFF
def archive(conversation_id: int, off: bool) -> None:
    """Take a conversation out of the list; searching still finds it."""
    with _store() as store:
        store.archive(conversation_id, not off)


@chats.command()
@_ID
def remove(conversation_id: int) -> None:
    """Delete a conversation; `chats restore` has it back until `chats purge`."""
    with _store() as store:
        gone = store.delete_conversation(conversation_id)
    echo(
        f"“{gone.words}” is deleted, {gone.messages} messages; "
        f"`localsteer chats restore {conversation_id}` has it back."
    )


@chats.command()
@_ID
def restore(conversation_id: int) -> None:
    """Undo the latest deletion of a conversation, or of messages in it."""
    with _store() as store:
        found = store.deletions(conversation_id)
        if not found:
            raise StorageError(f"Nothing of conversation {conversation_id} is deleted and could be restored.")
        store.undo(found[0])
    echo(f"Restored: “{found[0].words}”, {found[0].messages} messages.")


@chats.command()
@click.option(
    "--days", type=click.IntRange(0, 1_000_000), default=0, metavar="N", help="Only what was deleted N days ago."
)
def purge(days: int) -> None:
    """Empty for good what is deleted."""
    with _store() as store:
        count = store.purge(older_than=days * 86_400.0)
    echo(f"Emptied for good: {count} deletion{'' if count == 1 else 's'}.")


@chats.command()
@click.argument("out", type=click.Path(path_type=Path))
@_FORCE
def backup(out: Path, force: bool) -> None:
    """Copy all conversations into the one file OUT, also while the app is running."""
    out = typed_path(out)
    if is_there(out) and not force:
        raise StorageError(f"{out} exists already; name another file, or give --force.")
    with _store() as store:
        store.backup(out.absolute(), overwrite=force)
    echo(f"Written to {out}.")


@chats.command()
@click.argument("out", type=click.Path(path_type=Path))
@_FORCE
def rescue(out: Path, force: bool) -> None:
    """Write what can still be read of damaged conversations to the new file OUT; the damaged one stays as it is."""
    places, out = find_places(), typed_path(out)
    found = rescue_conversations(places.conversations, out.absolute(), overwrite=force)
    echo(
        f"{found.conversations} conversations with {found.messages} messages are in {out}; "
        + ("nothing was in the way." if found.whole else "what cannot be read any more is left out.")
    )
    damaged = places.conversations
    note(
        f"To go on with them, close the app, move {damaged} away, {damaged}-wal and {damaged}-shm too where they are "
        f"there (SQLite would mix them with what comes into their place), and put {out} in its place."
    )


def _store(*, anew: bool = False) -> AbstractContextManager[ConversationStore]:
    if not anew and not _are_there():
        raise StorageError("There are no conversations yet; `localsteer` begins one.")
    return ConversationStore(find_places().conversations)


def _are_there() -> bool:
    """Whether there is a database. Raises StorageError where nobody may look."""
    path = find_places().conversations
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"The conversations at {path} cannot be opened: {reason}.") from error
    return True


def _spoken(hit: SearchHit, mark: str) -> str:
    return one_line("".join(f"{mark}{text}{mark}" if wanted else text for text, wanted in hit.snippet))


def _short(title: str) -> str:
    return title if len(title) <= 30 else f"{title[:29]}…"
