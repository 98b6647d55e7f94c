"""Conversations of strangers that are imported: how they are spoilt, and all that is done with them."""

from __future__ import annotations

from pathlib import Path

from localsteer.chat.exporting import exported
from localsteer.chat.foot import day_and_time, foot_of
from localsteer.chat.importing import read_conversation_file
from localsteer.chat.store import ConversationStore
from tests.chat.conftest import CARD
from tests.hardening.hostile_kinds import Kind, as_json
from tests.hardening.hostile_texts import spoilt_json

_MARK = {
    "start": 0,
    "dials": [{"name": "mood", "vector_path": "/v.gguf", "strength": 1.5, "layers": [3], "scope": "reply"}],
}
_REPLY = {
    "model_name": "Small",
    "model_path": "/m.gguf",
    "model_id": CARD.model_id,
    "vocabulary": CARD.vocabulary,
    "system_prompt": "",
    "written_with": "1",
    "prompt_tokens_evaluated": 3,
    "prompt_tokens_reused": 4,
    "context_size": 512,
    "tokens_per_second": 30.5,
    "seconds_to_first": 0.1,
    "seconds": None,
    "tokens": [1, 2, 3],
    "seed": 7,
    "finish_reason": "end",
    "sampling": {"temperature": 0.7, "top_k": 40, "seed": 7, "max_tokens": None},
    "marks": [_MARK],
    "read_as": {"replies": 1, "dials": _MARK["dials"]},
    "mark_places": [0],
    "course": {
        "cuts": [[3, 3, 1]],
        "n_threads": 1,
        "dropped": 0,
        "prefix": "",
        "afresh": False,
        "sides": [_MARK["dials"]],
        "side": 0,
    },
}
OWN_JSON: object = {
    "format": "localsteer conversation",
    "version": 1,
    "written_with": "1",
    "title": "Gardens",
    "titled_by": "words",
    "system_prompt": "Be kind.",
    "created": 1.7e9,
    "updated": 1.7e9,
    "pinned": False,
    "archived": False,
    "leaf": 1,
    "messages": [
        {"parent": None, "role": "user", "content": "Hi", "created": 1.7e9, "reply": None},
        {"parent": 0, "role": "assistant", "content": "Hello **you**", "created": 1.7e9, "reply": _REPLY},
    ],
}
OPENAI: tuple[object, ...] = (
    [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes"},
    ],
    {
        "title": "Talk",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {}}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": 1}]},
            {"role": "tool", "content": "x"},
        ],
    },
)


class Chats:
    """A store that every imported conversation goes into, and out of again in every form."""

    def __init__(self, folder: Path) -> None:
        self.store = ConversationStore(folder / "imported.sqlite3")

    def imported(self, path: Path) -> None:
        """Read, kept, shown, exported, read again, and made turns of."""
        found = read_conversation_file(path)
        talk = self.store.add_tree(found.tree)
        for form in (".md", ".html", ".json"):
            text = exported(self.store, talk.id, path.with_suffix(form))
            text.encode("utf-8", "replace")
        for message in talk.messages:
            foot_of(message)
            day_and_time(message.created)
        self.store.turns(talk.id, CARD)
        for message in talk.messages:
            if message.reply is not None:
                self.store.turns_again(message.id, CARD)
        self.store.summaries()
        self.store.search("hello")
        self.store.delete_conversation(talk.id)
        self.store.purge()

    def own_json(self) -> Kind:
        """Our own form."""
        return Kind("own JSON", "talk.json", as_json(OWN_JSON), spoilt_json, (self.imported,))

    def openai(self) -> Kind:
        """The form of OpenAI's interface."""
        return Kind("OpenAI JSON", "talk.json", as_json(*OPENAI), spoilt_json, (self.imported,))
