"""Everything that was ever said is found, by words that mean nothing but themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localsteer.chat import searching
from localsteer.chat.conversation import SearchHit
from localsteer.chat.store import ConversationStore
from localsteer.errors import StorageError
from localsteer.messages import Role
from tests.chat.conftest import record


def say(store: ConversationStore, *texts: str) -> list[int]:
    """A conversation of these messages; gives their ids."""
    talk = store.new_conversation(title="Untitled")
    ids: list[int] = []
    for number, text in enumerate(texts):
        role: Role = "assistant" if number % 2 else "user"
        ids.append(store.add_message(talk.id, role, text, ids[-1] if ids else None).id)
    return ids


def found(hits: tuple[SearchHit, ...]) -> list[int | None]:
    return [hit.message_id for hit in hits]


def marked(hit: SearchHit) -> list[str]:
    return [text for text, wanted in hit.snippet if wanted]


def test_a_hit_says_where_it_is_and_what_was_searched_for(store: ConversationStore) -> None:
    asked, answer = say(store, "What is a lighthouse?", "A tower with a light.")
    talk = store.message(asked).conversation_id
    (hit,) = store.search("tower light")
    assert (hit.conversation_id, hit.title, hit.message_id, hit.role) == (talk, "Untitled", answer, "assistant")
    assert marked(hit) == ["tower", "light"]
    assert "".join(text for text, _ in hit.snippet) == "A tower with a light."


def test_all_words_have_to_be_there_and_the_last_may_be_a_beginning(store: ConversationStore) -> None:
    lighthouse, _, lamp = say(store, "a lighthouse", "yes", "a lamp")
    assert found(store.search("a li")) == [lighthouse]
    assert found(store.search("a l")) == [lamp, lighthouse]
    assert store.search("lightho a") == ()
    assert found(store.search("LIGHTHOUSE")) == [lighthouse]


def test_letters_are_found_with_and_without_their_accents(store: ConversationStore) -> None:
    (cafe,) = say(store, "ein Café in Zürich")
    assert found(store.search("cafe zurich")) == found(store.search("CAFÉ Zürich")) == [cafe]


@pytest.mark.parametrize("text", ["AND", "NOT", "OR", "NEAR(a b)", 'say "hi"', "a*", "text:x", "^a", "(", "-b", "{c}"])
def test_nothing_that_is_typed_is_a_syntax(store: ConversationStore, text: str) -> None:
    (one,) = say(store, f"before {text} after")
    say(store, "zzz")
    assert found(store.search(text)) == [one]
    store.search(f'"{text}')
    store.search(f"{text}*")


def test_the_snippet_marks_the_words_as_they_were_written(store: ConversationStore) -> None:
    say(store, "before " * 100 + "in Zürich’s old Café-Bar, they say; " + "after " * 100)
    (hit,) = store.search("zurich cafe-b")
    assert marked(hit) == ["Zürich", "Café-B"]
    text = "".join(text for text, _ in hit.snippet)
    assert text.startswith("…before")
    assert text.endswith("…")
    assert len(text) < 250


def test_scripts_without_spaces_and_signs_are_found_too(store: ConversationStore) -> None:
    chinese, emoji, percent = say(store, "我住在灯塔里", "so happy 🙂 today", "100 % _sure_ ?!")
    assert found(store.search("灯塔")) == [chinese]
    assert marked(store.search("🙂")[0]) == ["🙂"]
    assert found(store.search("🙂")) == [emoji]
    assert found(store.search("% ?!")) == [percent]
    assert store.search("") == store.search(" \n") == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), max_size=20))
def test_whatever_was_said_is_found_by_typing_it_again(store: ConversationStore, text: str) -> None:
    (message,) = say(store, text)
    hits = [hit.message_id for hit in store.search(text) if hit.role == "user"]
    assert hits == ([message] if text.split() else [])
    store.delete_conversation(store.message(message).conversation_id)


def test_a_whole_page_pasted_into_the_search_is_no_error(store: ConversationStore) -> None:
    (message,) = say(store, "lighthouse " * 2_000)
    assert found(store.search("lighthouse " * 20_000)) == [message]
    assert store.search("x" * 200_000) == store.search("灯" * 200_000) == ()


def test_titles_are_found_first_and_archived_conversations_too(store: ConversationStore) -> None:
    (message,) = say(store, "about lighthouses")
    talk = store.message(message).conversation_id
    store.rename(talk, "Lighthouse keeping")
    store.archive(talk)
    title, said = store.search("lighthouse")
    assert (title.message_id, title.role, title.conversation_id, title.archived) == (None, None, talk, True)
    assert said.message_id == message
    store.rename(talk, "Something else")
    assert found(store.search("lighthouse")) == [message]


def test_what_is_deleted_is_not_found_until_it_is_back(store: ConversationStore) -> None:
    asked, answer = say(store, "the lighthouse", "a lighthouse")
    gone = store.delete_message(answer)
    assert found(store.search("lighthouse")) == [asked]
    store.undo(gone)
    assert found(store.search("lighthouse")) == [answer, asked]
    all_gone = store.delete_conversation(store.message(asked).conversation_id)
    assert store.search("lighthouse") == store.search("Untitled") == ()
    store.undo(all_gone)
    assert found(store.search("lighthouse")) == [answer, asked]


def test_nothing_that_was_emptied_for_good_stays_in_the_file(store: ConversationStore, database: Path) -> None:
    (message,) = say(store, "quetzalcoatlus " * 300)
    assert found(store.search("quetzalcoatlus")) == [message]
    store.delete_conversation(store.message(message).conversation_id)
    store.purge()
    assert store.search("quetzalcoatlus") == ()
    store.close()
    assert b"quetzalcoatlus" not in database.read_bytes()


def test_a_reply_is_found_while_it_is_written_and_as_it_is_in_the_end(store: ConversationStore) -> None:
    (asked,) = say(store, "Where do you live?")
    running = store.begin_reply(store.message(asked).conversation_id, asked, record())
    running.add(1, "In a light")
    assert found(store.search("light")) == [running.message_id]
    running.add(2, "house")
    running.save()
    assert found(store.search("lighthouse")) == [running.message_id]


def test_another_copy_of_the_app_finds_it_too(store: ConversationStore, database: Path) -> None:
    assert store.search("lighthouse") == ()
    with ConversationStore(database) as other:
        (message,) = say(other, "lighthouse")
    assert found(store.search("lighthouse")) == [message]


DAMAGES: dict[str, str] = {
    "its data are wrong": "UPDATE message_words_data SET block = x'ffffffff00' WHERE id > 10",
    "its data are empty and nothing is found": "UPDATE message_words_data SET block = x'00'",
    "its table of contents is gone": "DROP TABLE message_words_config",
    "its texts are gone": "DROP TABLE message_words_content",
    "it is gone": "DROP TABLE message_words",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_index_is_made_anew(database: Path, damage: str) -> None:
    with ConversationStore(database) as store:
        (message,) = say(store, "the lighthouse")
        assert found(store.search("lighthouse")) == [message]
    with sqlite3.connect(database) as connection:
        connection.execute(damage)
    connection.close()
    with ConversationStore(database) as store:
        (another,) = say(store, "a lighthouse")
        assert found(store.search("lighthouse")) == [another, message]
        assert store.damage() is None


def test_where_the_index_cannot_be_written_searching_is_slow_and_works(store: ConversationStore) -> None:
    (message,) = say(store, "the lighthouse")
    store._connection.execute("PRAGMA query_only = ON")
    assert found(store.search("lighthouse")) == [message]


@pytest.fixture
def without_fts5(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], ConversationStore]:
    """Opens the store as where SQLite was built without FTS5."""
    monkeypatch.setattr(searching, "_has_fts5", lambda connection: False)
    return ConversationStore


def test_without_fts5_everything_is_found_and_the_person_is_told(
    without_fts5: Callable[[Path], ConversationStore], database: Path
) -> None:
    with without_fts5(database) as store:
        assert "no full-text index (FTS5)" in store.search_limits
        asked, answer = say(store, "the 100% lighthouse " + "and more " * 50, "another Light_house")
        assert found(store.search("100% light")) == [asked]
        assert found(store.search("light_")) == [answer]
        assert marked(store.search("LIGHT lighthouse")[0]) == ["light"]
        store.rename(store.message(asked).conversation_id, "Lights")
        assert found(store.search("light")) == [None, answer, asked]
        store.delete_message(answer)
        assert found(store.search("light")) == [None, asked]
        assert store.purge() == 1
        tables = {row[0] for row in store._connection.execute("SELECT name FROM sqlite_master")}
        assert not any(table.startswith("message_words") for table in tables)


def test_with_fts5_there_is_nothing_to_be_told(store: ConversationStore) -> None:
    assert store.search_limits == ""


def test_a_closed_database_is_one_sentence(store: ConversationStore) -> None:
    store.close()
    with pytest.raises(StorageError):
        store.search("lighthouse")
