"""What is known of how far a vector can be turned: measured once, kept in its file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from localsteer.errors import VectorError

Zone: TypeAlias = Literal["safe", "careful", "broken"]


@dataclass(frozen=True, slots=True)
class MeasuredCost:
    """What one strength cost on the model's own unsteered replies: ``perplexity_ratio``, and ``kl_95``, the 95th
    percentile over tokens of KL(steered ‖ unsteered), in nats.
    """

    strength: float
    perplexity_ratio: float
    kl_95: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """``safe_low`` < 0 < ``safe_high``: where the cost stays within the bounds (``perplexity_bound``, a ratio;
    ``kl_bound``, nats; ``addition_bound``, of the residual norm). ``careful_low`` and ``careful_high``: where it stays
    within some times the bounds; beyond them the model is broken. ``costs``: what was measured, by strength, weakest
    first.

    Raises :class:`VectorError` for limits that are in no such order.
    """

    safe_low: float
    safe_high: float
    careful_low: float
    careful_high: float
    perplexity_bound: float
    kl_bound: float
    addition_bound: float
    costs: tuple[MeasuredCost, ...] = ()

    def __post_init__(self) -> None:
        limits = (self.careful_low, self.safe_low, 0.0, self.safe_high, self.careful_high)
        if not all(map(math.isfinite, limits)) or list(limits) != sorted(limits) or not self.safe_low < self.safe_high:
            raise VectorError("A vector's safe range is not in order; make the vector again.")

    def zone(self, strength: float) -> Zone:
        """What a dial at ``strength`` does to the model."""
        if self.safe_low <= strength <= self.safe_high:
            return "safe"
        return "careful" if self.careful_low <= strength <= self.careful_high else "broken"

    def scaled(self, factor: float) -> Calibration | None:
        """The same limits for a vector ``factor`` > 0 times as long; None where they are no numbers any more."""
        limits = [self.safe_low, self.safe_high, self.careful_low, self.careful_high]
        limits = [limit / factor for limit in limits] if factor > 0 else []
        if not limits or not all(math.isfinite(limit) and limit for limit in limits):
            return None
        low, high, careful_low, careful_high = limits
        return replace(
            self,
            safe_low=low,
            safe_high=high,
            careful_low=careful_low,
            careful_high=careful_high,
            costs=tuple(replace(cost, strength=cost.strength / factor) for cost in self.costs),
        )

    def turned_round(self) -> Calibration:
        """The same limits for the opposite vector."""
        return replace(
            self,
            safe_low=-self.safe_high,
            safe_high=-self.safe_low,
            careful_low=-self.careful_high,
            careful_high=-self.careful_low,
            costs=tuple(replace(cost, strength=-cost.strength) for cost in reversed(self.costs)),
        )
