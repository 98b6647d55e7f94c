"""Round numbers for axes that have none of their own."""

from __future__ import annotations

import math


def round_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 times a power of ten from ``low`` to ``high``, ``most`` of them at most; none where there
    is no range.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or most < 2:
        return ()
    size: float = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * size
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return tuple(number * step for number in range(first, last + 1))
    return ()


def log_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """1, 2 and 5 times powers of ten from ``low`` to ``high``, both positive; powers alone where they are too many."""
    if not (math.isfinite(low) and math.isfinite(high)) or low <= 0 or high <= low:
        return ()
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = tuple(factor * 10.0**power for power in powers for factor in factors)
        found = tuple(tick for tick in found if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9))
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


def spoken_tick(tick: float) -> str:
    """``−1.5``, ``0``, ``20``."""
    return f"{tick:g}".replace("-", "−") if abs(tick) > 1e-12 else "0"
