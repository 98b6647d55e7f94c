"""A recipe in the making: what a person has typed, checked, made into a recipe file, and read from one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from localsteer.errors import RecipeError
from localsteer.library.files import is_safe_name, private_folder
from localsteer.library.places import Places
from localsteer.library.recipes import recipe_like
from localsteer.library.vectors import VectorLibrary
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet, Position
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.recipe_forms import ExplicitPair, Form, Personas, Texts
from localsteer.steering.recipe_writer import write_recipe
from localsteer.steering.recipes import Recipe

RowKind: TypeAlias = Literal["told", "asked", "said", "text"]
"""What a row's two sides are: the system prompt, the user's message, the reply's beginning, or a text without a chat.
"""
_KIND_OF_ROLE: dict[str, RowKind] = {"system": "told", "user": "asked", "assistant": "said"}


@dataclass(frozen=True, slots=True)
class Draft:
    """``rows``: (positive, negative). Each is combined with every one of ``messages`` where rows are told or said, and
    with every one of ``beginnings`` of a reply where they are told.
    """

    positive_pole: str
    negative_pole: str
    rows: tuple[tuple[str, str], ...]
    kind: RowKind = "told"
    messages: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    group: str = ""


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a text that say something, without the spaces around them."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def matched(positive: tuple[str, ...], negative: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Rows of the first with the first, and so on. Raises :class:`RecipeError` for lists that are not equally long."""
    if len(positive) != len(negative):
        raise RecipeError(
            f"There are {len(positive)} statements on the positive side and {len(negative)} on the negative one; they "
            "are matched line by line, so write equally many."
        )
    return tuple(zip(positive, negative, strict=True))


def recipe_of(draft: Draft, name: str) -> Recipe:
    """The recipe that ``draft`` is. Raises :class:`RecipeError`, in one sentence, for what can make no vector."""
    if not draft.rows:
        raise RecipeError("There is nothing to contrast yet; write at least one pair.")
    for number, row in enumerate(draft.rows, start=1):
        for side, text in zip(("positive", "negative"), row, strict=True):
            if not text.strip():
                raise RecipeError(f"Pair {number} says nothing on the {side} side; write something there.")
    if draft.kind in ("told", "said") and not draft.messages:
        raise RecipeError("There are no messages to say it to; write at least one.")
    negative, positive = draft.negative_pole.strip(), draft.positive_pole.strip()
    recipe = Recipe(
        name=name,
        description=f"Moves from {negative} to {positive}.",
        positive=positive,
        negative=negative,
        forms=_forms(draft),
        group=draft.group.strip(),
    )
    recipe.contrast_set()
    return recipe


def write_draft(draft: Draft, name: str, places: Places) -> Path:
    """The draft as a recipe in the workshop's own folder, to extract from. Raises RecipeError, StorageError."""
    return _write(draft, name, places.workshop)


def save_draft(draft: Draft, name: str, places: Places) -> Path:
    """The draft among the person's recipes; one of that name is overwritten. Raises RecipeError, StorageError."""
    return _write(draft, name, places.recipes)


def _write(draft: Draft, name: str, folder: Path) -> Path:
    recipe = recipe_of(draft, name)
    check_recipe_name(name)
    path = private_folder(folder) / f"{name}.toml"
    write_recipe(recipe, path)
    return path


def check_recipe_name(name: str) -> None:
    """Raise :class:`RecipeError` for what cannot be the name of a recipe's file."""
    if not name:
        raise RecipeError("The dial has no name yet; give it one.")
    if not is_safe_name(name):
        raise RecipeError(f'A dial cannot be called "{name}"; use letters, digits, dots, dashes and spaces.')


def taken_by(name: str, model_id: str, places: Places) -> str:
    """What has that name already, in words that follow "There is"; nothing where it is free."""
    recipe = recipe_like(name, places)
    if recipe is not None:
        return "a recipe of yours" if recipe.origin == "own" else "a recipe that comes along"
    return "a vector" if VectorLibrary.at(places).find(name, model_id) is not None else ""


def read_draft(path: Path) -> Draft:
    """The pairs of a recipe or contrast file, as rows. Raises :class:`RecipeError` for a file that is none, and for
    pairs that rows cannot hold.
    """
    contrast = read_contrast_file(path)
    read = [_row_of(pair) for pair in contrast.pairs]
    rows = dict.fromkeys((one.positive, one.negative) for one in read if one is not None)
    messages = dict.fromkeys(one.message for one in read if one is not None)
    beginnings = dict.fromkeys(one.beginning for one in read if one is not None)
    kinds = {None if one is None else one.kind for one in read}
    kind = kinds.pop()
    whole = len(rows) * len(messages) * len(beginnings) == len(dict.fromkeys(contrast.pairs))
    if kinds or kind is None or not whole:
        raise RecipeError(
            f"The pairs of {path.name} are of several kinds, or more than a table can show; "
            f"`localsteer extract` takes the file as it is."
        )
    draft = Draft(
        contrast.positive,
        contrast.negative,
        tuple(rows),
        kind,
        tuple(filter(None, messages)),
        () if set(beginnings) == {""} else tuple(beginnings),
    )
    _check_same_reading(draft, contrast, path)
    return draft


@dataclass(frozen=True, slots=True)
class _Row:
    kind: RowKind
    positive: str
    negative: str
    message: str = ""
    beginning: str = ""


def _row_of(pair: ContrastPair) -> _Row | None:
    """The pair as a row; None where its sides differ in more than one message, or are read at a letter."""
    positive, negative = pair.positive, pair.negative
    if pair.position == "letter":
        return None
    if isinstance(positive, str) or isinstance(negative, str):
        return _Row("text", str(positive), str(negative))
    if [message.role for message in positive] != [message.role for message in negative]:
        return None
    differing = [place for place, (one, other) in enumerate(zip(positive, negative, strict=True)) if one != other]
    if len(differing) != 1:
        return None
    place = differing[0]
    others = [message for index, message in enumerate(positive) if index != place]
    kind = _KIND_OF_ROLE[positive[place].role]
    message = [one.content for one in others if one.role == "user"]
    beginning = [one.content for one in others if one.role == "assistant"]
    known = len(message) + len(beginning) == len(others)
    fits = {"told": len(message) == 1 and len(beginning) <= 1, "said": len(message) == 1, "asked": not others}
    if not known or not fits[kind] or (kind == "said" and place != len(positive) - 1):
        return None
    return _Row(kind, positive[place].content, negative[place].content, *message, *beginning)


def _check_same_reading(draft: Draft, contrast: ContrastSet, path: Path) -> None:
    """What was read may be read elsewhere in its prompts than a table's rows are."""
    if {pair.position for pair in contrast.pairs} != {_read_at(draft)}:
        raise RecipeError(
            f"{path.name} reads its prompts at another place than a table does; `localsteer extract` takes it as it is."
        )


def _read_at(draft: Draft) -> Position:
    return "reply" if draft.kind == "said" or (draft.kind == "told" and any(draft.beginnings)) else "last"


def _forms(draft: Draft) -> tuple[Form, ...]:
    positive, negative = (tuple(row[side] for row in draft.rows) for side in (0, 1))
    match draft.kind:
        case "told":
            beginnings = draft.beginnings or ("",)
            return (Personas(positive, negative, draft.messages, beginnings, read=_read_at(draft)),)
        case "said":
            return (
                Personas(positive, negative, draft.messages, ("",), system="", reply="{persona}", read=_read_at(draft)),
            )
        case "asked":
            return tuple(_asked(draft.rows))
        case "text":
            return (Texts(positive, negative),)


def _asked(rows: tuple[tuple[str, str], ...]) -> Iterator[Form]:
    for positive, negative in rows:
        yield ExplicitPair((Message("user", positive),), (Message("user", negative),))
