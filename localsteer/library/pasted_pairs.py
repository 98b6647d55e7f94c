"""Pairs in a text that was pasted: two columns, or the lines of one side and then the other's."""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"\t+| +\| +")


def pairs_in(text: str) -> tuple[tuple[str, str], ...]:
    """The (positive, negative) rows of a pasted text. Never raises.

    With a tab (a spreadsheet's) or a ``|`` in every line each line is a row; otherwise the lines are taken by twos, and
    a last one without another stands alone.
    """
    lines = [line.strip(" \r\n") for line in text.splitlines() if line.strip()]
    split = [_BETWEEN.split(line.strip(), maxsplit=1) for line in lines]
    if lines and all(len(parts) == 2 for parts in split):
        return tuple((first.strip(), second.strip()) for first, second in split)
    bare = [line.strip() for line in lines]
    return tuple((first, second) for first, second in zip(bare[::2], [*bare[1::2], *[""]], strict=False))
