"""Helping with a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown name: those that are alike, else all where they are few."""
    alike = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if alike:
        return f": did you mean {' or '.join(alike)}?"
    if 0 < len(known) <= 40:
        return f": choose one of {', '.join(sorted(known))}."
    return "."
