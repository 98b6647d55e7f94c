"""A damaged record costs that record only: it is shown as far as possible, with one sentence about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.chat.conversation import StoredMessage
from localsteer.chat.exporting import exported
from localsteer.chat.importing import read_conversation
from localsteer.chat.records import MISSING_BEFORE
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark, DialSetting, Sampling
from tests.chat.conftest import CARD, HAPPY, finished, record


def talk_of(store: ConversationStore) -> list[StoredMessage]:
    """Hi, Hello, Tea?, Yes."""
    talk = store.new_conversation()
    parent = None
    for asked, answered in (("Hi", "Hello"), ("Tea?", "Yes")):
        parent = store.add_message(talk.id, "user", asked, parent).id
        running = store.begin_reply(talk.id, parent, record(DialMark(0, (HAPPY,))))
        parent = running.finish(finished(answered, (1, 2), DialMark(0, (HAPPY,)))).id
    return list(store.open(talk.id).messages)


def spoil(store: ConversationStore, sql: str, *values: object) -> None:
    store._connection.execute("PRAGMA foreign_keys = OFF")
    store._connection.execute("PRAGMA ignore_check_constraints = ON")
    store._connection.execute(sql, values)
    store._connection.execute("PRAGMA ignore_check_constraints = OFF")
    store._connection.execute("PRAGMA foreign_keys = ON")


@pytest.mark.parametrize(
    ("column", "wrong", "spoken"),
    [
        ("marks", "'[{'", "marks"),
        ("marks", "'7'", "marks"),
        ("marks", '\'[{"start":0,"dials":[{"name":"mood"}]}]\'', "marks"),
        ("marks", "'" + "[" * 100_000 + "'", "marks"),
        ("sampling", '\'{"temperature":"hot"}\'', "sampling"),
        ("sampling", "'{\"temperature\":NaN}'", "sampling"),
        ("tokens", "x'0100000002'", "tokens"),
        ("tokens", "'text'", "tokens"),
        ("tokens", "x'01000000ffffffff'", "tokens"),
        ("prompt_tokens_evaluated", "1e300", "prompt tokens evaluated"),
        ("context_size", "-5", "context size"),
        ("seed", "'seven'", "seed"),
        ("finish_reason", "'bored'", "finish reason"),
        ("model_name", "CAST(x'ff41' AS TEXT)", "model name"),
        ("tokens_per_second", "'fast'", "tokens per second"),
        ("read_as", "'{}'", "read as"),
    ],
)
def test_one_column_costs_itself_and_one_sentence(
    store: ConversationStore, column: str, wrong: str, spoken: str
) -> None:
    messages = talk_of(store)
    spoil(store, f"UPDATE replies SET {column} = {wrong} WHERE message_id = ?", messages[1].id)
    shown = store.open(messages[0].conversation_id).messages
    assert [message.content for message in shown] == ["Hi", "Hello", "Tea?", "Yes"]
    assert [message.damage for message in shown] == [
        "",
        f"Damaged in this record: {spoken}; the rest is shown.",
        "",
        "",
    ]
    assert shown[3] == messages[3]
    assert [turn.content for turn in store.turns(messages[0].conversation_id, CARD)] == ["Hi", "Hello", "Tea?", "Yes"]
    # What is exported of it can be imported.
    found = read_conversation(exported(store, messages[0].conversation_id, Path("it.json")).encode(), "it")
    assert [message.content for message in found.tree.messages] == ["Hi", "Hello", "Tea?", "Yes"]


def test_all_of_a_record_costs_all_of_it_and_still_one_sentence(store: ConversationStore) -> None:
    messages = talk_of(store)
    spoil(store, "UPDATE replies SET marks = x'00', sampling = '', tokens = x'0100000002'")
    found = store.open(messages[0].conversation_id).messages[1]
    assert found.reply is not None
    assert (found.reply.marks, found.reply.sampling, found.reply.tokens) == ((), Sampling(), (1,))
    assert found.damage == "Damaged in this record: sampling, tokens, marks; the rest is shown."


def test_text_that_is_no_utf_8_is_shown_with_replacement_characters(store: ConversationStore) -> None:
    messages = talk_of(store)
    spoil(store, "UPDATE messages SET content = CAST(x'48ff69' AS TEXT) WHERE id = ?", messages[0].id)
    spoil(store, "UPDATE messages SET content = x'48ff69' WHERE id = ?", messages[2].id)
    shown = store.open(messages[0].conversation_id).messages
    assert [message.content for message in shown] == ["H\ufffdi", "Hello", "H\ufffdi", "Yes"]
    assert "content" in shown[0].damage
    assert store.turns(messages[0].conversation_id, CARD)[0].content == "H\ufffdi"
    assert [hit.message_id for hit in store.search("yes")] == [messages[3].id]
    spoil(store, "UPDATE conversations SET title = x'48ff69'")
    assert [hit.title for hit in store.search("yes")] == ["H\ufffdi"]


def test_where_a_parent_is_gone_the_rest_of_the_path_is_shown(store: ConversationStore) -> None:
    messages = talk_of(store)
    spoil(store, "DELETE FROM messages WHERE id = ?", messages[1].id)
    shown = store.open(messages[0].conversation_id)
    assert [message.content for message in shown.messages] == ["Tea?", "Yes"]
    assert [message.damage for message in shown.messages] == [MISSING_BEFORE, ""]
    assert not shown.has_older
    assert store.older(shown.messages[0].id) == ()
    assert [message.content for message in store.choose(messages[0].id).messages] == ["Hi"]
    assert [message.content for message in store.tree(messages[0].conversation_id).messages] == ["Hi", "Tea?", "Yes"]


@pytest.mark.parametrize("leaf", ["NULL", "999999"])
def test_where_the_chosen_leaf_is_gone_the_newest_is_shown(store: ConversationStore, leaf: str) -> None:
    messages = talk_of(store)
    spoil(store, f"UPDATE conversations SET leaf_id = {leaf}")
    assert list(store.open(messages[0].conversation_id).messages) == messages


def test_messages_that_follow_each_other_in_a_ring_keep_nobody_busy(store: ConversationStore) -> None:
    messages = talk_of(store)
    talk = messages[0].conversation_id
    spoil(store, "UPDATE messages SET parent_id = ? WHERE id = ?", messages[3].id, messages[0].id)
    shown = store.open(talk)
    assert [message.content for message in shown.messages] == ["Hi", "Hello", "Tea?", "Yes"]
    assert shown.messages[0].damage == MISSING_BEFORE
    assert len(store.turns(talk, CARD)) == 4
    assert store.delete_message(messages[2].id).messages == 2


def test_what_sqlite_cannot_keep_is_replaced_before_it_is_kept(store: ConversationStore, database: Path) -> None:
    talk = store.new_conversation("sys\0tem\ud800", title="ti\0tle")
    message = store.add_message(talk.id, "user", "a\0b\udfffc \u202eright to left", None)
    assert message.content == "a\ufffdb\ufffdc \u202eright to left"
    assert (store.open(talk.id).title, store.open(talk.id).system_prompt) == ("ti tle", "sys\ufffdtem\ufffd")
    strange = DialMark(0, (DialSetting("mood\udc80", "/vectors/\udcff.gguf", 1.0),))
    running = store.begin_reply(talk.id, message.id, record(strange))
    reply = running.finish(finished("x\0", (1,), strange))
    assert reply.reply is not None
    assert reply.reply.marks == (strange,)
