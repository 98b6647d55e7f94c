"""What is known of how far a vector can be turned: in order, scaled with it, and kept in its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from localsteer.errors import VectorError
from localsteer.steering.calibration import Calibration, MeasuredCost
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import load_vector, save_vector

KNOWN = Calibration(-1.5, 1.0, -2.5, 2.0, 1.5, 1.0, 0.75, (MeasuredCost(-1.5, 1.4, 0.9), MeasuredCost(1.0, 1.1, 0.95)))


def vector(calibration: Calibration | None = KNOWN) -> SteeringVector:
    return SteeringVector(
        name="mood",
        positive_pole="happy",
        negative_pole="sad",
        directions={1: np.ones(4, dtype=np.float32)},
        model=ModelStamp("toy", "llama", 3, 4, "words", "id"),
        calibration=calibration,
    )


@pytest.mark.parametrize(
    ("strength", "zone"),
    [
        (0.0, "safe"),
        (-1.5, "safe"),
        (1.0, "safe"),
        (1.01, "careful"),
        (-2.5, "careful"),
        (2.1, "broken"),
        (-9, "broken"),
    ],
)
def test_a_strength_is_safe_careful_or_broken(strength: float, zone: str) -> None:
    assert KNOWN.zone(strength) == zone


def test_a_vector_file_keeps_it(tmp_path: Path) -> None:
    save_vector(vector(), tmp_path / "mood.gguf")
    assert load_vector(tmp_path / "mood.gguf").calibration == KNOWN
    save_vector(vector(None), tmp_path / "bare.gguf")
    assert load_vector(tmp_path / "bare.gguf").calibration is None


def test_a_vector_twice_as_long_is_turned_half_as_far() -> None:
    doubled = (2 * vector()).calibration
    assert doubled is not None
    assert (doubled.safe_low, doubled.safe_high, doubled.careful_high) == (-0.75, 0.5, 1.0)
    assert doubled.costs[1] == MeasuredCost(0.5, 1.1, 0.95)


def test_the_opposite_vector_has_its_ends_exchanged() -> None:
    opposite = (-vector()).calibration
    assert opposite is not None
    assert (opposite.careful_low, opposite.safe_low, opposite.safe_high, opposite.careful_high) == (
        -2.0,
        -1.0,
        1.5,
        2.5,
    )
    assert [cost.strength for cost in opposite.costs] == [-1.0, 1.5]


def test_a_vector_of_length_zero_knows_no_range() -> None:
    assert (0 * vector()).calibration is None


@pytest.mark.parametrize("limits", [(1.0, -1.0, -2.0, 2.0), (-1.0, 1.0, -0.5, 2.0), (-1.0, float("nan"), -2.0, 2.0)])
def test_limits_out_of_order_are_refused(limits: tuple[float, float, float, float]) -> None:
    with pytest.raises(VectorError, match="safe range"):
        Calibration(*limits, perplexity_bound=1.5, kl_bound=1.0, addition_bound=0.75)
