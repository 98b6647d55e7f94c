"""What ``localsteer doctor`` reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``said`` of a problem says in one sentence what to do."""

    what: str
    state: State
    said: str
