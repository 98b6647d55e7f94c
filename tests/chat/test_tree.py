"""Editing, stepping, branching, deleting and having it back: whatever is done in whatever order."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from localsteer.chat.conversation import Conversation, Deletion
from localsteer.chat.importing import as_imported, read_conversation
from localsteer.chat.own_json import as_own_json
from localsteer.chat.store import ConversationStore
from localsteer.chat.tree import ConversationTree
from localsteer.engine.protocol import DialMark
from localsteer.errors import StorageError
from tests.chat.conftest import HAPPY, finished, record


def said(conversation: Conversation) -> list[str]:
    return [message.content for message in conversation.messages]


def talk_of(store: ConversationStore, *texts: str) -> Conversation:
    """A conversation of these messages, the person's first."""
    talk = store.new_conversation()
    parent = None
    for number, text in enumerate(texts):
        parent = store.add_message(talk.id, "assistant" if number % 2 else "user", text, parent).id
    return store.open(talk.id)


def test_an_edited_message_is_an_alternative_and_its_old_branch_stays(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello", "Tea?", "Yes")
    new = store.edit(talk.messages[2].id, "Coffee?")
    shown = store.open(talk.id)
    assert said(shown) == ["Hi", "Hello", "Coffee?"]
    assert (new.alternative, new.alternatives) == (2, 2)
    assert said(store.step(new.id, -1)) == ["Hi", "Hello", "Tea?", "Yes"]


def test_even_the_first_message_can_be_edited(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello")
    store.edit(talk.messages[0].id, "Good day")
    assert said(store.open(talk.id)) == ["Good day"]
    assert store.open(talk.id).messages[0].alternatives == 2


def test_a_reply_is_not_edited(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello")
    with pytest.raises(StorageError, match="your own messages"):
        store.edit(talk.messages[1].id, "Something else")


def test_a_reply_generated_again_stands_beside_the_first(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello")
    asked = talk.messages[0]
    again = store.begin_reply(talk.id, asked.id, record()).finish(finished("Hey", (1,)))
    assert said(store.open(talk.id)) == ["Hi", "Hey"]
    assert (again.alternative, again.alternatives) == (2, 2)


def test_stepping_ends_at_the_first_and_the_last_alternative(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "one")
    asked = talk.messages[0].id
    ids = [talk.messages[1].id, *(store.add_message(talk.id, "assistant", text, asked).id for text in ("two", "three"))]
    assert said(store.step(ids[0], +1))[-1] == "two"
    assert said(store.step(ids[1], +1))[-1] == "three"
    assert said(store.step(ids[2], +1))[-1] == "three"
    assert said(store.step(ids[2], -9))[-1] == "one"


def test_a_branch_begins_below_any_message(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello", "Tea?", "Yes")
    short = store.continue_from(talk.messages[1].id)
    assert said(short) == ["Hi", "Hello"]
    store.add_message(talk.id, "user", "Coffee?", short.last_id)
    shown = store.open(talk.id)
    assert said(shown) == ["Hi", "Hello", "Coffee?"]
    assert (shown.messages[2].alternative, shown.messages[2].alternatives) == (2, 2)


def test_choosing_a_message_of_the_chosen_path_changes_nothing(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello", "Tea?", "Yes")
    store.add_message(talk.id, "user", "Coffee?", talk.messages[1].id)
    store.choose(talk.messages[3].id)
    assert said(store.choose(talk.messages[0].id)) == ["Hi", "Hello", "Tea?", "Yes"]


def test_a_deleted_message_takes_all_below_it_and_comes_back_with_it(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello", "Tea?", "Yes")
    other = store.add_message(talk.id, "assistant", "Hey", talk.messages[0].id)
    before = store.choose(talk.messages[3].id)
    gone = store.delete_message(talk.messages[1].id)
    assert (gone.messages, gone.words) == (3, "Hello")
    shown = store.open(talk.id)
    assert said(shown) == ["Hi", "Hey"]
    assert (shown.messages[1].alternative, shown.messages[1].alternatives) == (1, 1)
    assert store.summaries()[0].message_count == 2
    assert store.alternatives(other.id) == (other.id,)
    assert store.undo(gone) == before


def test_deleting_beside_the_chosen_path_leaves_it_as_it_is(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello")
    other = store.add_message(talk.id, "assistant", "Hey", talk.messages[0].id)
    gone = store.delete_message(talk.messages[1].id)
    assert said(store.open(talk.id)) == ["Hi", "Hey"]
    store.add_message(talk.id, "user", "So?", other.id)
    assert said(store.undo(gone)) == ["Hi", "Hey", "So?"]


def test_the_only_message_leaves_an_empty_conversation_that_goes_on(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi")
    gone = store.delete_message(talk.messages[0].id)
    assert said(store.open(talk.id)) == []
    assert said(store.undo(gone)) == ["Hi"]


def test_what_hangs_on_something_deleted_later_waits_for_that(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello", "Tea?", "Yes")
    inner, outer = store.delete_message(talk.messages[2].id), store.delete_message(talk.messages[0].id)
    with pytest.raises(StorageError, match="undo that first"):
        store.undo(inner)
    assert store.deletions(talk.id) == (outer, inner)
    store.undo(outer)
    assert said(store.undo(inner)) == ["Hi", "Hello", "Tea?", "Yes"]
    with pytest.raises(StorageError, match="undone already"):
        store.undo(inner)


def test_nothing_is_said_below_what_is_deleted(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello")
    store.delete_message(talk.messages[1].id)
    for forbidden in (
        lambda: store.add_message(talk.id, "user", "So?", talk.messages[1].id),
        lambda: store.choose(talk.messages[1].id),
        lambda: store.continue_from(talk.messages[1].id),
        lambda: store.delete_message(talk.messages[1].id),
    ):
        with pytest.raises(StorageError, match="not there any more"):
            forbidden()


def test_a_message_does_not_hang_on_another_conversation(store: ConversationStore) -> None:
    one, two = talk_of(store, "Hi"), talk_of(store, "Hey")
    with pytest.raises(StorageError, match="not there any more"):
        store.add_message(two.id, "assistant", "Hello", one.messages[0].id)


def test_a_reply_whose_question_was_deleted_meanwhile_comes_back_with_it(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi")
    running = store.begin_reply(talk.id, talk.messages[0].id, record())
    gone = store.delete_message(talk.messages[0].id)
    running.add(1, "Hel")
    running.finish(finished("Hello", (1, 2)))
    assert said(store.open(talk.id)) == []
    store.undo(gone)
    assert [message.content for message in store.tree(talk.id).messages] == ["Hi", "Hello"]


def test_a_deleted_conversation_is_nowhere_until_it_comes_back(store: ConversationStore) -> None:
    talk = talk_of(store, "Hi", "Hello")
    before = store.open(talk.id)
    gone = store.delete_conversation(talk.id)
    assert (gone.message_id, gone.words, gone.messages) == (None, "Hi", 2)
    assert store.summaries() == ()
    assert store.latest() is None
    with pytest.raises(StorageError, match="not there any more"):
        store.open(talk.id)
    with pytest.raises(StorageError, match="not there any more"):
        store.delete_conversation(talk.id)
    assert store.undo(gone) == before


def test_emptying_for_good_ends_all_undoing(store: ConversationStore) -> None:
    kept = talk_of(store, "Hi", "Hello", "Tea?", "Yes")
    inner, outer = store.delete_message(kept.messages[3].id), store.delete_message(kept.messages[1].id)
    gone = store.delete_conversation(talk_of(store, "Away").id)
    assert store.purge(older_than=3600) == 0
    assert store.purge() == 3
    assert store.deletions() == ()
    for one in (inner, outer, gone):
        with pytest.raises(StorageError, match="emptied for good"):
            store.undo(one)
    assert said(store.open(kept.id)) == ["Hi"]
    assert store._connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 1
    assert store.damage() is None
    assert store._connection.execute("PRAGMA foreign_key_check").fetchall() == []


class Trees(RuleBasedStateMachine):
    """Random operations on one conversation, beside a model of it: a parent for each message, and marks."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = ConversationStore(Path(self.folder.name) / "conversations.sqlite3")
        self.store._connection.execute("PRAGMA synchronous = OFF")  # hundreds of commits, and no power cut
        self.parents: dict[int, int | None] = {}
        self.hidden: dict[int, int] = {}
        self.undoable: list[tuple[Deletion, ConversationTree]] = []

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @property
    def there(self) -> list[int]:
        return [one for one in self.parents if one not in self.hidden]

    def below(self, top: int) -> set[int]:
        found = {top}
        for one in sorted(self.parents):
            if self.parents[one] in found:
                found.add(one)
        return found

    @initialize()
    def begin(self) -> None:
        self.talk = self.store.new_conversation()

    @rule(at=st.integers(0, 10**6), text=st.text(max_size=8), reply=st.booleans())
    def say(self, at: int, text: str, reply: bool) -> None:
        parent = self.there[at % len(self.there)] if self.there else None
        written = record(DialMark(0, (HAPPY,))) if reply else None
        message = self.store.add_message(self.talk.id, "assistant" if reply else "user", text, parent, written)
        self.parents[message.id] = parent
        self.undoable.clear()

    @precondition(lambda self: self.there)
    @rule(at=st.integers(0, 10**6))
    def edit(self, at: int) -> None:
        one = self.there[at % len(self.there)]
        if self.store.message(one).role == "user":
            self.parents[self.store.edit(one, "edited").id] = self.parents[one]
            self.undoable.clear()

    @precondition(lambda self: self.there)
    @rule(at=st.integers(0, 10**6), by=st.integers(-2, 2))
    def step(self, at: int, by: int) -> None:
        one = self.there[at % len(self.there)]
        among = [other for other in self.there if self.parents[other] == self.parents[one]]
        shown = [message.id for message in self.store.step(one, by).messages]
        assert among[min(max(among.index(one) + by, 0), len(among) - 1)] in shown
        self.undoable.clear()

    @precondition(lambda self: self.there)
    @rule(at=st.integers(0, 10**6))
    def branch(self, at: int) -> None:
        one = self.there[at % len(self.there)]
        assert self.store.continue_from(one).last_id == one
        self.undoable.clear()

    @precondition(lambda self: self.there)
    @rule(at=st.integers(0, 10**6))
    def delete(self, at: int) -> None:
        one = self.there[at % len(self.there)]
        before = self.store.tree(self.talk.id)
        gone = self.store.delete_message(one)
        taken = self.below(one) & set(self.there)
        assert gone.messages == len(taken)
        self.hidden |= dict.fromkeys(taken, gone.id)
        self.undoable.append((gone, before))

    @precondition(lambda self: self.undoable)
    @rule()
    def undo(self) -> None:
        gone, before = self.undoable.pop()
        self.store.undo(gone)
        self.hidden = {one: by for one, by in self.hidden.items() if by != gone.id}
        assert self.store.tree(self.talk.id) == before

    @rule()
    def purge(self) -> None:
        self.store.purge()
        self.parents = {one: parent for one, parent in self.parents.items() if one not in self.hidden}
        self.hidden.clear()
        self.undoable.clear()

    @invariant()
    def the_chosen_path_is_connected_and_alternatives_are_right(self) -> None:
        if not hasattr(self, "talk"):
            return
        shown = self.store.open(self.talk.id).messages
        assert bool(shown) == bool(self.there)
        parent = None
        for message in shown:
            assert message.parent_id == parent == self.parents[message.id]
            assert message.id in self.there
            among = [one for one in self.there if self.parents[one] == parent]
            assert (message.alternative, message.alternatives) == (among.index(message.id) + 1, len(among))
            assert message.damage == ""
            parent = message.id

    @invariant()
    def what_is_exported_comes_back_equal(self) -> None:
        if not hasattr(self, "talk"):
            return
        tree = self.store.tree(self.talk.id)
        assert len(tree.messages) == len(self.there)
        back = read_conversation(as_own_json(tree).encode(), "it").tree
        assert back == as_imported(tree)
        assert as_own_json(back) == as_own_json(tree)
        copy = self.store.add_tree(back)
        assert self.store.tree(copy.id) == back
        self.store.delete_conversation(copy.id)


TestTrees = Trees.TestCase
TestTrees.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
