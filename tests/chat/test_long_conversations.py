"""A long conversation opens with its last page; the rest is had when it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from localsteer.chat.store import PAGE, ConversationStore
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.engine.protocol import DialMark
from tests.chat.conftest import CARD, HAPPY, record


def long_tree(length: int) -> ConversationTree:
    """Questions and replies in a row, numbered from 0."""
    return ConversationTree(
        title="Long",
        messages=tuple(
            TreeMessage(
                number - 1 if number else None,
                "assistant" if number % 2 else "user",
                f"message {number}",
                float(number),
                record(DialMark(0, (HAPPY,))) if number % 2 else None,
            )
            for number in range(length)
        ),
    )


@pytest.fixture
def talk(store: ConversationStore) -> int:
    return store.add_tree(long_tree(2_000)).id


def numbers(messages: object) -> list[int]:
    return [int(message.content.split()[1]) for message in messages]  # type: ignore[attr-defined]


def test_it_opens_with_its_last_page_and_gives_the_pages_before(store: ConversationStore, talk: int) -> None:
    shown = store.open(talk)
    assert numbers(shown.messages) == list(range(2_000 - PAGE, 2_000))
    assert shown.has_older
    before = store.older(shown.messages[0].id)
    assert numbers(before) == list(range(2_000 - 2 * PAGE, 2_000 - PAGE))
    assert numbers(store.older(before[0].id, limit=7)) == list(range(2_000 - 2 * PAGE - 7, 2_000 - 2 * PAGE))


def test_before_the_first_message_there_is_nothing(store: ConversationStore, talk: int) -> None:
    whole = store.open(talk, last=None)
    assert numbers(whole.messages) == list(range(2_000))
    assert not whole.has_older
    assert store.older(whole.messages[0].id) == ()
    assert numbers(store.older(whole.messages[3].id)) == [0, 1, 2]


def test_a_message_that_was_searched_for_is_among_those_that_are_shown(store: ConversationStore, talk: int) -> None:
    (hit,) = store.search("message 700")
    assert hit.message_id is not None
    shown = store.choose(hit.message_id)
    assert numbers(shown.messages) == list(range(700, 2_000))
    assert numbers(store.choose(shown.messages[-1].id).messages) == list(range(2_000 - PAGE, 2_000))


def test_the_engine_gets_all_of_it(store: ConversationStore, talk: int) -> None:
    turns = store.turns(talk, CARD)
    assert [int(turn.content.split()[1]) for turn in turns] == list(range(2_000))
    assert turns[1].marks == (DialMark(0, (HAPPY,)),)
    until = store.turns(talk, CARD, until=store.open(talk).messages[-3].id)
    assert until == turns[:-2]


def work(store: ConversationStore, do: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes for it, in hundreds: the same on every computer."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    store._connection.set_progress_handler(step, 100)
    do()
    store._connection.set_progress_handler(None, 100)
    return steps


def test_opening_does_not_depend_on_the_length(database: Path) -> None:
    with ConversationStore(database) as store:
        short, long = store.add_tree(long_tree(200)).id, store.add_tree(long_tree(4_000)).id
        assert work(store, lambda: store.open(long)) <= 1.1 * work(store, lambda: store.open(short))


def test_opening_takes_two_or_three_queries_and_none_for_each_message(store: ConversationStore, talk: int) -> None:
    asked: list[str] = []
    store._connection.set_trace_callback(asked.append)
    store.open(talk)
    assert len([one for one in asked if not one.startswith("--")]) <= 3


def test_of_a_large_database_half_a_megabyte_is_held_in_memory(store: ConversationStore) -> None:
    (size,) = store._connection.execute("PRAGMA cache_size").fetchone()
    assert -512 <= size < 0, "in KiB where it is negative, else in pages"
