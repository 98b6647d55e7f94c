"""Combinations of vectors as text: ``mood*1.2 - 0.5*register @layers 7-9``. Read here; no vector is needed for that.

The grammar, loosest first::

    expression   = sum  { "@layers" layers | "@scope" scope }
    sum          = projection { ("+" | "-") projection }
    projection   = product { "without" product }
    product      = factor { "*" factor }
    factor       = "-" factor | number | name | quoted name | "(" sum ")"

``mood without register`` is ``mood`` with the direction of ``register`` projected out of it. A name is a run of
letters, digits, ``_`` and ``.`` that begins with a letter; every other one stands in quotes, paths among them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from localsteer.errors import DialError
from localsteer.steering.scope import Scope

WITHOUT = "without"
_BARE_NAME = re.compile(r"[^\W\d_][\w.]*")
_LAYERS = re.compile(r"\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*")


@dataclass(frozen=True, slots=True)
class Named:
    """A vector by its name or path. ``at``: where it stands in the text."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Scaled:
    """``of``, ``factor`` times as long. Make it by :func:`scaled`, so that factors do not pile up."""

    factor: float
    of: Named | Sum | Without


@dataclass(frozen=True, slots=True)
class Sum:
    """Both added; a difference is a sum with the other one scaled by −1."""

    one: Term
    other: Term


@dataclass(frozen=True, slots=True)
class Without:
    """``one`` with the direction of ``other`` projected out of it."""

    one: Term
    other: Term


Term: TypeAlias = Named | Scaled | Sum | Without


@dataclass(frozen=True, slots=True)
class Expression:
    """What a text says. ``layers`` and ``scope`` None: what the vectors bring along.

    ``str()`` gives the one way to write it: texts that mean the same step by step are the same text then.
    """

    term: Term
    layers: tuple[int, ...] | None = None
    scope: Scope | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The vectors it needs, each once, in the order of the text."""
        return tuple(dict.fromkeys(named.name for named in leaves(self.term)))

    @property
    def single_name(self) -> str | None:
        """The name where the expression is nothing but a name."""
        bare = isinstance(self.term, Named) and self.layers is None and self.scope is None
        return self.names[0] if bare else None

    def __str__(self) -> str:
        layers = "" if self.layers is None else f" @layers {written_layers(self.layers)}"
        return _written(self.term) + layers + ("" if self.scope is None else f" @scope {self.scope}")


def leaves(term: Term) -> Iterator[Named]:
    """All names in ``term``, from left to right."""
    match term:
        case Named():
            yield term
        case Scaled(of=of):
            yield from leaves(of)
        case Sum(one=one, other=other) | Without(one=one, other=other):
            yield from leaves(one)
            yield from leaves(other)


def scaled(factor: float, term: Term) -> Term:
    """``factor`` times ``term``. Raises :class:`DialError` for what is no finite number."""
    if isinstance(term, Scaled):
        factor, term = factor * term.factor, term.of
    if not math.isfinite(factor):
        raise DialError("A vector can be multiplied with a finite number only.")
    # Not -0.0, which would be written as another text.
    return term if factor == 1 else Scaled(factor + 0.0, term)


def read_layers(text: str) -> tuple[int, ...]:
    """``7-9``, ``7,9`` or ``7``. Raises :class:`DialError`."""
    if _LAYERS.fullmatch(text) is None:
        raise DialError(f'"{text}" names no layers; write them as 7-9, 7,9 or 7.')
    layers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if int(last or first) < int(first):
            raise DialError(f'"{part}" runs backwards; write {last}-{first}.')
        layers.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(layers))


def written_layers(layers: tuple[int, ...]) -> str:
    """What :func:`read_layers` reads: ``7-9`` for neighbours."""
    if 1 < len(layers) == layers[-1] - layers[0] + 1 and layers == tuple(range(layers[0], layers[-1] + 1)):
        return f"{layers[0]}-{layers[-1]}"
    return ",".join(map(str, layers))


def quoted(name: str) -> str:
    """A name as an expression takes it."""
    if _BARE_NAME.fullmatch(name) and name != WITHOUT:
        return name
    return f'"{name}"' if '"' not in name else f"'{name}'"


def _written(term: Term) -> str:
    match term:
        case Named(name=name):
            return quoted(name)
        case Scaled(factor=factor, of=of):
            number = "-" if factor == -1 else f"{_number(factor)}*"
            return number + (_written(of) if isinstance(of, Named) else f"({_written(of)})")
        case Sum(one=one, other=other):
            taken = isinstance(other, Scaled) and other.factor < 0
            added = scaled(-1, other) if taken else other
            text = f"({_written(added)})" if isinstance(added, Sum) else _written(added)
            return f"{_written(one)} {'-' if taken else '+'} {text}"
        case Without(one=one, other=other):
            left = f"({_written(one)})" if isinstance(one, Sum) else _written(one)
            right = f"({_written(other)})" if isinstance(other, Sum | Without) else _written(other)
            return f"{left} {WITHOUT} {right}"


def _number(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
