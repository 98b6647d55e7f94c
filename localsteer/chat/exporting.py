"""A conversation as a text for others: Markdown, HTML, or our own JSON, told apart by the name of its file."""

from __future__ import annotations

from pathlib import Path

from localsteer.chat.markdown_page import as_markdown
from localsteer.chat.own_json import as_own_json
from localsteer.chat.store import ConversationStore
from localsteer.errors import StorageError

FORMS = (".md", ".html", ".json")


def exported(store: ConversationStore, conversation_id: int, out: Path) -> str:
    """What is to be written to ``out``: the chosen path as Markdown or HTML, everything as JSON.

    Raises StorageError.
    """
    form = out.suffix.lower()
    if form not in FORMS:
        raise StorageError(f"{out} names no form; call it .md, .html or .json.")
    if form == ".json":
        return as_own_json(store.tree(conversation_id))
    if form == ".md":
        return as_markdown(store.open(conversation_id, last=None))
    from localsteer.chat.html_page import as_html

    return as_html(store.open(conversation_id, last=None))
