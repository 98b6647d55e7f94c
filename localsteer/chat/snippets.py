"""The passage of a text that a search found, with what was searched for marked in it.

FTS5 has a function for this, but its time grows with the square of how often the words occur in a long message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_BEFORE, _AFTER = 50, 110
_RUN = re.compile(r"[^\W_]+")


class _Folds(dict[int, str]):
    """Small letters without accents, one for each letter, so that places stay what they are; made as they are met."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


_FOLDS = _Folds()


def folded(text: str) -> str:
    """``text`` in small letters without accents, of the same length."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def words_pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Finds what FTS5 finds: whole words, the last of them perhaps as a beginning; in folded texts."""
    places = []
    for number, word in enumerate(words):
        runs = _RUN.findall(folded(word))
        end = "" if number == len(words) - 1 else r"(?![^\W_])"
        places.append(r"(?<![^\W_])" + r"[\W_]+".join(map(re.escape, runs)) + end)
    return re.compile("|".join(places))


def pieces_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Finds ``words`` wherever they stand, even inside others; in folded texts."""
    return re.compile("|".join(re.escape(folded(word)) for word in words))


def snippet(text: str, pattern: re.Pattern[str]) -> tuple[tuple[str, bool], ...]:
    """The passage around the first thing that ``pattern`` finds, in pieces, each with whether it was searched for."""
    plain = folded(text)
    first = pattern.search(plain)
    at = first.start() if first else 0
    start = 0 if at <= _BEFORE else max(text.rfind(" ", 0, at - _BEFORE + 1) + 1, at - 2 * _BEFORE)
    end = min(max(at + _AFTER, first.end() if first else 0, start + _AFTER), len(text))
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    done = start
    for found in pattern.finditer(plain, start, end):
        if found.end() > found.start():
            pieces += [(text[done : found.start()], False), (text[found.start() : found.end()], True)]
            done = found.end()
    pieces.append((text[done:end] + ("…" if end < len(text) else ""), False))
    return tuple((piece, wanted) for piece, wanted in pieces if piece)
