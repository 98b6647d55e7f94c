"""How fast replies may come."""

from __future__ import annotations

from localsteer.engine.protocol import ModelCard
from localsteer.tui.greeting import is_practice

PRACTICE_PACE = 16.0
"""Tokens per second. The practice model could write a reply between two keys; so it writes as fast as one reads."""


def pace_of(card: ModelCard) -> float:
    """Tokens per second at most for a model, 0 for as fast as it goes."""
    return PRACTICE_PACE if is_practice(card.path) else 0.0
