"""Findings of a sweep as plain records and back, and what each of them is a finding about."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from localsteer.engine.protocol import Event, Finding, SweepBasis, SweepControl, SweepPrompting, SweepRange, SweepRow

Setting: TypeAlias = tuple[object, ...]
"""What was measured: the kind of finding, and where there are several of it, layers, strength and number."""

_KINDS: Mapping[str, type[Finding]] = {
    "basis": SweepBasis,
    "row": SweepRow,
    "control": SweepControl,
    "prompting": SweepPrompting,
    "range": SweepRange,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def finding_in(event: Event) -> Finding | None:
    """``event`` itself where it is a finding."""
    return event if isinstance(event, SweepBasis | SweepRow | SweepControl | SweepPrompting | SweepRange) else None


def setting_of(finding: Finding) -> Setting:
    """The setting that ``finding`` is about."""
    match finding:
        case SweepRow(layers=layers, strength=strength):
            return "row", layers, strength
        case SweepControl(layers=layers, strength=strength, number=number):
            return "control", layers, strength, number
        case SweepRange(layers=layers):
            return "range", layers
        case _:
            return (_NAMES[type(finding)],)


def as_record(finding: Finding) -> dict[str, object]:
    """``finding`` as values that JSON has; numbers that it lacks become texts."""
    record: dict[str, object] = {"kind": _NAMES[type(finding)]}
    for field in fields(finding):
        value = getattr(finding, field.name)
        if field.name != "request":
            record[field.name] = str(value) if isinstance(value, float) and not math.isfinite(value) else value
    return record


def from_record(record: object) -> Finding | None:
    """The finding that :func:`as_record` made ``record`` of; None for anything else."""
    kind = _KINDS.get(str(record.get("kind"))) if isinstance(record, dict) else None
    if kind is None or not isinstance(record, dict):
        return None
    try:
        values = {
            field.name: _READ[str(field.type)](record[field.name]) for field in fields(kind) if field.name != "request"
        }
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return kind(request=0, **values)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "int": _whole,
    "float": _number,
    "float | None": lambda value: None if value is None else _number(value),
    "tuple[int, ...]": lambda value: tuple(_whole(one) for one in value),
}
"""By the types of the fields, as the protocol writes them."""
