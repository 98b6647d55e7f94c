"""From the text of an expression to what it says; see :mod:`localsteer.steering.expressions` for the grammar."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from localsteer.errors import DialError, ExpressionError
from localsteer.steering.expressions import WITHOUT, Expression, Named, Sum, Term, Without, read_layers, scaled
from localsteer.steering.scope import SCOPES, Scope

_LONGEST = 2000
_DEEPEST = 40
_MOST_NAMES = 100
_SHOWN = 24

_Kind: TypeAlias = Literal["number", "name", "quoted", "sign", "end"]
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?!\w)
      | (?P<name>[^\W\d_][\w.]*)
      | (?P<quoted>"[^"]+"|'[^']+')
      | (?P<sign>[-+*()−×])
      | (?P<end>$|@)
    )""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"\s*@(?P<key>[\w-]*)\s*(?P<value>[^@]*)")
# What people paste from a formatted text.
_SAME_SIGN = {"−": "-", "×": "*"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str
    at: int


def parse_expression(text: str) -> Expression:
    """What ``text`` says. Raises :class:`ExpressionError`: one sentence that points at where the text goes wrong."""
    if len(text) > _LONGEST:
        raise ExpressionError(f"An expression of {len(text)} characters is too long; save parts of it as dials.", 0)
    return _Parser(text).expression()


class _Parser:
    """Recursive descent with one token looked at ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        self._names = 0
        self._token = self._read(0)

    def expression(self) -> Expression:
        began = self._token.at
        term = self._sum()
        if self._token.kind != "end":
            raise self._error(self._token.at, "an operator is missing: +, -, * or without")
        if isinstance(term, float):
            raise self._error(began, "there is a number but no vector; name one")
        layers, scope = self._attributes(self._token.at)
        return Expression(term, layers, scope)

    def _sum(self) -> Term | float:
        left = self._projection()
        while self._token.text in {"+", "-"} and self._token.kind == "sign":
            sign = self._take()
            right = self._projection()
            factor = -1.0 if sign.text == "-" else 1.0
            if isinstance(left, float) and isinstance(right, float):
                left += factor * right
            elif not isinstance(left, float) and not isinstance(right, float):
                left = Sum(left, self._times(sign, factor, right))
            else:
                raise self._error(sign.at, "a number and a vector cannot be added; multiply them")
        return left

    def _projection(self) -> Term | float:
        left = self._product()
        while self._token.kind == "name" and self._token.text == WITHOUT:
            word = self._take()
            right = self._product()
            if isinstance(left, float) or isinstance(right, float):
                raise self._error(word.at, "without stands between two vectors")
            left = Without(left, right)
        return left

    def _product(self) -> Term | float:
        left = self._factor()
        while self._token.text == "*":
            sign = self._take()
            right = self._factor()
            if not isinstance(left, float):
                if not isinstance(right, float):
                    raise self._error(sign.at, "two vectors cannot be multiplied; add them, or write without")
                left = self._times(sign, right, left)
            elif isinstance(right, float):
                left *= right
            else:
                left = self._times(sign, left, right)
        return left

    def _factor(self) -> Term | float:
        minus = 0
        first = self._token
        while self._token.kind == "sign" and self._token.text == "-":
            self._take()
            minus += 1
        value = self._atom()
        if minus % 2 == 0:
            return value
        return -value if isinstance(value, float) else self._times(first, -1.0, value)

    def _atom(self) -> Term | float:
        token = self._token
        if token.kind == "number":
            self._take()
            if not math.isfinite(float(token.text)):
                raise self._error(token.at, "the number is too large")
            return float(token.text)
        if token.kind == "quoted" or (token.kind == "name" and token.text != WITHOUT):
            self._take()
            self._names += 1
            if self._names > _MOST_NAMES:
                raise self._error(token.at, f"there are more than {_MOST_NAMES} vectors; save parts of it as dials")
            return Named(token.text[1:-1] if token.kind == "quoted" else token.text, token.at)
        if token.text == "(":
            return self._parenthesised()
        raise self._error(token.at, 'a vector\'s name, a number or "(" is missing')

    def _parenthesised(self) -> Term | float:
        opening = self._take()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(opening.at, "the parentheses are nested too deeply")
        value = self._sum()
        if self._token.text != ")":
            raise self._error(self._token.at, f'the ")" for the "(" at character {opening.at + 1} is missing')
        self._take()
        self._depth -= 1
        return value

    def _times(self, where: _Token, factor: float, term: Term) -> Term:
        try:
            return scaled(factor, term)
        except DialError:
            raise self._error(where.at, "the factor is too large") from None

    def _attributes(self, at: int) -> tuple[tuple[int, ...] | None, Scope | None]:
        """``@layers 7-9`` and ``@scope everything``, each at most once, in any order."""
        layers: tuple[int, ...] | None = None
        scope: Scope | None = None
        while at < len(self._text):
            found = _ATTRIBUTE.match(self._text, at)
            # At the end of a text there is nothing but white space or an @.
            if found is None:
                break
            key, value, where = found["key"], found["value"].strip(), found.start("key") - 1
            if key == "layers" and layers is None:
                layers = self._layers(value, found.start("value"))
            elif key == "scope" and scope is None:
                scope = self._scope(value, found.start("value"))
            elif key in {"layers", "scope"}:
                raise self._error(where, f"@{key} is given twice")
            else:
                raise self._error(where, "only @layers and @scope can stand")
            at = found.end()
        return layers, scope

    def _layers(self, value: str, at: int) -> tuple[int, ...]:
        try:
            return read_layers("".join(value.split()))
        except DialError as error:
            raise self._error(at, f"layers are wanted: {str(error).rstrip('.')}") from None

    def _scope(self, value: str, at: int) -> Scope:
        for scope in SCOPES:
            if scope == value:
                return scope
        raise self._error(at, f"a scope is wanted: {', '.join(SCOPES[:-1])} or {SCOPES[-1]}")

    def _take(self) -> _Token:
        taken = self._token
        self._token = self._read(taken.at + len(taken.text))
        return taken

    def _read(self, at: int) -> _Token:
        found = _TOKEN.match(self._text, at)
        if found is None or found.lastgroup is None:
            at += len(self._text[at:]) - len(self._text[at:].lstrip())
            raise self._error(at, _unreadable(self._text[at:]))
        text = found[found.lastgroup]
        kind: _Kind = found.lastgroup  # type: ignore[assignment]
        return _Token(kind, _SAME_SIGN.get(text, text), found.start(found.lastgroup))

    def _error(self, at: int, problem: str) -> ExpressionError:
        rest = self._text[at:].strip()
        shown = rest if len(rest) <= _SHOWN else rest[: _SHOWN - 1] + "…"
        place = f"at character {at + 1} ({shown})" if rest else "at the end"
        return ExpressionError(f'In "{self._text.strip()}", {place}, {problem}.', at, problem)


def _unreadable(rest: str) -> str:
    if rest[0] in "\"'":
        return "a quote is opened and never closed" if rest.count(rest[0]) == 1 else "a name is empty"
    if rest[0] == "/":
        return "there is no division, and a path must stand in quotes"
    if rest[0].isalnum() or rest[0] in "\\~_":
        return "a name or path of this kind must stand in quotes"
    return f"{rest[0]} means nothing; there are +, -, *, without, parentheses, @layers and @scope"
