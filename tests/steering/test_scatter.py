"""The scatter of the prompts: planted poles lie apart along its first axis, the positive one to the right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from localsteer.errors import VectorError
from localsteer.steering import vector_file
from localsteer.steering.layers import auc
from localsteer.steering.scatter import MOST_PAIRS, Scatter, scatter_of
from localsteer.steering.vector_file import load_vector, save_vector
from tests.steering.vectors import N_EMBD, cosine, make


def planted(n_pairs: int = 60, apart: float = 6.0, topic: float = 5.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sides and the direction between them; what the pairs are about differs about as much as their poles."""
    rng = np.random.default_rng(0)
    direction = rng.normal(size=N_EMBD).astype(np.float32)
    direction /= np.linalg.norm(direction)
    about = topic * rng.normal(size=(n_pairs, N_EMBD))
    about -= np.outer(about @ direction, direction)
    sides = [about + sign * apart / 2 * direction + rng.normal(size=about.shape) for sign in (1, -1)]
    return sides[0].astype(np.float32), sides[1].astype(np.float32), direction


def test_the_poles_lie_apart_along_the_first_axis_whatever_the_prompts_are_about() -> None:
    positive, negative, direction = planted()
    scatter = scatter_of(positive, negative, direction, 3)
    assert auc(scatter.positive[:, 0], scatter.negative[:, 0]) > 0.95
    gap = scatter.positive.mean(axis=0) - scatter.negative.mean(axis=0)
    assert gap[0] == pytest.approx(6.0, rel=0.2)
    assert abs(gap[1]) < 0.3 * gap[0]
    assert scatter.layer == 3


def test_the_first_axis_takes_its_sign_from_the_direction() -> None:
    positive, negative, direction = planted()
    right, left = scatter_of(positive, negative, direction, 3), scatter_of(positive, negative, -direction, 3)
    np.testing.assert_allclose(left.positive[:, 0], -right.positive[:, 0], rtol=1e-5)
    np.testing.assert_allclose(left.positive[:, 1], right.positive[:, 1], rtol=1e-5)


def test_points_are_distances_in_the_residual_stream() -> None:
    positive, negative, direction = planted(n_pairs=2, topic=0.0)
    scatter = scatter_of(positive, negative, direction, 3)
    # Two pairs differ in a plane, and the scatter shows all of it.
    for pair in range(2):
        seen = np.linalg.norm(scatter.positive[pair] - scatter.negative[pair])
        assert seen == pytest.approx(np.linalg.norm(positive[pair] - negative[pair]), rel=1e-4)


def test_many_pairs_are_thinned_out_at_even_distances() -> None:
    positive, negative, direction = planted(n_pairs=1000)
    scatter = scatter_of(positive, negative, direction, 3)
    assert scatter.positive.shape == scatter.negative.shape == (MOST_PAIRS, 2)
    assert scatter.positive.dtype == np.float32
    first = scatter_of(positive[:200], negative[:200], direction, 3)
    assert not np.allclose(first.positive, scatter.positive)


def test_one_pair_lies_on_a_line() -> None:
    positive, negative, direction = planted(n_pairs=1)
    scatter = scatter_of(positive, negative, direction, 3)
    assert scatter.positive[0, 0] > 0 > scatter.negative[0, 0]
    assert scatter.positive[0, 1] == scatter.negative[0, 1] == 0


def test_it_survives_its_file_beside_directions_only(tmp_path: Path) -> None:
    positive, negative, direction = planted()
    scatter = scatter_of(positive, negative, direction, 3)
    save_vector(replace(make(), scatter=scatter), tmp_path / "mood.gguf")
    loaded = load_vector(tmp_path / "mood.gguf").scatter
    assert loaded is not None
    assert loaded.layer == 3
    np.testing.assert_array_equal(loaded.positive, scatter.positive)
    np.testing.assert_array_equal(loaded.negative, scatter.negative)
    reader = gguf.GGUFReader(tmp_path / "mood.gguf")
    assert all(tensor.name.startswith("direction.") for tensor in reader.tensors)
    late = load_vector(tmp_path / "mood.gguf", layer_offset=1).scatter
    assert late is not None
    assert late.layer == 4


def test_an_older_file_has_none(tmp_path: Path) -> None:
    save_vector(make(), tmp_path / "old.gguf")
    assert load_vector(tmp_path / "old.gguf").scatter is None


def test_a_damaged_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(writer: gguf.GGUFWriter, key: str, rows: np.ndarray) -> None:
        kinds = gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.FLOAT32
        writer.add_key_value(key, rows.ravel().tolist()[1:], *kinds)

    positive, negative, direction = planted()
    scatter = scatter_of(positive, negative, direction, 3)
    monkeypatch.setattr(vector_file, "_add_rows", odd)
    save_vector(replace(make(), scatter=scatter), tmp_path / "bad.gguf")
    with pytest.raises(VectorError, match="damaged"):
        load_vector(tmp_path / "bad.gguf")
    with pytest.raises(VectorError, match="damaged"):
        Scatter(3, scatter.positive, scatter.negative[1:])
    with pytest.raises(VectorError, match="damaged"):
        Scatter(3, scatter.positive * np.float32(np.inf), scatter.negative)


def test_a_vector_turned_round_sees_its_prompts_turned_round() -> None:
    positive, negative, direction = planted()
    vector = replace(make(), scatter=scatter_of(positive, negative, direction, 3))
    turned = (-vector).scatter
    assert turned is not None
    assert vector.scatter is not None
    assert auc(turned.positive[:, 0], turned.negative[:, 0]) > 0.95
    np.testing.assert_array_equal(turned.positive[:, 0], -vector.scatter.negative[:, 0])
    assert cosine((-vector).directions[3], vector.directions[3]) == pytest.approx(-1)
