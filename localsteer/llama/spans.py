"""What is evaluated: stretches of tokens, each with the steering it is evaluated under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from localsteer.llama.steering import Steering

Span: TypeAlias = tuple[Sequence[int], Steering]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How many tokens were evaluated, and how many stood in the cache already."""

    evaluated: int
    reused: int
