"""What can be shown of a vector: figures that agree with its file, likeness to its neighbours, what was measured."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from localsteer.errors import StorageError, VectorError
from localsteer.library.measured import keep_sweep, kept_sweep, measured_path, read_sweep
from localsteer.library.places import Places
from localsteer.library.portraits import read_portrait, read_tokens
from localsteer.library.vector_cards import read_vector_card
from localsteer.library.vectors import VectorLibrary
from localsteer.plots.portrait import Portrait
from localsteer.steering.fit import ModelStamp
from localsteer.steering.scatter import Scatter
from localsteer.steering.vector import LayerStatistics, SteeringVector
from localsteer.steering.vector_file import save_vector

EAST, NORTH = np.eye(2, 8, dtype=np.float32)
DOCUMENT = {"rows": [{"layers": [3], "strength": 1.0, "effect": 0.5, "perplexity_ratio": math.inf}], "safe_low": -1.0}


def write(path: Path, directions: dict[int, np.ndarray], scatter: Scatter | None = None, **options: object) -> Path:
    """A vector for a model called m1, 8 wide unless its directions are not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    n_embd = next(iter(directions.values())).size
    vector = SteeringVector(
        path.stem,
        "happy",
        "sad",
        directions,
        ModelStamp("Small", "llama", 6, n_embd, "", "m1"),
        layers={layer: LayerStatistics(0.0, 10.0 * layer, 0.9) for layer in directions},
        scatter=scatter,
        **options,  # type: ignore[arg-type]
    )
    save_vector(vector, path)
    return path


def portrait(path: Path, places: Places) -> Portrait:
    library = VectorLibrary.at(places)
    card = read_vector_card(path)
    return read_portrait(card, library.all(library.model_of(card)))


@pytest.fixture
def mood(places: Places) -> Path:
    points = np.array([[1, 2], [3, 4]], dtype=np.float32)
    directions = {2: 2 * EAST, 3: EAST + NORTH, 4: -EAST}
    return write(places.vectors / "m1" / "mood.gguf", directions, Scatter(3, points, -points), default_layers=(2, 3))


def test_norms_shares_and_cosines_are_those_of_the_directions(mood: Path, places: Places) -> None:
    card = portrait(mood, places)
    assert [layer.layer for layer in card.layers] == [2, 3, 4]
    assert [layer.norm for layer in card.layers] == pytest.approx([2, math.sqrt(2), 1])
    assert [layer.norm_share for layer in card.layers] == pytest.approx([2 / 20, math.sqrt(2) / 30, 1 / 40])
    half = math.sqrt(0.5)
    np.testing.assert_allclose(card.cosines, [[1, half, -1], [half, 1, -half], [-1, -half, 1]], atol=1e-6)
    assert card.main_layer == 3
    assert card.scatter is not None
    assert card.scatter.positive == ((1, 2), (3, 4))
    assert card.scatter.negative == ((-1, -2), (-3, -4))


def test_other_vectors_of_the_same_model_are_compared_at_the_main_layer(mood: Path, places: Places) -> None:
    beside = places.vectors / "m1"
    write(beside / "same.gguf", {3: 5 * (EAST + NORTH)})
    write(beside / "half.gguf", {3: -EAST})
    write(beside / "elsewhere.gguf", {4: EAST})
    write(beside / "wider.gguf", {3: np.ones(9, np.float32)})
    write(beside / "zero.gguf", {2: EAST, 3: 0 * EAST})
    (beside / "broken.gguf").write_bytes(b"GGUF")
    write(places.vectors / "m2" / "other-model.gguf", {3: EAST})
    write(places.vectors / "any" / "anyones.gguf", {3: NORTH - EAST})
    found = portrait(mood, places).others
    assert [(other.name, round(other.cosine, 3)) for other in found][:2] == [("same", 1.0), ("half", -0.707)]
    assert {other.name for other in found} == {"same", "half", "zero", "anyones"}
    assert {other.cosine for other in found[2:]} == {0.0}


def test_a_file_that_says_nothing_more_has_a_portrait_that_shows_nothing_more(places: Places, tmp_path: Path) -> None:
    save_vector(SteeringVector("old", "", "", {3: EAST}, ModelStamp(n_embd=8)), tmp_path / "old.gguf")
    card = portrait(tmp_path / "old.gguf", places)
    assert (card.scatter, card.curve, card.tokens, card.others, card.strength_low) == (None, None, None, (), None)
    assert (card.layers[0].norm_share, card.layers[0].auc) == (None, None)


def test_a_file_that_is_no_vector_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    with pytest.raises(VectorError):
        read_portrait(read_vector_card(tmp_path / "bad.gguf"))


def test_tokens_are_read_at_the_main_layer(random_bpe_model: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "v.gguf", {2: np.ones(64, np.float32), 3: -np.ones(64, np.float32)}, default_layers=(2,))
    tokens = read_tokens(read_vector_card(path), random_bpe_model, 4)
    turned = read_tokens(read_vector_card(write(path, {3: -np.ones(64, np.float32)})), random_bpe_model, 4)
    assert (tokens.layer, turned.layer) == (2, 3)
    assert [token.text for token in tokens.promoted] == [token.text for token in turned.suppressed]
    assert tokens.promoted[0].score == pytest.approx(-turned.suppressed[0].score)


def test_what_was_measured_stays_with_the_vector_until_that_is_made_again(mood: Path, places: Places) -> None:
    assert kept_sweep(mood) is None
    keep_sweep(mood, DOCUMENT)
    curve = portrait(mood, places).curve
    assert curve is not None
    assert (curve.points[0].effect, curve.points[0].perplexity_ratio, curve.safe) == (0.5, math.inf, (-1.0, None))
    write(mood, {3: NORTH})
    assert portrait(mood, places).curve is None


def test_what_was_measured_goes_when_the_vector_goes(mood: Path, places: Places) -> None:
    keep_sweep(mood, DOCUMENT)
    VectorLibrary.at(places).remove(read_vector_card(mood))
    assert not measured_path(mood).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"rows": 1}', '{"rows": []}', "\ud800"])
def test_a_damaged_record_is_none_and_a_file_that_is_no_sweep_is_one_sentence(mood: Path, content: str) -> None:
    path = measured_path(mood)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert kept_sweep(mood) is None
    with pytest.raises(StorageError, match="holds no sweep"):
        read_sweep(path)
    with pytest.raises(StorageError, match="cannot be read"):
        read_sweep(path.with_name("nothing.json"))
