"""What can still be read of a damaged database is in a new one; the damaged file stays as it is."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from localsteer.chat.rescue import rescue
from localsteer.chat.store import ConversationStore
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.errors import StorageError
from tests.chat.conftest import record

PAGE = 4096
TALKS, MESSAGES = 12, 30


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve conversations of thirty messages with replies, several hundred pages, in one file."""
    folder = tmp_path_factory.mktemp("whole")
    with ConversationStore(folder / "conversations.sqlite3") as store:
        for number in range(TALKS):
            messages = tuple(
                TreeMessage(
                    place - 1 if place else None,
                    "assistant" if place % 2 else "user",
                    f"message {place} of {number} " + "words " * 60,
                    1.0 + place,
                    record() if place % 2 else None,
                )
                for place in range(MESSAGES)
            )
            store.add_tree(ConversationTree(f"Talk {number}", "hand", f"system {number}", 1.0, 2.0, messages=messages))
        store.backup(folder / "whole.sqlite3")
    return folder / "whole.sqlite3"


@pytest.fixture
def filled(whole: Path, tmp_path: Path) -> Path:
    """A copy of one's own to damage."""
    return Path(shutil.copyfile(whole, tmp_path / "conversations.sqlite3"))


def pages_of(path: Path, table: str) -> list[int]:
    """The numbers of the pages that a table has, from 1, its root first."""
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        content = path.read_bytes()
        page = content[(root - 1) * PAGE : root * PAGE]
        if page[0] != 5:
            return [root]
        count = int.from_bytes(page[3:5], "big")
        cells = [int.from_bytes(page[12 + 2 * at : 14 + 2 * at], "big") for at in range(count)]
        return [root, *(int.from_bytes(page[at : at + 4], "big") for at in cells), int.from_bytes(page[8:12], "big")]


def overwrite(path: Path, page: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(content)


def contents(path: Path) -> dict[int, str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return dict(connection.execute("SELECT id, content FROM messages"))


def test_of_a_whole_one_everything_is_there(filled: Path, tmp_path: Path) -> None:
    found = rescue(filled, tmp_path / "out.sqlite3")
    assert (found.conversations, found.messages, found.replies) == (TALKS, TALKS * MESSAGES, TALKS * MESSAGES // 2)
    assert found.whole
    with ConversationStore(filled) as one, ConversationStore(tmp_path / "out.sqlite3") as other:
        assert one.summaries() == other.summaries()
        for summary in one.summaries():
            assert one.tree(summary.id) == other.tree(summary.id)
        assert [hit.conversation_id for hit in other.search("message 3 of 7")]


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_destroyed_page_costs_what_was_on_it(filled: Path, tmp_path: Path, part: float) -> None:
    before = contents(filled)
    pages = pages_of(filled, "messages")
    overwrite(filled, pages[1 + int(part * (len(pages) - 1))], random.Random(1).randbytes(PAGE))
    damaged = filled.read_bytes()
    found = rescue(filled, tmp_path / "out.sqlite3")
    after = contents(tmp_path / "out.sqlite3")
    assert not found.whole
    assert set(after.items()) <= set(before.items())
    assert len(before) - 25 <= len(after) < len(before)
    assert filled.read_bytes() == damaged
    with ConversationStore(tmp_path / "out.sqlite3") as store:
        assert store.damage() is None
        assert len(store.summaries()) == TALKS
        for summary in store.summaries():
            store.tree(summary.id)
            store.open(summary.id)


@pytest.mark.parametrize("page", range(1, 20))
def test_no_single_page_leads_to_everything(filled: Path, tmp_path: Path, page: int) -> None:
    """The schema, the upper pages of every table, the first rows: each of them may be the one that goes."""
    before = contents(filled)
    overwrite(filled, page, random.Random(1).randbytes(PAGE))
    found = rescue(filled, tmp_path / "out.sqlite3")
    after = contents(tmp_path / "out.sqlite3")
    assert set(after.items()) <= set(before.items())
    assert len(after) >= len(before) - 25
    assert found.replies >= TALKS * MESSAGES // 2 - 25
    with ConversationStore(tmp_path / "out.sqlite3") as store:
        assert store.damage() is None
        assert len(store.summaries()) == TALKS
        for summary in store.summaries():
            store.tree(summary.id)


def test_without_its_schema_nothing_of_a_row_is_missing_however_long_it_is(tmp_path: Path) -> None:
    path, long = tmp_path / "conversations.sqlite3", "".join(map(chr, range(32, 30_000)))
    with ConversationStore(path) as store:
        talk = store.new_conversation("Be kind.", "Long")
        asked = store.add_message(talk.id, "user", long, None)
        store.add_message(talk.id, "assistant", long * 2, asked.id, record())
        store.pin(talk.id, True)
        store.backup(tmp_path / "before.sqlite3")
    overwrite(path, 1, random.Random(1).randbytes(PAGE))
    assert not rescue(path, tmp_path / "out.sqlite3").whole
    with ConversationStore(tmp_path / "before.sqlite3") as one, ConversationStore(tmp_path / "out.sqlite3") as other:
        assert one.tree(talk.id) == other.tree(talk.id)
        assert one.summaries() == other.summaries()


def test_what_was_emptied_for_good_is_not_found_again(filled: Path, tmp_path: Path) -> None:
    with ConversationStore(filled) as store:
        for summary in store.summaries():
            if summary.title != "Talk 3":
                store.delete_conversation(summary.id)
        store.purge()
    overwrite(filled, 1, random.Random(1).randbytes(PAGE))
    found = rescue(filled, tmp_path / "out.sqlite3")
    assert (found.conversations, found.messages, found.replies) == (1, MESSAGES, MESSAGES // 2)


def test_where_the_list_of_conversations_is_gone_their_messages_are_not(filled: Path, tmp_path: Path) -> None:
    for page in pages_of(filled, "conversations"):
        overwrite(filled, page, random.Random(1).randbytes(PAGE))
    found = rescue(filled, tmp_path / "out.sqlite3")
    assert (found.conversations, found.messages) == (TALKS, TALKS * MESSAGES)
    with ConversationStore(tmp_path / "out.sqlite3") as store:
        assert {one.title for one in store.summaries()} == {f"Rescued conversation {id}" for id in range(1, TALKS + 1)}
        assert len(store.open(3, last=None).messages) == MESSAGES


@pytest.mark.parametrize("spoil", ["header", "cut off", "half a page more", "index"])
def test_other_damage(filled: Path, tmp_path: Path, spoil: str) -> None:
    before = contents(filled)
    content = filled.read_bytes()
    match spoil:
        case "header":
            filled.write_bytes(random.Random(1).randbytes(100) + content[100:])
        case "cut off":
            filled.write_bytes(content[: len(content) * 9 // 10])
        case "half a page more":
            filled.write_bytes(content + random.Random(1).randbytes(PAGE // 2))
        case _:
            for page in pages_of(filled, "messages_there"):
                overwrite(filled, page, random.Random(1).randbytes(PAGE))
    rescue(filled, tmp_path / "out.sqlite3")
    after = contents(tmp_path / "out.sqlite3")
    assert set(after.items()) <= set(before.items())
    assert len(after) >= len(before) * (0.7 if spoil == "cut off" else 1.0)


def test_what_was_written_last_and_is_not_yet_in_the_file_is_among_it(filled: Path, tmp_path: Path) -> None:
    with ConversationStore(filled) as store:
        talk = store.new_conversation("", "The last one")
        store.add_message(talk.id, "user", "the very last words", None)
        assert filled.with_name(f"{filled.name}-wal").stat().st_size
        rescue(filled, tmp_path / "out.sqlite3")
    assert "the very last words" in contents(tmp_path / "out.sqlite3").values()


@pytest.mark.parametrize("content", [b"", b"no database", b"\xa5" * 5 * PAGE], ids=["empty", "text", "noise"])
def test_where_nothing_can_be_read_that_is_said_and_nothing_is_written(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite3"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="Nothing can be read"):
        rescue(path, tmp_path / "out.sqlite3")
    assert [one.name for one in tmp_path.iterdir()] == ["conversations.sqlite3"]


def test_it_overwrites_nothing_unless_it_is_told_to(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.sqlite3"
    out.write_text("mine")
    with pytest.raises(StorageError, match="exists already"):
        rescue(filled, out)
    assert rescue(filled, out, overwrite=True).whole
    with pytest.raises(StorageError, match="exists already"):
        rescue(filled, filled, overwrite=True)


@pytest.mark.parametrize("name", [b"conv\xe5rsation_id", b"conversation_xd", b"\xe9d"])
def test_a_columns_name_that_is_damaged_costs_no_message(name: bytes, filled: Path, tmp_path: Path) -> None:
    before = rescue(filled, tmp_path / "before.sqlite3")
    right = b"conversation_id" if len(name) > 2 else b"id"
    spoilt = tmp_path / "spoilt.sqlite3"
    content = filled.read_bytes()
    table = content.index(b"CREATE TABLE messages")
    place = content.index(right + b" INTEGER", table)
    spoilt.write_bytes(content[:place] + name + content[place + len(name) :])
    out = tmp_path / "out.sqlite3"
    found = rescue(spoilt, out)
    assert (found.messages, found.whole) == (before.messages, False)


def test_what_comes_from_the_log_into_the_file_meanwhile_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in use.sqlite3"
    with ConversationStore(path) as store:
        for number in range(30):
            store.new_conversation(title=f"Number {number}")
        copies, copyfile = [], shutil.copyfile

        def copied(source: Path, target: Path) -> None:
            copyfile(source, target)
            copies.append(source)
            if len(copies) == 1:
                # The app goes on: all of the log comes into the file, and the log begins anew.
                store._connection.execute("PRAGMA wal_checkpoint(RESTART)")
                store.new_conversation(title="Last")

        monkeypatch.setattr(shutil, "copyfile", copied)
        out = tmp_path / "out.sqlite3"
        found = rescue(path, out)
        assert (found.conversations, found.whole) == (31, True)
        assert len(copies) == 4
