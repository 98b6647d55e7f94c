"""Conversations come back from the disk as they were written."""

from __future__ import annotations

import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from localsteer.chat.conversation import ReadAs
from localsteer.chat.rescue import rescue
from localsteer.chat.schema import STEPS
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark
from localsteer.errors import StorageError
from tests.chat.conftest import CARD, HAPPY, SAD, finished, record


def test_a_conversation_comes_back_with_everything_that_was_recorded(store: ConversationStore, database: Path) -> None:
    talk = store.new_conversation("Be kind.")
    asked = store.add_message(talk.id, "user", "How are you?", None)
    reply = store.begin_reply(talk.id, asked.id, record(DialMark(0, (HAPPY,))))
    reply.finish(finished("Very well!", (5, 6, 7), DialMark(0, (HAPPY,)), DialMark(2, (HAPPY, SAD))))
    with ConversationStore(database) as again:
        found = again.latest()
    assert found is not None
    assert (found.title, found.system_prompt) == ("How are you?", "Be kind.")
    assert [(message.role, message.content) for message in found.messages] == [
        ("user", "How are you?"),
        ("assistant", "Very well!"),
    ]
    written = found.messages[1].reply
    assert written is not None
    assert written.tokens == (5, 6, 7)
    assert written.marks == (DialMark(0, (HAPPY,)), DialMark(2, (HAPPY, SAD)))
    assert (written.seed, written.finish_reason, written.sampling.temperature) == (7, "end", 0.5)
    assert (written.prompt_tokens_evaluated, written.prompt_tokens_reused) == (12, 30)
    assert (written.model_id, written.system_prompt, written.tokens_per_second) == ("abc123", "Be kind.", 31.5)


def test_a_second_answer_is_an_alternative_and_both_can_be_shown(store: ConversationStore) -> None:
    talk = store.new_conversation()
    asked = store.add_message(talk.id, "user", "Tea or coffee?", None)
    first = store.add_message(talk.id, "assistant", "Tea.", asked.id)
    store.add_message(talk.id, "user", "Why?", first.id)
    second = store.add_message(talk.id, "assistant", "Coffee.", asked.id)
    shown = store.open(talk.id)
    assert [message.content for message in shown.messages] == ["Tea or coffee?", "Coffee."]
    assert (shown.messages[1].alternative, shown.messages[1].alternatives) == (2, 2)
    assert store.alternatives(second.id) == (first.id, second.id)
    back = store.choose(first.id)
    assert [message.content for message in back.messages] == ["Tea or coffee?", "Tea.", "Why?"]
    assert store.open(talk.id) == back


def test_turns_give_tokens_and_marks_only_to_the_model_that_wrote_them(store: ConversationStore) -> None:
    talk = store.new_conversation("Be kind.")
    asked = store.add_message(talk.id, "user", "Hi", None)
    reply = store.begin_reply(talk.id, asked.id, record())
    reply.finish(finished("Hello", (1, 2), DialMark(0, (HAPPY,))))
    own = store.turns(talk.id, CARD)
    assert [turn.role for turn in own] == ["system", "user", "assistant"]
    assert own[2].tokens == (1, 2)
    assert own[2].marks == (DialMark(0, (HAPPY,)),)
    other_quantisation = store.turns(talk.id, replace(CARD, model_id="other"))
    assert (other_quantisation[2].tokens, other_quantisation[2].marks) == ((1, 2), ())
    other_family = store.turns(talk.id, replace(CARD, model_id="other", vocabulary="other"))
    assert (other_family[2].tokens, other_family[2].marks, other_family[2].content) == (None, (), "Hello")
    assert [turn.content for turn in store.turns(talk.id, CARD, until=asked.id)] == ["Be kind.", "Hi"]


def test_a_conversation_that_is_emptied_for_good_takes_its_long_chain_of_messages_with_it(
    store: ConversationStore,
) -> None:
    talk = store.new_conversation()
    chain = [(number, talk.id, number - 1 or None) for number in range(1, 1_501)]
    store._connection.execute("BEGIN")
    store._connection.executemany(
        "INSERT INTO messages (id, conversation_id, parent_id, role, content, created) VALUES (?, ?, ?, 'user', '', 0)",
        chain,
    )
    store._connection.execute("COMMIT")
    assert len(store.choose(1).messages) == 1_500
    store.delete_conversation(talk.id)
    assert store.summaries() == ()
    assert store.purge() == 1
    assert store._connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 0


def test_lists_conversations_with_the_last_used_first(store: ConversationStore) -> None:
    old, new = store.new_conversation(title="old"), store.new_conversation(title="new")
    store.add_message(new.id, "user", "a", None)
    store.add_message(old.id, "user", "b", None)
    assert [summary.title for summary in store.summaries()] == ["old", "new"]
    store.rename(new.id, "newest")
    assert [(one.title, one.message_count) for one in store.summaries()] == [("newest", 1), ("old", 1)]


def test_pinned_ones_stand_first_and_archived_ones_by_themselves(store: ConversationStore) -> None:
    ids = [store.new_conversation(title=title).id for title in ("a", "b", "c")]
    store.pin(ids[0])
    store.archive(ids[2])
    assert [(one.title, one.pinned) for one in store.summaries()] == [("a", True), ("b", False)]
    assert [(one.title, one.archived) for one in store.summaries(archived=True)] == [("c", True)]
    latest = store.latest()
    assert latest is not None
    assert latest.title == "b"
    store.pin(ids[0], False)
    store.archive(ids[2], False)
    assert [one.title for one in store.summaries()] == ["c", "b", "a"]


def test_a_model_names_a_conversation_until_the_person_does(store: ConversationStore) -> None:
    talk = store.new_conversation()
    store.add_message(talk.id, "user", "Where do you live?", None)
    assert store.open(talk.id).titled_by == "words"
    assert store.set_title(talk.id, "A lighthouse\n", made_by_model=True)
    assert (store.open(talk.id).title, store.open(talk.id).titled_by) == ("A lighthouse", "model")
    assert not store.set_title(talk.id, " ", made_by_model=True)
    assert store.set_title(talk.id, "Home")
    assert not store.set_title(talk.id, "Another", made_by_model=True)
    assert (store.open(talk.id).title, store.open(talk.id).titled_by) == ("Home", "hand")
    store.rename(talk.id, "")
    assert (store.open(talk.id).title, store.open(talk.id).titled_by) == ("Where do you live?", "words")


def test_a_reply_is_asked_for_again_as_it_was_asked_for_then(store: ConversationStore) -> None:
    talk = store.new_conversation("Be kind.")
    parent = None
    read_as = ReadAs(1, (SAD,))
    for number in range(2):
        parent = store.add_message(talk.id, "user", f"question {number}", parent).id
        written = replace(record(DialMark(0, (HAPPY,))), read_as=read_as if number else None)
        parent = store.begin_reply(talk.id, parent, written).finish(finished("Yes", (1,), DialMark(0, (HAPPY,)))).id
    store.set_system_prompt(talk.id, "Be brief.")
    store.add_message(talk.id, "user", "question 2", parent)
    assert parent is not None
    system, first, answer, second = store.turns_again(parent, CARD)
    assert (system.content, first.content, second.content) == ("Be kind.", "question 0", "question 1")
    assert answer.marks == (DialMark(0, (SAD,)),)
    now = store.turns(talk.id, CARD)
    assert [turn.content for turn in now] == ["Be brief.", "question 0", "Yes", "question 1", "Yes", "question 2"]
    assert now[2].marks == (DialMark(0, (HAPPY,)),)


def test_a_backup_is_one_file_that_opens_as_a_store(store: ConversationStore, tmp_path: Path) -> None:
    talk = store.new_conversation(title="Kept")
    store.add_message(talk.id, "user", "the lighthouse", None)
    out = tmp_path / "backups" / "all.db"
    store.backup(out)
    assert [file.name for file in out.parent.iterdir()] == ["all.db"]
    with ConversationStore(out) as copy:
        assert copy.open(talk.id) == store.open(talk.id)
        assert len(copy.search("lighthouse")) == 1


def test_a_backup_is_not_put_where_the_parts_of_another_database_lie(store: ConversationStore, tmp_path: Path) -> None:
    store.new_conversation(title="New")
    out = tmp_path / "out.sqlite3"
    with ConversationStore(out) as other:
        other.new_conversation(title="Old")
        # As they lie there when a process was killed.
        for ending in ("", "-wal"):
            (tmp_path / f"kept{ending}").write_bytes(out.with_name(f"{out.name}{ending}").read_bytes())
    for ending in ("", "-wal"):
        out.with_name(f"{out.name}{ending}").write_bytes((tmp_path / f"kept{ending}").read_bytes())
    for write in (lambda: store.backup(out, overwrite=True), lambda: rescue(store.path, out, overwrite=True)):
        with pytest.raises(StorageError, match="belongs to another database"):
            write()
    out.with_name(f"{out.name}-wal").unlink()
    store.backup(out, overwrite=True)
    with ConversationStore(out) as copy:
        assert [one.title for one in copy.summaries(9)] == ["New"]


def test_a_backup_overwrites_nothing_unless_it_is_told_to(store: ConversationStore, tmp_path: Path) -> None:
    out = tmp_path / "all.db"
    out.write_text("precious", encoding="utf-8")
    with pytest.raises(StorageError, match="exists already"):
        store.backup(out)
    assert out.read_text(encoding="utf-8") == "precious"
    store.backup(out, overwrite=True)
    with pytest.raises(StorageError, match="where the conversations are kept"):
        store.backup(store.path, overwrite=True)
    with ConversationStore(out) as copy:
        assert copy.summaries() == ()


def test_a_title_is_short_and_free_of_control_characters(store: ConversationStore) -> None:
    talk = store.new_conversation()
    store.add_message(talk.id, "user", "\x1b[31mplease\n\n" + "write " * 50, None)
    title = store.open(talk.id).title
    assert title.startswith("[31mplease write")
    assert len(title) <= 60
    assert title.isprintable()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_nobody_else_can_read_the_database(store: ConversationStore, database: Path) -> None:
    store.new_conversation()
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    for file in database.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_two_copies_of_the_app_write_to_one_database(store: ConversationStore, database: Path) -> None:
    with ConversationStore(database) as other:
        mine, theirs = store.new_conversation(title="mine"), other.new_conversation(title="theirs")
        assert mine.id != theirs.id
        assert {summary.title for summary in store.summaries()} == {"mine", "theirs"}


def test_a_database_of_a_newer_version_is_refused_and_left_alone(store: ConversationStore, database: Path) -> None:
    store.close()
    with sqlite3.connect(database) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    before = database.read_bytes()
    with pytest.raises(StorageError, match="newer localsteer"):
        ConversationStore(database)
    assert database.read_bytes() == before


def test_a_file_that_is_no_database_is_told_and_left_alone(database: Path) -> None:
    database.parent.mkdir()
    database.write_bytes(b"this is not a database, but somebody's only copy of something\n" * 50)
    before = database.read_bytes()
    with pytest.raises(StorageError, match="damaged"):
        ConversationStore(database)
    assert database.read_bytes() == before


def test_a_damaged_record_costs_only_that_record(store: ConversationStore) -> None:
    talk = store.new_conversation()
    asked = store.add_message(talk.id, "user", "Hi", None)
    reply = store.begin_reply(talk.id, asked.id, record(DialMark(0, (HAPPY,))))
    message = reply.finish(finished("Hello", (1, 2)))
    store._connection.execute(
        "UPDATE replies SET marks = '[{', sampling = 'x', tokens = x'0100000002' WHERE message_id = ?", (message.id,)
    )
    found = store.open(talk.id).messages[1]
    assert found.content == "Hello"
    assert found.reply is not None
    assert (found.reply.marks, found.reply.tokens) == ((), (1,))


def test_a_conversation_that_is_gone_is_told(store: ConversationStore) -> None:
    with pytest.raises(StorageError, match="not there any more"):
        store.open(99)
    with pytest.raises(StorageError, match="not there any more"):
        store.message(99)
