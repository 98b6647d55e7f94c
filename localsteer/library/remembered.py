"""What the app remembers by itself from one day to the next. Losing it loses nothing that was written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from localsteer.file_reading import read_file
from localsteer.library.files import write_private
from localsteer.library.places import Places

_MODELS_REMEMBERED = 200
_MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class RememberedDial:
    """A dial as it stood. ``name``: that of a recipe or stored vector; ``path``: a vector file given by its path."""

    name: str
    strength: float = 0.0
    on: bool = True
    layers: tuple[int, ...] | None = None
    scope: str = "reply"
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """``last_model``: a path or ``practice``; ``dials``: a model's id to its dials, in their order on the panel.

    ``needles``: whether they are on; ``needles_cost``: a model's id to the part of its speed that they take, 0 to 1.
    """

    last_model: str | None = None
    theme: str | None = None
    dials: Mapping[str, tuple[RememberedDial, ...]] = field(default_factory=dict)
    needles: bool = False
    needles_cost: Mapping[str, float] = field(default_factory=dict)


def read_remembered(places: Places) -> Remembered:
    """What was remembered; nothing where the file is missing or damaged."""
    try:
        found = json.loads(read_file(places.remembered, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return Remembered()
    if not isinstance(found, dict):
        return Remembered()
    dials, costs = found.get("dials"), found.get("needles_cost")
    return Remembered(
        last_model=_text(found.get("last_model")),
        theme=_text(found.get("theme")),
        dials={str(model): _dials(one) for model, one in dials.items()} if isinstance(dials, dict) else {},
        needles=found.get("needles") is True,
        needles_cost=_costs(costs) if isinstance(costs, dict) else {},
    )


def write_remembered(places: Places, remembered: Remembered) -> None:
    """Keep it for next time. Raises StorageError, which is no reason to trouble anybody."""
    latest = dict(list(remembered.dials.items())[-_MODELS_REMEMBERED:])
    content = {
        "last_model": remembered.last_model,
        "theme": remembered.theme,
        "needles": remembered.needles,
        "needles_cost": dict(list(remembered.needles_cost.items())[-_MODELS_REMEMBERED:]),
        "dials": {model: [asdict(dial) for dial in dials] for model, dials in latest.items()},
    }
    # In ASCII, so that even half a surrogate pair in a name survives.
    write_private(places.remembered, json.dumps(content, ensure_ascii=True, indent=1).encode())


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _costs(found: dict[Any, Any]) -> dict[str, float]:
    return {
        str(model): float(cost)
        for model, cost in found.items()
        if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost <= 1
    }


def _dials(found: Any) -> tuple[RememberedDial, ...]:
    if not isinstance(found, list):
        return ()
    return tuple(dial for one in found if (dial := _dial(one)) is not None)


def _dial(found: Any) -> RememberedDial | None:
    try:
        layers = found.get("layers")
        dial = RememberedDial(
            name=str(found["name"]),
            strength=float(found.get("strength", 0.0)),
            on=bool(found.get("on", True)),
            layers=None if layers is None else tuple(int(layer) for layer in layers),
            scope=str(found.get("scope", "reply")),
            path=_text(found.get("path")),
        )
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return dial if math.isfinite(dial.strength) else None
