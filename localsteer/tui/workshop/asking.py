"""Asking the loaded model to write contrasting statements, and reading what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from localsteer.engine.protocol import Compare, ModelCard, Sampling, Turn
from localsteer.visible import without_controls

TOO_SMALL = 300_000_000
"""Parameters. Models below write on, whatever they are asked to write."""

TRIES = 2
FEWEST = 3
"""Statements for either pole; an answer with fewer is none."""
_WANTED = 6
_MOST = 12
_LONGEST_STATEMENT = 200
_LONGEST_POLE = 40
_TOKENS = 500

_MARK = re.compile(r"^\s*(?:[-*•–>#]+|\(?\d{1,2}[.):]|[A-Za-z][.)](?=\s))*\s*")
_QUOTES = " \t\"'“”‘’«»*_`"
_LABEL = re.compile(
    r"^(?:positive|negative|trait|opposite|first|second|left|right|statement|pair|side)s?(?:\s*\d{1,2})?\s*[:=]\s*",
    re.I,
)
_OPPOSITE = re.compile(r"^(?:the\s+)?opposite(?:\s+of\s+[^:|]{0,60})?(?:\s+is)?\s*[:=]\s*([^|]+)$", re.I)
_BETWEEN = (" || ", " | ", "|", "\t", " <-> ", " ↔ ", " vs. ", " vs ", " // ", " / ")


@dataclass(frozen=True, slots=True)
class Written:
    """``opposite`` is empty where the model did not name it. ``rows``: (positive, negative) statements."""

    opposite: str
    rows: tuple[tuple[str, str], ...]


def too_small(card: ModelCard) -> bool:
    """Whether there is no use in asking this model."""
    return card.n_params < TOO_SMALL


def statements_wish(request: int, word: str, opposite: str, seed: int) -> Compare:
    """What to ask the engine: one unsteered answer, apart from the chat and its cache."""
    other = f'Its opposite is "{opposite}".' if opposite else "Find its opposite first."
    wish = (
        f'I describe two kinds of assistants by short statements. The first kind is "{word}". {other}\n'
        'Write a first line "Opposite: " with the opposite in one to three words. '
        f"Then write {_WANTED} lines. On each line stand a statement about the first kind and, after a |, the same "
        "statement turned into its opposite, both beginning with You and alike in everything else, like this:\n"
        "You are cheerful in every answer. | You are gloomy in every answer.\n"
        "Write nothing else."
    )
    sampling = Sampling(temperature=0.7, seed=seed, max_tokens=_TOKENS)
    return Compare(request, (Turn("user", wish),), ((),), sampling)


def read_statements(text: str) -> Written | None:
    """What the model's answer holds, taken leniently; None where that is too little. Never raises.

    Taken are lines of two sides, in whatever list, and two lists one after the other.
    """
    opposite = ""
    rows: list[tuple[str, str]] = []
    alone: list[list[str]] = [[]]
    for line in without_controls(text).splitlines():
        bare = _bare(line)
        if found := _OPPOSITE.match(bare):
            opposite = opposite or _pole(found.group(1))
        elif sides := _sides(bare):
            rows.append(sides)
        elif bare.endswith(":") and alone[-1]:
            # A heading ends one list and begins another.
            alone.append([])
        elif _is_statement(bare):
            alone[-1].append(bare)
    lists = [found for found in alone if len(found) >= FEWEST]
    if len(rows) < FEWEST and len(lists) == 2:
        rows = list(zip(*lists, strict=False))
    telling = tuple(dict.fromkeys((one, other) for one, other in rows if one.casefold() != other.casefold()))
    return Written(opposite, telling[:_MOST]) if len(telling) >= FEWEST else None


def _sides(line: str) -> tuple[str, str] | None:
    for between in _BETWEEN:
        parts = [part for part in map(_bare, line.strip("|").split(between)) if part]
        if len(parts) == 2 and all(map(_is_statement, parts)):
            return parts[0], parts[1]
    return None


def _bare(line: str) -> str:
    """Without the marks of a list, quotes, and a label such as "Positive:"."""
    bare = _MARK.sub("", line, count=1).strip(_QUOTES)
    return _LABEL.sub("", bare).strip(_QUOTES) if not _OPPOSITE.match(bare) else bare


def _is_statement(text: str) -> bool:
    """Some words, neither a heading nor a paragraph."""
    return len(text.split()) >= 2 and len(text) <= _LONGEST_STATEMENT and not text.endswith(":")


def _pole(text: str) -> str:
    pole = " ".join(text.strip(_QUOTES + ".").split())
    return pole if len(pole) <= _LONGEST_POLE else ""
