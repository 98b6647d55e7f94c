"""The open conversation: what the engine is given, and what the record keeps when the disk is full."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from localsteer.chat.conversation import ReadAs
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark, DialSetting, Finished, Sampling
from localsteer.errors import StorageError
from localsteer.tui.talk import Talk, open_store
from tests.tui.test_opening import CARD

DIALS = (DialSetting("mood", "/mood.gguf", 0.8),)
OTHER = (DialSetting("mood", "/mood.gguf", -0.5),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    with ConversationStore(tmp_path / "conversations.sqlite3") as store:
        yield store


def finished(text: str, marks: tuple[DialMark, ...] = (DialMark(0, DIALS),)) -> Finished:
    return Finished(1, "end", text, (5, 6), marks, 7, 10, 0, 30.0, 20, 100)


def reply(talk: Talk, text: str) -> None:
    running = talk.begin_reply(CARD, Sampling(), DIALS)
    running.finish(finished(text))
    talk.add_reply(running)


def fill_disk(store: ConversationStore) -> None:
    """From now on SQLite itself says that the disk is full."""
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")


def empty_disk(store: ConversationStore) -> None:
    store._connection.execute("PRAGMA max_page_count = 1000000")


def test_replies_go_to_the_engine_with_their_tokens_and_the_dials_of_their_time(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.system_prompt = "Be kind."
    talk.say("Hello")
    reply(talk, "Hi!")
    talk.say("And?")
    system, hello, hi, more = talk.turns(CARD)
    assert (system.role, system.content) == ("system", "Be kind.")
    assert (hello.role, hello.content, hello.marks) == ("user", "Hello", ())
    assert (hi.content, hi.tokens, hi.marks) == ("Hi!", (5, 6), (DialMark(0, DIALS),))
    assert more.content == "And?"


def test_reading_all_again_gives_earlier_replies_other_dials_and_keeps_the_record(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.say("Hello")
    reply(talk, "Hi!")
    talk.read_all_as(OTHER)
    talk.say("And?")
    reply(talk, "Well.")
    talk.say("So?")
    assert [turn.marks for turn in talk.turns(CARD) if turn.role == "assistant"] == [
        (DialMark(0, OTHER),),
        (DialMark(0, DIALS),),
    ]
    latest = store.latest()
    assert latest is not None
    record = latest.messages[1].reply
    assert record is not None
    assert record.marks == (DialMark(0, DIALS),)


def test_messages_that_nobody_answered_are_one_turn(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.say("Hello?")
    talk.say("Anybody?")
    assert [turn.content for turn in talk.turns(CARD)] == ["Hello?\n\nAnybody?"]
    assert len(talk.messages) == 2


def test_what_has_scrolled_far_away_is_left_to_the_record_and_the_engine_gets_the_same(
    store: ConversationStore,
) -> None:
    talk, little = Talk(store), replace(CARD, n_ctx=64)
    for number in range(150):
        talk.say(f"question {number}")
        reply(talk, f"answer {number}")
        if number == 120:
            talk.read_all_as(OTHER)
    said = talk.whole()
    for last in (120, 20):
        talk.say("And?")
        all_of_it, some = talk.turns(CARD), talk.turns(little)
        assert talk.take_back_question() == "And?"
        talk.forget_before(talk.messages[-last].id)
        assert len(talk.messages) == last
        assert talk.whole() == said
        talk.say("And?")
        assert talk.turns(CARD) == all_of_it
        assert talk.turns(little) == some
        talk.take_back_question()
    talk.forget_before(talk.messages[-1].id)
    assert len(talk.messages) == 20, "not worth it"
    talk.load_older()
    assert talk.messages == said[-120:]


def test_a_long_conversation_that_grows_is_not_read_again(store: ConversationStore) -> None:
    """With each turn it would take longer, and more memory."""
    talk = Talk(store)
    read: list[str] = []
    for number in range(300):
        talk.say(f"question {number}")
        talk.forget_before(talk.messages[-10:][0].id)
        reply(talk, f"answer {number}")
        if number == 0:
            talk.turns(CARD)
            store._connection.set_trace_callback(lambda sql: read.append(sql) if "WITH RECURSIVE" in sql else None)
        talk.turns(CARD)
    store._connection.set_trace_callback(None)
    assert len(talk.messages) < 120
    assert read == []
    assert talk.conversation is not None
    assert talk.turns(CARD)[-50:] == store.turns(talk.conversation.id, CARD)[-50:]


def test_a_question_is_known_to_be_answered_though_something_was_said_after_it(
    store: ConversationStore,
) -> None:
    talk = Talk(store)
    talk.say("Hello")
    reply(talk, "Hi!")
    assert not talk.was_answered
    talk.say("And?")
    assert not talk.was_answered
    # Nobody answers; it is in the input again, and in the record.
    assert talk.take_back_question() == "And?"
    assert talk.take_back_reply() is not None
    assert talk.was_answered


def test_a_reply_that_is_taken_back_makes_room_for_an_alternative(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.say("Hello")
    reply(talk, "Hi!")
    taken = talk.take_back_reply()
    assert taken is not None
    assert taken.content == "Hi!"
    reply(talk, "Good day.")
    latest = store.latest()
    assert latest is not None
    assert [message.content for message in latest.messages] == ["Hello", "Good day."]
    assert latest.messages[1].alternatives == 2


def test_a_long_conversation_is_gone_on_with_and_the_engine_gets_all_of_it(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.system_prompt = "Be kind."
    for number in range(60):
        talk.say(f"question {number}")
        reply(talk, f"answer {number}")
    conversation = store.latest()
    assert conversation is not None
    again = Talk(store)
    again.open(store.open(conversation.id, last=10))
    assert (len(again.messages), again.system_prompt) == (10, "Be kind.")
    again.say("And?")
    assert len(again.turns(CARD)) == 1 + 121
    assert again.turns(CARD)[:-1] == talk.turns(CARD)
    assert len(again.load_older()) == 100
    assert len(again.load_older()) == 10
    assert again.load_older() == ()
    assert again.turns(CARD)[:-1] == talk.turns(CARD)


def test_the_record_keeps_that_earlier_replies_were_read_under_other_dials(store: ConversationStore) -> None:
    talk = Talk(store)
    for number in range(2):
        talk.say(f"question {number}")
        reply(talk, f"answer {number}")
    conversation = store.latest()
    assert conversation is not None
    again = Talk(store)
    again.open(store.open(conversation.id, last=1))
    again.take_back_reply()
    again.messages = list(store.older(conversation.messages[3].id, limit=1))
    again.read_all_as(OTHER)
    reply(again, "another answer")
    written = again.messages[-1]
    assert written.reply is not None
    assert written.reply.read_as == ReadAs(1, OTHER)
    assert [turn.marks for turn in store.turns_again(written.id, CARD)] == [(), (DialMark(0, OTHER),), ()]


def test_a_new_chat_is_not_stored_before_something_is_said(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.begin_anew()
    assert store.summaries() == ()
    assert not talk.can_write_again


def test_on_a_full_disk_a_message_is_refused_and_said_again_later(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.say("Hello")
    reply(talk, "Hi!")
    fill_disk(store)
    with pytest.raises(StorageError, match=r"space|full"):
        talk.say("x" * 50_000)
    assert len(talk.messages) == 2
    empty_disk(store)
    talk.say("x" * 50_000)
    latest = store.latest()
    assert latest is not None
    assert len(latest.messages) == 3


def test_a_reply_that_could_not_be_saved_is_kept_and_saved_before_the_next_message(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.say("Hello")
    running = talk.begin_reply(CARD, Sampling(), DIALS)
    fill_disk(store)
    long = "y" * 50_000
    with pytest.raises(StorageError):
        running.finish(finished(long))
    talk.add_reply(running)
    assert talk.turns(CARD)[-1].content == long
    with pytest.raises(StorageError):
        talk.say("And?")
    empty_disk(store)
    talk.say("And?")
    latest = store.latest()
    assert latest is not None
    assert [message.content[:3] for message in latest.messages] == ["Hel", "yyy", "And"]


def test_a_first_message_that_cannot_be_saved_leaves_no_empty_conversation(store: ConversationStore) -> None:
    talk = Talk(store)
    fill_disk(store)
    with pytest.raises(StorageError):
        talk.say("A long story. " * 5_000)
    assert store.summaries(10) == ()
    assert talk.conversation is None
    empty_disk(store)
    talk.say("A short one.")
    assert len(store.summaries(10)) == 1


def test_a_reply_that_was_never_saved_does_not_come_back_over_its_successor(store: ConversationStore) -> None:
    talk = Talk(store)
    talk.say("Hello")
    running = talk.begin_reply(CARD, Sampling(), DIALS)
    fill_disk(store)
    with pytest.raises(StorageError):
        running.finish(finished("y" * 50_000))
    talk.add_reply(running)
    assert talk.take_back_reply() is not None
    empty_disk(store)
    reply(talk, "Good day.")
    talk.save_left_over()
    latest = store.latest()
    assert latest is not None
    assert [message.content for message in latest.messages] == ["Hello", "Good day."]


def test_without_room_for_anything_the_conversations_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    monkeypatch.setattr(tempfile, "tempdir", str(in_the_way / "no folder"))
    with pytest.raises(StorageError, match="not even a temporary one"):
        open_store(in_the_way / "conversations.sqlite3")
