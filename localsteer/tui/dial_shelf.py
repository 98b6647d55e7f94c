"""From the library's recipes and vectors to dials, and back to what is remembered of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from localsteer.engine.protocol import SCOPES, Scope
from localsteer.errors import LocalsteerError, VectorError
from localsteer.library.places import Places
from localsteer.library.remembered import RememberedDial
from localsteer.tui.rack import Dial, Rack

if TYPE_CHECKING:
    from localsteer.library.expression_check import ExpressionCheck
    from localsteer.library.vector_cards import VectorCard
    from localsteer.plots.portrait import Portrait

Readiness: TypeAlias = Literal["ready", "to make", "changed", "broken"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A dial that can be added. ``changed``: there is a vector, but its recipe has changed since; it is made again.

    ``group``: the heading of its recipe, empty for none.
    """

    name: str
    negative_pole: str
    positive_pole: str
    description: str
    readiness: Readiness
    group: str = ""


@dataclass(frozen=True, slots=True)
class Mixing:
    """What can be said of expressions for one model while they are typed."""

    places: Places
    model_id: str

    def check(self, text: str) -> ExpressionCheck | None:
        """See :func:`check_expression`."""
        from localsteer.library.expression_check import check_expression

        return check_expression(text, self.model_id, self.places)

    def name_problem(self, text: str, name: str) -> str:
        """See :func:`localsteer.library.expression_check.name_problem`."""
        from localsteer.library.expression_check import name_problem

        return name_problem(text, name, self.model_id, self.places)


def choices(places: Places, model_id: str) -> tuple[Choice, ...]:
    """All recipes, and the stored vectors that no recipe stands behind; for one model. Those without a group come
    first, then group by group. Takes some 50 ms.
    """
    from localsteer.library.recipes import recipe_cards
    from localsteer.library.vectors import VectorLibrary

    stored = {card.name: card for card in VectorLibrary.at(places).all(model_id)}
    found = []
    for recipe in recipe_cards(places):
        vector = stored.pop(recipe.name, None)
        readiness: Readiness = "to make"
        if recipe.error:
            readiness = "broken"
        elif vector is not None and vector.error is None:
            readiness = "ready" if vector.is_made_from(recipe.digest) else "changed"
        description = recipe.error or recipe.description
        poles = recipe.negative_pole, recipe.positive_pole
        found.append(Choice(recipe.name, *poles, description, readiness, recipe.group))
    for vector in stored.values():
        found.append(
            Choice(
                vector.name,
                vector.negative_pole,
                vector.positive_pole,
                vector.error or vector.expression or "A stored vector without a recipe.",
                "broken" if vector.error else "ready",
            )
        )
    return tuple(sorted(found, key=lambda choice: (choice.group, choice.name)))


def dial_from(path: Path, name: str) -> Dial:
    """A dial at 0 for the vector in this file. Raises VectorError for a file that is none."""
    from localsteer.library.vector_cards import read_vector_card

    card = read_vector_card(path, name)
    if card.error:
        raise VectorError(card.error)
    return _dial(card)


def portrait_of(dial: Dial, places: Places) -> tuple[VectorCard, Portrait]:
    """The dial's vector file and all that can be shown of it. Takes some milliseconds for each vector of the model.

    Raises VectorError for a file that is gone or damaged.
    """
    from localsteer.library.portraits import read_portrait
    from localsteer.library.vector_cards import read_vector_card
    from localsteer.library.vectors import VectorLibrary

    card = read_vector_card(Path(dial.vector_path), dial.name)
    if card.error:
        raise VectorError(card.error)
    library = VectorLibrary.at(places)
    return card, read_portrait(card, library.all(library.model_of(card)))


def recalled(remembered: tuple[RememberedDial, ...], places: Places, model_id: str) -> Rack:
    """The rack as it was left with this model. Dials whose vectors are gone, or whose files are damaged, stay away."""
    from localsteer.library.vector_cards import read_vector_card
    from localsteer.library.vectors import VectorLibrary

    rack = Rack()
    library = VectorLibrary.at(places)
    for one in remembered:
        card = read_vector_card(Path(one.path), one.name) if one.path else library.find(one.name, model_id)
        if card is None:
            card = _combination(one.name, places, model_id)
        if card is None or card.error:
            continue
        rack = rack.with_dial(as_remembered(replace(_dial(card), name=one.name), one))
    return rack.pick(0)


def as_remembered(dial: Dial, one: RememberedDial) -> Dial:
    """``dial`` turned and placed as it was, as far as its vector still has those layers."""
    scope: Scope = next((scope for scope in SCOPES if scope == one.scope), dial.usual_scope)
    return replace(dial.placed(one.layers, scope), strength=one.strength, muted=not one.on)


def _combination(expression: str, places: Places, model_id: str) -> VectorCard | None:
    """The vector of an expression, where its parts stand ready."""
    from localsteer.library.combinations import put_together
    from localsteer.library.dials import find_vector
    from localsteer.library.vector_cards import read_vector_card

    try:
        vector = find_vector(expression, model_id, places)
        if vector.to_extract:
            return None
        put_together(vector)
    except LocalsteerError:
        return None
    return read_vector_card(vector.path, expression)


def to_remember(rack: Rack) -> tuple[RememberedDial, ...]:
    """The rack as it is kept for next time. A vector is found by its name again."""
    return tuple(
        RememberedDial(dial.name, dial.strength, not dial.muted, dial.own_layers, dial.scope) for dial in rack.dials
    )


def scene_dials(rack: Rack) -> tuple[RememberedDial, ...]:
    """The rack as a scene keeps it: what another dial's solo silences is off."""
    return tuple(
        replace(one, on=one.on and not rack.silenced(dial))
        for one, dial in zip(to_remember(rack), rack.dials, strict=True)
    )


def _dial(card: VectorCard) -> Dial:
    return Dial(
        name=card.name,
        vector_path=str(card.path),
        negative_pole=card.negative_pole or "−",
        positive_pole=card.positive_pole or "+",
        low=card.strength_low or None,
        high=card.strength_high or None,
        safe=_both(card.safe_low, card.safe_high),
        careful=_both(card.careful_low, card.careful_high),
        layers=card.default_layers,
        held=card.layers,
        scope=card.scope or "reply",
        usual_scope=card.scope or "reply",
    )


def _both(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
