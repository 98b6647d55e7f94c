"""Tokens of a text that is nothing but text.

llama.cpp leaves control tokens alone where it is told that a text has none, but both of its tokenisers can still put
one together from ordinary pieces (``</`` and ``s>``), and user-defined tokens are made of their texts in any case. So
what comes out is looked through, and where it holds a token that the text may not have, the text is cut in two behind
the first character of what spells it, and tokenised again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence


def tokens_without(
    text: str, tokenise: Callable[[str, bool], list[int]], forged: Callable[[Sequence[int]], set[str]]
) -> tuple[list[int], list[int]]:
    """The tokens of ``text`` in which ``forged`` finds nothing, and the characters before which it was cut for that.

    ``tokenise``: a part of the text, and whether other parts come before it; ``forged``: the texts of those tokens that
    may not be among the given ones.
    """
    splits: set[int] = set()
    found = tokenise(text, False)
    while wrong := forged(found):
        more = {at + 1 for spelled in wrong for at in _places(text, spelled)} - splits - {len(text)}
        if not more:
            # A special token of one character: there is no other way to write it.
            return [token for token in found if not forged([token])], sorted(splits)
        splits |= more
        found = tokens_between(text, sorted(splits), tokenise)
    return found, sorted(splits)


def tokens_between(text: str, splits: Sequence[int], tokenise: Callable[[str, bool], list[int]]) -> list[int]:
    """The tokens of ``text``; its parts between ``splits`` (characters, in their order) know nothing of each other."""
    tokens: list[int] = []
    inner = [at for at in splits if 0 < at < len(text)]
    for begin, end in zip([0, *inner], [*inner, len(text)], strict=True):
        tokens += tokenise(text[begin:end], begin > 0)
    return tokens


def _places(text: str, part: str) -> list[int]:
    """Where ``part`` begins in ``text``, also where it overlaps itself."""
    return [found.start() for found in re.finditer(f"(?={re.escape(part)})", text)] if part else []
