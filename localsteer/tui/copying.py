"""What is copied of a conversation. Plain texts in, plain texts out."""

from __future__ import annotations

from collections.abc import Iterable

from localsteer.tui.markdown import chat_markdown
from localsteer.visible import without_controls

_SPEAKERS = {"user": "You", "assistant": "Assistant", "system": "System"}


def last_code_block(markdown: str) -> str | None:
    """The text of the last fenced block of code; None where there is none."""
    blocks = [token.content for token in chat_markdown().parse(without_controls(markdown)) if token.type == "fence"]
    return blocks[-1].rstrip("\n") if blocks else None


def conversation_text(turns: Iterable[tuple[str, str]]) -> str:
    """(role, text) of each message, as Markdown with a heading for each speaker."""
    return "\n\n".join(
        f"### {_SPEAKERS.get(role, role)}\n\n{without_controls(text).strip()}" for role, text in turns if text.strip()
    )


def first_words(text: str, width: int = 30) -> str:
    """The beginning of a text, to know it by."""
    line = " ".join(without_controls(text).split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"
