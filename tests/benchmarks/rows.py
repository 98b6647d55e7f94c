"""The benchmarks' results: rows that have a target, a value with its spread, and two ways to be printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Literal, Self


@dataclass(frozen=True, slots=True)
class Target:
    """What a value has to reach (``≥``), or must not exceed (``≤``)."""

    sign: Literal["≥", "≤"]
    bound: float

    def met(self, value: float) -> bool:
        """Whether ``value`` is good enough."""
        return value >= self.bound if self.sign == "≥" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``value`` is a median and ``low`` to ``high`` its spread, all in ``unit`` (``×`` for a ratio);
    None where it was not measured, and ``remark`` says why. ``target`` None: for information only.
    """

    name: str
    target: Target | None
    value: float | None
    low: float | None
    high: float | None
    unit: str
    remark: str = ""

    @classmethod
    def of(cls, name: str, target: Target | None, samples: Sequence[float], unit: str = "×", remark: str = "") -> Self:
        """The median of ``samples`` and its quartiles; of fewer than four, the least and the largest."""
        if len(samples) < 4:
            return cls(name, target, median(samples), min(samples), max(samples), unit, remark)
        low, middle, high = quantiles(samples, n=4, method="inclusive")
        return cls(name, target, middle, low, high, unit, remark)

    @classmethod
    def missing(cls, name: str, target: Target | None, why: str, unit: str = "×") -> Self:
        """A row that could not be measured here: ``why`` says what to do about it."""
        return cls(name, target, None, None, None, unit, why)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none, or no value."""
        return None if self.target is None or self.value is None else self.target.met(self.value)


_VERDICTS = {True: "yes", False: "NO", None: ""}


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | target | value | spread | met | remark |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        value, spread = "not measured", ""
        if row.value is not None:
            value = f"{_figure(row.value)} {row.unit}"
        if row.low is not None and row.high is not None:
            spread = f"{_figure(row.low)} to {_figure(row.high)}"
        cells = (row.name, str(row.target or ""), value, spread, _VERDICTS[row.met], row.remark)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def as_json(rows: Iterable[Row]) -> str:
    """One JSON document: ``{"rows": [{name, target, value, low, high, unit, remark, met}]}``."""
    described = [{**asdict(row), "target": str(row.target) if row.target else None, "met": row.met} for row in rows]
    return json.dumps({"rows": described}, ensure_ascii=False, indent=2)


def report(rows: Iterable[Row], *, json_wanted: bool) -> None:
    """Print to standard output, as a table or as JSON."""
    sys.stdout.write((as_json if json_wanted else table)(rows) + "\n")


def tell(what: str) -> None:
    """A line on standard error, so that a person knows what is being measured."""
    sys.stderr.write(what + "\n")
    sys.stderr.flush()


def _figure(number: float) -> str:
    """Three digits that count, and never an exponent."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.3f}"
