"""Principal directions without labels: a planted one is found, largest first, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from localsteer.steering.methods.principal import principal_directions


def planted(seed: int = 0, n: int = 200, d: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """States float32[n, d] that vary by two planted directions, 10 and 4 wide, in noise 1 wide; and these: [2, d]."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((d, 2)))[0].T
    states = 50 + rng.standard_normal((n, d)) + rng.standard_normal((n, 2)) * [10, 4] @ basis
    return states.astype(np.float32), basis


def test_planted_directions_are_found_in_the_order_of_their_variance() -> None:
    states, basis = planted()
    found = principal_directions(states, 2)
    assert abs(float(found.directions[0] @ basis[0])) > 0.99
    assert abs(float(found.directions[1] @ basis[1])) > 0.95
    assert found.shares[0] > found.shares[1] > 0
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(found.scores, (states - states.mean(axis=0)) @ found.directions.T, rtol=1e-3, atol=1e-2)


def test_the_longer_tail_is_the_positive_end() -> None:
    states, _ = planted()
    found = principal_directions(states, 3)
    assert ((found.scores.astype(np.float64) ** 3).sum(axis=0) >= 0).all()
    turned = principal_directions(-states, 3)
    np.testing.assert_allclose(turned.directions, -found.directions, atol=1e-4)


def test_there_are_no_more_directions_than_the_texts_vary_by() -> None:
    row = np.arange(8, dtype=np.float32)
    found = principal_directions(np.stack([row, 2 * row, 3 * row]), 5)
    assert found.directions.shape == (1, 8)
    assert principal_directions(np.stack([row, row]), 5).directions.shape[0] == 0
    with pytest.raises(ValueError, match="fewer than two"):
        principal_directions(row[None], 1)
