"""From what a person writes for a dial to its vector file: a path, a vector made earlier, a recipe that one is yet to
be made from, or an expression that combines such.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from localsteer.errors import DialError, ExpressionError, LocalsteerError, RecipeError, VectorError
from localsteer.file_reading import is_file, typed_path
from localsteer.library.combinations import check_free, expression_path, is_combined_from, saved_expression
from localsteer.library.names import did_you_mean
from localsteer.library.places import Places
from localsteer.library.recipes import RecipeFile, find_recipe, list_recipes, read_card
from localsteer.library.vector_cards import read_vector_card
from localsteer.library.vectors import VectorLibrary
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.expressions import Expression
from localsteer.steering.expressions import read_layers as layers_in
from localsteer.steering.expressions import written_layers as layers_text
from localsteer.steering.scope import Scope

__all__ = [
    "Combination",
    "VectorToUse",
    "combination_to_save",
    "find_vector",
    "is_expression",
    "layers_in",
    "layers_text",
    "looks_like_path",
    "split_strength",
]

_DASHED_NAME = re.compile(r"[\w.]+(-[\w.]+)+")
"""What "unheard-of" is rather than a difference, unless its parts mean something."""
_CALCULATES = re.compile(r"""\s[-+/](\s|$)|[*@"']""")
"""What no path is likely to hold."""


@dataclass(frozen=True, slots=True)
class Combination:
    """``parts``: the vectors of ``expression.names``, in their order."""

    expression: Expression
    parts: tuple[VectorToUse, ...]


@dataclass(frozen=True, slots=True)
class VectorToUse:
    """``path`` is the vector file. It stands ready, or ``make_from`` is the recipe to extract it from first, or
    ``combine`` says what it is put together from (:func:`localsteer.library.combinations.put_together`).

    ``changed``: there is an older vector, but its recipe or a part has changed since. ``scope``: that of an expression
    that names one.
    """

    name: str
    path: Path
    make_from: RecipeFile | None = None
    changed: bool = False
    combine: Combination | None = None
    scope: Scope | None = None

    @property
    def to_extract(self) -> tuple[VectorToUse, ...]:
        """What an engine has to extract before the vector can be had: itself, or parts of it, each once."""
        if self.make_from is not None:
            return (self,)
        parts = () if self.combine is None else self.combine.parts
        return tuple({part.path: part for combined in parts for part in combined.to_extract}.values())


def looks_like_path(name: str) -> bool:
    """True for what is meant as a vector file rather than as a name."""
    return name.lower().endswith(".gguf") or "/" in name or "\\" in name


def is_expression(text: str) -> bool:
    """True for what is meant as a combination rather than as one vector's name or path, be it well written or not."""
    try:
        return parse_expression(text).single_name is None
    except ExpressionError:
        return _CALCULATES.search(text) is not None


def split_strength(text: str) -> tuple[str, float]:
    """``mood=1.5`` as the dial's text and its strength, which is 1 for a text without one.

    Raises DialError for no text, and for a strength that is no finite number.
    """
    name, equals, written = text.rpartition("=")
    # An equals sign within a quoted name is none.
    if not equals or name.count('"') % 2 or name.count("'") % 2:
        name, written = text, "1"
    name = name.strip()
    if not name:
        raise DialError(f'"{text}" is no dial; write NAME=STRENGTH, for instance mood=1.5, or an expression.')
    try:
        strength = float(written)
    except ValueError:
        strength = math.nan
    if not math.isfinite(strength):
        raise DialError(f'The strength of "{name}" must be a finite number, not "{written}".')
    return name, strength


def find_vector(text: str, model_id: str, places: Places) -> VectorToUse:
    """What ``text`` means for this model: a name, a path, or an expression.

    Raises VectorError for a missing or damaged file, RecipeError for a broken recipe, DialError for an unknown name,
    ExpressionError for what is no expression either.
    """
    return _Shelf(model_id, places).find(text.strip())


def combination_to_save(text: str, name: str | None, model_id: str, places: Places) -> VectorToUse:
    """The combination ``text``, to be put together under ``name`` (None: one made from the text) as a stored vector.

    Raises ExpressionError, VectorError for a name that is taken, and as :func:`find_vector`.
    """
    expression = parse_expression(text)
    if expression.single_name is not None:
        raise DialError(f'"{text.strip()}" is a dial already; combine it with another one, or scale it: 2*{text}.')
    name = name or "".join(" " if character == "*" else character for character in str(expression) if character != '"')
    if name in expression.names:
        raise DialError(f'"{name}" cannot be made of itself; choose another name.')
    path = check_free(name, VectorLibrary.at(places), model_id, places)
    return _Shelf(model_id, places).combination(name, expression, path)


class _Shelf:
    """Everything that a dial may be for one model."""

    def __init__(self, model_id: str, places: Places) -> None:
        self._model_id = model_id
        self._places = places
        self._library = VectorLibrary.at(places)

    def find(self, text: str) -> VectorToUse:
        known = self._known(text)
        if known is not None:
            return known
        try:
            expression = parse_expression(text)
        except ExpressionError:
            if looks_like_path(text) and _CALCULATES.search(text) is None:
                raise _no_file(text) from None
            raise
        if expression.single_name is not None:
            return self._named(expression.single_name, expression.single_name)
        if _DASHED_NAME.fullmatch(text) and not any(map(self._known, expression.names)):
            return self._named(text, text)
        path = expression_path(expression, self._model_id, self._places)
        return self.combination(str(expression), expression, path)

    def _known(self, name: str, within: tuple[str, ...] = ()) -> VectorToUse | None:
        """The file, recipe or stored vector of exactly that name."""
        if looks_like_path(name):
            path = typed_path(name)
            return VectorToUse(path.stem, path.absolute()) if is_file(path) else None
        stored = self._library.find(name, self._model_id)
        recipe = find_recipe(name, self._places)
        if recipe is None:
            if stored is not None and not stored.expression:
                return VectorToUse(name, stored.path)
            return self._saved(name, within)
        card = read_card(recipe)
        if stored is not None and stored.error is None and (card.error or stored.is_made_from(card.digest)):
            return VectorToUse(name, stored.path)
        if card.error:
            raise RecipeError(card.error)
        path = self._library.path_for(name, self._model_id)
        return VectorToUse(name, path, make_from=recipe, changed=stored is not None)

    def _saved(self, name: str, within: tuple[str, ...]) -> VectorToUse | None:
        """A combination that was saved under ``name``, for this model or for another one."""
        stored = self._library.find(name, self._model_id)
        expression = saved_expression(name, self._library) if stored is None else stored.expression
        if not expression:
            return None
        if name in within:
            raise DialError(f'"{name}" is made of itself; remove it by `localsteer vectors remove "{name}"`.')
        path = self._library.path_for(name, self._model_id) if stored is None else stored.path
        try:
            return self.combination(name, parse_expression(expression), path, (*within, name))
        except LocalsteerError:
            # Its parts are gone; what was made of them still serves.
            if stored is None or stored.error:
                raise
            return VectorToUse(name, stored.path)

    def combination(self, name: str, expression: Expression, path: Path, within: tuple[str, ...] = ()) -> VectorToUse:
        """``within``: the saved combinations whose parts are being looked for."""
        parts = tuple(self._named(part, name, within) for part in expression.names)
        ready = all(part.make_from is None and part.combine is None for part in parts)
        card = read_vector_card(path) if is_file(path) else None
        if ready and card is not None and is_combined_from(card, expression, [part.path for part in parts]):
            return VectorToUse(name, path, scope=expression.scope)
        return VectorToUse(
            name, path, changed=card is not None, combine=Combination(expression, parts), scope=expression.scope
        )

    def _named(self, name: str, text: str, within: tuple[str, ...] = ()) -> VectorToUse:
        found = self._known(name, within)
        if found is not None:
            return found
        if looks_like_path(name):
            raise _no_file(name)
        stored = {card.name for card in self._library.all(self._model_id)}
        hint = did_you_mean(name, stored | {recipe.name for recipe in list_recipes(self._places)})
        place = "" if name == text else f' (in "{text}")'
        raise DialError(f'There is no dial named "{name}"{place}{hint}')


def _no_file(name: str) -> VectorError:
    return VectorError(f"There is no vector file {name}; check the path.")
