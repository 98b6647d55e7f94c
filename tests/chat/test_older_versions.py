"""A database that an older localsteer has written is brought up to date and loses nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from localsteer.chat.conversation import ReplyRecord
from localsteer.chat.schema import STEPS, statements
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark, Sampling
from tests.chat.conftest import CARD, SAD

MARKS = (
    '[{"start":0,"dials":[{"name":"mood","vector_path":"/vectors/mood.gguf",'
    '"strength":-1.25,"layers":null,"scope":"reply"}]}]'
)


@pytest.fixture
def old_database(database: Path) -> Path:
    """As the first version left it: two conversations, one with two replies to choose from."""
    database.parent.mkdir()
    with sqlite3.connect(database) as connection:
        for statement in statements(STEPS[0]):
            connection.execute(statement)
        connection.executescript(
            f"""
            INSERT INTO conversations (id, title, system_prompt, created, updated) VALUES
                (1, 'Where do you live?', 'Be kind.', 100, 110), (2, 'Tea', '', 200, 210);
            INSERT INTO messages (id, conversation_id, parent_id, role, content, created) VALUES
                (1, 1, NULL, 'user', 'Where do you live?', 100), (2, 1, 1, 'assistant', 'In a house.', 101),
                (3, 1, 1, 'assistant', 'In a lighthouse.', 102), (4, 2, NULL, 'user', 'Tea', 200);
            INSERT INTO replies (message_id, model_name, model_path, model_id, vocabulary, system_prompt, sampling,
                seed, tokens, marks, finish_reason, tokens_per_second)
                VALUES (3, 'Small', '/models/small.gguf', 'abc123', 'vocabulary-1', 'Be kind.',
                '{{"temperature":0.5,"seed":7}}', 7, x'0500000006000000', '{MARKS}', 'end', 31.5);
            UPDATE conversations SET leaf_id = 3 WHERE id = 1;
            UPDATE conversations SET leaf_id = 4 WHERE id = 2;
            PRAGMA user_version = 1;
            """
        )
    connection.close()
    return database


def test_everything_is_there_and_can_be_searched(old_database: Path) -> None:
    with ConversationStore(old_database) as store:
        assert [(one.title, one.message_count) for one in store.summaries()] == [("Tea", 1), ("Where do you live?", 3)]
        shown = store.open(1)
        assert [message.content for message in shown.messages] == ["Where do you live?", "In a lighthouse."]
        assert (shown.messages[1].alternative, shown.messages[1].alternatives) == (2, 2)
        assert shown.messages[1].damage == ""
        assert shown.messages[1].reply == ReplyRecord(
            model_name="Small",
            model_path="/models/small.gguf",
            model_id="abc123",
            vocabulary="vocabulary-1",
            system_prompt="Be kind.",
            sampling=Sampling(temperature=0.5, seed=7),
            seed=7,
            tokens=(5, 6),
            marks=(DialMark(0, (SAD,)),),
            finish_reason="end",
            tokens_per_second=31.5,
        )
        assert [hit.message_id for hit in store.search("light")] == [3]
        assert [hit.message_id for hit in store.search("tea")] == [None, 4]
        assert store.turns_again(3, CARD)[0].content == "Be kind."
        assert store.damage() is None


def test_it_can_be_written_to_and_a_model_may_name_it(old_database: Path) -> None:
    with ConversationStore(old_database) as store:
        gone = store.delete_message(3)
        assert [message.content for message in store.open(1).messages] == ["Where do you live?", "In a house."]
        store.undo(gone)
        assert store.set_title(1, "A home at the sea", made_by_model=True)


def test_it_is_brought_up_to_date_once(old_database: Path) -> None:
    for _ in range(2):
        with ConversationStore(old_database) as store:
            assert store._connection.execute("PRAGMA user_version").fetchone()[0] == len(STEPS)
