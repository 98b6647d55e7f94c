"""An expression looked at while it is being typed: what it needs, or what is wrong with it and where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from localsteer.errors import ExpressionError, LocalsteerError
from localsteer.library.dials import combination_to_save, find_vector, is_expression
from localsteer.library.places import Places
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.expressions import leaves, quoted

_WORD = re.compile(r"""@[\w-]*|[\w.]+|["'][^"']*["']?|\S""")


@dataclass(frozen=True, slots=True)
class ExpressionCheck:
    """``problem``: one sentence, empty where all is well; it lies from ``start`` to ``end`` in the text, both at its
    end where something is missing there. ``to_make``: recipes that vectors have to be made from first.
    """

    problem: str = ""
    start: int = 0
    end: int = 0
    to_make: tuple[str, ...] = ()


def check_expression(text: str, model_id: str, places: Places) -> ExpressionCheck | None:
    """What ``text`` comes to for this model; None where it is meant as a name. Never raises; some milliseconds."""
    try:
        if not is_expression(text):
            return None
        expression = parse_expression(text)
    except ExpressionError as error:
        word = _WORD.match(text, error.at)
        problem = f"{error.problem[:1].upper()}{error.problem[1:].rstrip('.')}."
        return ExpressionCheck(problem, *(word.span() if word else (len(text), len(text))))
    to_make: dict[str, None] = {}
    for leaf in leaves(expression.term):
        try:
            vector = find_vector(quoted(leaf.name), model_id, places)
        except LocalsteerError as error:
            word = _WORD.match(text, leaf.at)
            return ExpressionCheck(str(error), *(word.span() if word else (leaf.at, len(text))))
        to_make |= dict.fromkeys(part.name for part in vector.to_extract)
    return ExpressionCheck(to_make=tuple(to_make))


def name_problem(text: str, name: str, model_id: str, places: Places) -> str:
    """Why the expression ``text`` cannot be kept under ``name``; empty where it can."""
    try:
        combination_to_save(text, name, model_id, places)
    except LocalsteerError as error:
        return str(error)
    return ""
