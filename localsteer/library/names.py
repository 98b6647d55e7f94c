"""Names: helping with one that is not known, and finding one for what is new."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection

from localsteer.library.files import is_reserved

_LONGEST_SUGGESTION = 40


def folded(name: str) -> str:
    """Equal for names that some system takes for one file's: macOS and Windows tell no capitals from small letters."""
    return unicodedata.normalize("NFC", name).casefold()


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown name: those that are alike, else all where they are few."""
    alike = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if alike:
        return f": did you mean {' or '.join(alike)}?"
    if 0 < len(known) <= 40:
        return f": choose one of {', '.join(sorted(known))}."
    return "."


def suggested_name(text: str) -> str:
    """A name for a recipe about ``text``, fit to be a file's: its words in small letters with dashes between them, or
    nothing where there is no word in it.
    """
    words = re.findall(r"[^\W_]+", text.casefold())
    name = "-".join(words)
    if len(name) > _LONGEST_SUGGESTION:
        name = name[:_LONGEST_SUGGESTION].rpartition("-")[0] or name[:_LONGEST_SUGGESTION]
    # The name of a device on Windows is no file's.
    return f"{name}-dial" if is_reserved(name) else name
