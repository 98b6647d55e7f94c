"""Where in a reply's text its dials were turned: tokens are counted by the engine, characters are what is shown."""

from __future__ import annotations

from collections.abc import Sequence

from localsteer.engine.protocol import DialMark


def places_in_text(marks: Sequence[DialMark], pieces: Sequence[str]) -> tuple[int, ...]:
    """For each mark the character of the text before which it begins; ``pieces``: the text that each token added."""
    lengths = [0]
    for piece in pieces:
        lengths.append(lengths[-1] + len(piece))
    return tuple(lengths[min(max(mark.start, 0), len(pieces))] for mark in marks)
