"""Conversations go out and come back: our own JSON without loss, others' messages as far as they are text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localsteer.chat.conversation import ReadAs, ReplyRecord
from localsteer.chat.importing import Imported, as_imported, read_conversation
from localsteer.chat.own_json import as_own_json
from localsteer.chat.store import ConversationStore
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.engine.protocol import DialMark, DialSetting, Sampling
from localsteer.errors import StorageError
from tests.chat.conftest import HAPPY, SAD, record

finite = st.floats(allow_nan=False, allow_infinity=False)
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
dials = st.builds(
    DialSetting,
    name=text,
    vector_path=text,
    strength=finite,
    layers=st.none() | st.lists(st.integers(0, 200), max_size=3).map(tuple),
    scope=st.sampled_from(["reply", "everything", "prompt-start"]),
)
marks = st.lists(
    st.builds(DialMark, start=st.integers(0, 10**6), dials=st.lists(dials, max_size=2).map(tuple)), max_size=3
).map(tuple)
counts = st.integers(0, 2**40)
records = st.builds(
    ReplyRecord,
    model_name=text,
    model_path=text,
    model_id=text,
    vocabulary=text,
    system_prompt=text,
    sampling=st.builds(
        Sampling,
        temperature=finite,
        top_k=st.integers(0, 1000),
        seed=st.none() | st.integers(0, 2**32),
        max_tokens=st.none() | counts,
    ),
    seed=st.none() | st.integers(0, 2**32),
    tokens=st.lists(st.integers(0, 2**31 - 1), max_size=5).map(tuple),
    marks=marks,
    finish_reason=st.sampled_from([None, "end", "length", "stopped", "context"]),
    prompt_tokens_evaluated=counts,
    prompt_tokens_reused=counts,
    tokens_per_second=finite,
    seconds_to_first=st.none() | finite,
    seconds=st.none() | finite,
    context_size=counts,
    written_with=text,
    read_as=st.none() | st.builds(ReadAs, replies=st.integers(0, 99), dials=st.lists(dials, max_size=2).map(tuple)),
)


@st.composite
def trees(draw: st.DrawFn) -> ConversationTree:
    messages: list[TreeMessage] = []
    for number in range(draw(st.integers(0, 5))):
        messages.append(
            TreeMessage(
                parent=draw(st.none() | st.integers(0, number - 1)) if number else None,
                role=draw(st.sampled_from(["system", "user", "assistant"])),
                content=draw(text),
                created=draw(finite),
                reply=draw(st.none() | records),
            )
        )
    return ConversationTree(
        title=draw(text),
        titled_by=draw(st.sampled_from(["words", "model", "hand"])),
        system_prompt=draw(text),
        created=draw(finite),
        updated=draw(finite),
        pinned=draw(st.booleans()),
        archived=draw(st.booleans()),
        messages=tuple(messages),
        leaf=draw(st.integers(0, len(messages) - 1)) if messages else None,
    )


@settings(max_examples=60, deadline=None)
@given(tree=trees())
def test_our_own_json_loses_nothing(tree: ConversationTree) -> None:
    assert read_conversation(as_own_json(tree).encode(), "it") == Imported(as_imported(tree))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
def test_neither_does_the_database(store: ConversationStore, tree: ConversationTree) -> None:
    store._connection.execute("PRAGMA synchronous = OFF")
    assert store.tree(store.add_tree(tree).id) == tree


def a_tree() -> ConversationTree:
    return ConversationTree(
        title="Tea",
        messages=(
            TreeMessage(None, "user", "Tea?", 1.0),
            TreeMessage(0, "assistant", "Yes", 2.0, record(DialMark(0, (HAPPY, SAD)))),
        ),
        leaf=1,
    )


def document(change: str, value: object) -> bytes:
    """Our own JSON with something else at ``change``, a path of keys; ``...`` for nothing at all."""
    whole: Any = json.loads(as_own_json(a_tree()))
    at = whole
    *path, last = [int(key) if key.isdigit() else key for key in change.split(".")]
    for key in path:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    ("change", "value", "told"),
    [
        ("version", 2, "version 2"),
        ("title", 7, "title: a text"),
        ("pinned", 1, "pinned: true or false"),
        ("titled_by", "nobody", "titled_by: one of words, model, hand"),
        ("leaf", 9, '"leaf" names message 9'),
        ("created", True, "created: a number"),
        ("messages", {}, "messages: a list"),
        ("messages.1", 3, r"messages\[1\] must be an object"),
        ("messages.1.parent", 1, r"messages\[1\].parent must be the number of an earlier message"),
        ("messages.0.role", "tool", r"messages\[0\].role: one of"),
        ("messages.0.content", None, r"messages\[0\].content: a text"),
        ("messages.0.content", ..., r"messages\[0\].content is missing"),
        ("messages.1.reply", [], r"messages\[1\].reply must be an object"),
        ("messages.1.reply.tokens", [2**31], r"messages\[1\].reply.tokens: token ids"),
        ("messages.1.reply.seed", 2**63, r"messages\[1\].reply.seed: a whole number"),
        ("messages.1.reply.sampling", 1, r"messages\[1\].reply.sampling: an object"),
        ("messages.1.reply.marks.0.dials.0.scope", "nowhere", r"messages\[1\].reply.marks: a scope"),
        ("messages.1.reply.marks.0.dials.0.strength", ..., r'messages\[1\].reply.marks: "strength" is missing'),
    ],
)
def test_what_is_wrong_with_our_own_json_is_told_with_its_place(change: str, value: object, told: str) -> None:
    with pytest.raises(StorageError, match=f"^it cannot be imported: .*{told}"):
        read_conversation(document(change, value), "it")


OPENAI = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": [{"type": "text", "text": "Tea?"}, {"type": "input_text", "text": "Or coffee?"}]},
    {"role": "assistant", "content": "Tea."},
]


@pytest.mark.parametrize("whole", [OPENAI, {"model": "x", "messages": OPENAI}], ids=["list", "object"])
def test_messages_as_openais_interface_takes_them_become_a_conversation(
    store: ConversationStore, whole: object
) -> None:
    found = read_conversation(b"\xef\xbb\xbf" + json.dumps(whole).encode(), "it")
    assert found.notes == ()
    shown = store.add_tree(found.tree)
    assert (shown.title, shown.system_prompt, shown.titled_by) == ("Tea? Or coffee?", "Be kind.", "words")
    assert [(message.role, message.content) for message in shown.messages] == [
        ("user", "Tea?\n\nOr coffee?"),
        ("assistant", "Tea."),
    ]


def test_what_has_no_place_here_is_left_out_and_told_in_one_sentence() -> None:
    found = read_conversation(
        json.dumps(
            [
                {"role": "developer", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {}}, {"type": "text", "text": "This?"}],
                },
                {"role": "assistant", "content": None, "tool_calls": [{}]},
                {"role": "tool", "content": "42"},
                {"role": "function", "content": "43"},
                {"role": "assistant", "content": "A cat."},
            ]
        ).encode(),
        "it",
    )
    assert found.tree.system_prompt == "Be brief."
    assert [message.content for message in found.tree.messages] == ["This?", "A cat."]
    assert found.notes == (
        "Left out, because only texts can be kept here: 1 of the role function, 1 of the role tool, "
        "1 of the type image_url, 1 that only call a tool.",
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is not JSON: expecting value in line 1, column 1"),
        (b'[\n{"role": "user",\n]', "line 3"),
        (b"\xff\xfe[\x00", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
        (b'[{"role": "user", "content": NaN}]', "NaN is no number"),
        (b"7", "neither"),
        (b'{"mapping": {}}', 'neither a conversation of localsteer nor an object with a list of "messages"'),
        (b"[]", "no messages"),
        (b'[{"role": "system", "content": "x"}]', "no messages"),
        (b'["hi"]', r"messages\[0\] must be an object"),
        (b'[{"role": "alien", "content": "x"}]', r'messages\[0\].role is "alien"; known are assistant, developer'),
        (b'[{"content": "x"}]', r"messages\[0\].role is null"),
        (b'[{"role": ["user"], "content": "x"}]', r"messages\[0\].role"),
        (b'[{"role": "user"}]', r"messages\[0\].content must be a text"),
        (b'[{"role": "user", "content": ["x"]}]', r"messages\[0\].content\[0\] must be an object"),
        (b'[{"role": "user", "content": [{"type": "text"}]}]', r"messages\[0\].content\[0\].text"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(content: bytes, told: str) -> None:
    with pytest.raises(StorageError, match=told) as error:
        read_conversation(content, "it")
    assert "\n" not in str(error.value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    whole=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["user", "text", "tool"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["role", "content", "type", "text", "messages", "format"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_json_it_is_there_is_a_conversation_or_a_sentence(store: ConversationStore, whole: object) -> None:
    store._connection.execute("PRAGMA synchronous = OFF")
    try:
        found = read_conversation(json.dumps(whole).encode(), "it")
    except StorageError:
        return
    store.add_tree(found.tree)


def test_an_import_that_fails_halfway_adds_nothing(store: ConversationStore) -> None:
    broken = ConversationTree(
        messages=(TreeMessage(None, "user", "Tea?", 1.0), TreeMessage(0, "alien", "x", 2.0)),  # type: ignore[arg-type]
    )
    with pytest.raises(StorageError):
        store.add_tree(broken)
    assert store.summaries() == ()
    assert store.search("tea") == ()
