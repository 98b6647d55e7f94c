"""Telling two words for a dial, such as ``Love/Hate``, from a path and from an expression."""

from __future__ import annotations

from pathlib import PurePath

from localsteer.library.recipes import split_words


def two_words(text: str) -> tuple[str, str] | None:
    """The words of ``Love/Hate``; None for a path such as ``here/mood.gguf`` and an expression such as ``mood/2``."""
    words = split_words(text)
    if words is None or text.count("/") > 1 or "\\" in text or PurePath(text).suffix or text.startswith((".", "~")):
        return None
    return None if any(sign in text for sign in "*@()") or any(word.strip()[:1].isdigit() for word in words) else words
