"""What a text shares with another one: runs of words."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import takewhile

_RUN = 3
"""So many words in a row are no accident."""

_MOST_WORDS = 1500
"""Comparing takes the product of the lengths; of longer texts only the beginning is looked at."""


def shared(text: str, base: str) -> list[tuple[str, bool]]:
    """``text`` in pieces, each with whether ``base`` has it, too; together they are ``text``."""
    words, others = re.findall(r"\s*\S+", text), base.split()
    bare = [word.strip() for word in words]
    same = [False] * len(words)
    if max(len(bare), len(others)) > _MOST_WORDS:
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(bare, others, strict=False))
        blocks = [(0, sum(1 for _ in alike))]
    else:
        matching = SequenceMatcher(None, bare, others, autojunk=False).get_matching_blocks()
        blocks = [(block.a, block.size) for block in matching]
    for start, size in blocks:
        if size >= _RUN:
            same[start : start + size] = [True] * size
    pieces: list[tuple[str, bool]] = []
    for word, is_same in zip(words, same, strict=True):
        if pieces and pieces[-1][1] == is_same:
            pieces[-1] = (pieces[-1][0] + word, is_same)
        else:
            pieces.append((word, is_same))
    rest = text[sum(map(len, words)) :]
    return [*pieces, (rest, False)] if rest else pieces
