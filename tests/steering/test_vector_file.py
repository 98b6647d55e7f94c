"""Vector files: round trips, the agreed names as another reader sees them, and every way a file can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localsteer.errors import StorageError, VectorError
from localsteer.steering.vector import LayerStatistics, ModelStamp, SteeringVector
from localsteer.steering.vector_file import load_vector, save_vector
from tests.steering.vectors import N_EMBD, STAMP, directions, make


def same(one: SteeringVector, other: SteeringVector) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in (
            *("name", "positive_pole", "negative_pole", "model", "method", "recipe_digest"),
            *("layers", "default_layers", "strength_low", "strength_high"),
        )
    ) and all(
        np.array_equal(one.directions[layer], other.directions[layer]) for layer in {*one.directions, *other.directions}
    )


def write(path: Path, tensors: dict[str, np.ndarray], change: Callable[[gguf.GGUFWriter], None] | None = None) -> Path:
    """A GGUF as another tool would write it."""
    writer = gguf.GGUFWriter(path, "controlvector")
    writer.add_string("controlvector.model_hint", "llama")
    writer.add_uint32("controlvector.layer_count", len(tensors))
    if change is not None:
        change(writer)
    for name, data in tensors.items():
        writer.add_tensor(name, data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def foreign(layers: range = range(1, 8)) -> dict[str, np.ndarray]:
    return {f"direction.{layer}": direction for layer, direction in directions(5, layers).items()}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save_vector(make(), tmp_path / "mood.gguf")
    assert same(load_vector(tmp_path / "mood.gguf"), make())


texts = st.text(max_size=10)
numbers = st.none() | st.floats(0, 1e6)
chances = st.none() | st.floats(0, 1)


@settings(max_examples=25)
@given(data=st.data())
def test_every_vector_survives_its_file(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    chosen = data.draw(st.sets(st.integers(1, 7), min_size=1))
    vector = SteeringVector(
        name=data.draw(texts),
        positive_pole=data.draw(texts),
        negative_pole=data.draw(texts),
        directions=directions(data.draw(st.integers(0, 9)), sorted(chosen)),
        model=ModelStamp(data.draw(texts), data.draw(texts), 8, N_EMBD, data.draw(texts), data.draw(texts)),
        method=data.draw(texts),
        recipe_digest=data.draw(texts),
        layers={layer: LayerStatistics(0.0, data.draw(numbers), data.draw(chances)) for layer in chosen},
        default_layers=tuple(data.draw(st.sets(st.sampled_from(sorted(chosen))))),
        strength_low=data.draw(numbers),
        strength_high=data.draw(numbers),
    )
    path = tmp_path_factory.mktemp("vectors") / "any.gguf"
    save_vector(vector, path)
    assert same(load_vector(path), vector)


def test_the_gguf_reader_finds_exactly_the_agreed_names(tmp_path: Path) -> None:
    vector = make(layers=(2, 3, 5))
    save_vector(vector, tmp_path / "mood.gguf")
    reader = gguf.GGUFReader(tmp_path / "mood.gguf")
    assert [tensor.name for tensor in reader.tensors] == ["direction.2", "direction.3", "direction.5"]
    for tensor in reader.tensors:
        assert tensor.tensor_type == gguf.GGMLQuantizationType.F32
        assert list(tensor.shape) == [N_EMBD]
        np.testing.assert_array_equal(tensor.data, vector.directions[int(tensor.name.removeprefix("direction."))])
    fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert fields == {
        "general.architecture": "controlvector",
        "general.name": "mood",
        "controlvector.model_hint": "llama",
        "controlvector.layer_count": 3,
        "localsteer.version": 1,
        "localsteer.positive_pole": "happy",
        "localsteer.negative_pole": "sad",
        "localsteer.method": "mean-difference",
        "localsteer.recipe_digest": "0123abcd",
        "localsteer.model.name": "Tiny Llama",
        "localsteer.model.vocabulary": "vocabulary-1",
        "localsteer.model.id": "file-1",
        "localsteer.model.n_layer": 8,
        "localsteer.model.n_embd": N_EMBD,
        "localsteer.layers.index": [2, 3, 5],
        "localsteer.layers.residual_norm": [12.5, 13.5, 15.5],
        "localsteer.layers.auc": [0.75, 0.75, 0.75],
        "localsteer.default_layers": [3],
        "localsteer.strength_low": -1.25,
        "localsteer.strength_high": 1.5,
    }


def test_a_file_of_another_tool_loads_with_poles_and_strengths_unknown(tmp_path: Path) -> None:
    vector = load_vector(write(tmp_path / "theirs.gguf", foreign()))
    assert vector.name == "theirs"
    assert (vector.positive_pole, vector.negative_pole, vector.strength_low, vector.strength_high) == (
        "",
        "",
        None,
        None,
    )
    assert vector.model == ModelStamp(architecture="llama", n_embd=N_EMBD)
    assert vector.default_layers == tuple(range(1, 8))
    np.testing.assert_array_equal(vector.directions[4], directions(5)[4])


def test_a_layer_offset_moves_every_layer(tmp_path: Path) -> None:
    late = load_vector(write(tmp_path / "late.gguf", foreign(range(2, 8))), layer_offset=-1)
    assert list(late.directions) == list(range(1, 7))
    early = load_vector(write(tmp_path / "early.gguf", foreign(range(7))), layer_offset=1)
    assert list(early.directions) == list(range(1, 8))
    save_vector(make(layers=(2, 3, 4)), tmp_path / "ours.gguf")
    ours = load_vector(tmp_path / "ours.gguf", layer_offset=-1)
    assert ours.default_layers == (2,)
    assert ours.layers[1].residual_norm == 12.5


def spoilt(bad: float) -> dict[str, np.ndarray]:
    tensors = foreign()
    tensors["direction.3"][2] = bad
    return tensors


narrow = np.zeros(8, dtype=np.float32)


@pytest.mark.parametrize(
    ("tensors", "complaint"),
    [
        (spoilt(np.nan), "layer 3 .* NaN or infinity"),
        (spoilt(np.inf), "layer 3 .* NaN or infinity"),
        ({**foreign(), "direction.0": np.ones(N_EMBD, np.float32)}, "direction.0 .* --layer-offset 1"),
        ({}, "holds no directions"),
        ({**foreign(), "bias.1": narrow}, 'holds the tensor "bias.1" beside'),
        ({**foreign(), "direction.x": narrow}, 'holds the tensor "direction.x" beside'),
        ({**foreign(), "direction.08": narrow}, 'holds the tensor "direction.08" beside'),
        ({"blk.0.attn_q.weight": narrow}, "is a model"),
        ({**foreign(), "direction.8": narrow}, "are 8 to 16 wide"),
        ({"direction.1": np.zeros((2, N_EMBD), np.float32)}, "2 dimensions"),
        ({"direction.1": np.zeros(N_EMBD, np.float16)}, "must be F32"),
    ],
)
def test_a_wrong_vector_file_gets_one_sentence(tmp_path: Path, tensors: dict[str, np.ndarray], complaint: str) -> None:
    with pytest.raises(VectorError, match=complaint) as refused:
        load_vector(write(tmp_path / "wrong.gguf", tensors))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda writer: writer.add_uint32("localsteer.positive_pole", 1), 'damaged entry "localsteer.positive_pole"'),
        (lambda writer: writer.add_string("localsteer.version", "1"), 'damaged entry "localsteer.version"'),
        (lambda writer: writer.add_uint32("localsteer.version", 2), "newer localsteer"),
        (lambda writer: writer.add_array("localsteer.layers.index", [1, 2]), "damaged statistics"),
        (lambda writer: writer.add_array("localsteer.layers.auc", ["x"]), "damaged entry"),
        (lambda writer: writer.add_array("localsteer.default_layers", [1.5]), "damaged entry"),
        (lambda writer: writer.add_array("localsteer.default_layers", [12]), "default layer 12"),
        (lambda writer: writer.add_float64("localsteer.strength_low", float("nan")), "not a finite number"),
        (lambda writer: writer.add_string("localsteer.strength_high", "much"), "damaged entry"),
    ],
)
def test_damaged_metadata_gets_one_sentence(
    tmp_path: Path, change: Callable[[gguf.GGUFWriter], None], complaint: str
) -> None:
    with pytest.raises(VectorError, match=complaint):
        load_vector(write(tmp_path / "wrong.gguf", foreign(), change))


def test_a_missing_file_a_folder_and_a_text_are_told_apart(tmp_path: Path) -> None:
    text = tmp_path / "text.gguf"
    text.write_text("Hello", encoding="utf-8")
    for path, complaint in ((tmp_path / "no.gguf", "no file"), (tmp_path, "is a folder"), (text, "not a GGUF file")):
        with pytest.raises(VectorError, match=complaint):
            load_vector(path)


def test_a_file_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mood.gguf"
    save_vector(make(), path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 32, 41):
        path.write_bytes(whole[:length])
        with pytest.raises(VectorError):
            load_vector(path)


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_file_with_wrong_bytes_is_read_or_refused_but_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "mood.gguf"
    save_vector(make(), path)
    content = bytearray(path.read_bytes())
    for place, byte in changes:
        content[place % len(content)] = byte
    path.write_bytes(content)
    with suppress(VectorError):
        load_vector(path)


def test_a_vector_that_replaces_another_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mood.gguf"
    save_vector(make(), path)
    broken = make("warmth", 1)
    monkeypatch.setattr(gguf.GGUFWriter, "write_tensors_to_file", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_vector(broken, path)
    assert same(load_vector(path), make())
    assert list(tmp_path.iterdir()) == [path]


def test_saving_over_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is a folder"):
        save_vector(make(), tmp_path)


def test_a_name_that_is_no_text_does_not_stop_the_file(tmp_path: Path) -> None:
    save_vector(replace(make(), name="half \ud800"), tmp_path / "mood.gguf")
    assert load_vector(tmp_path / "mood.gguf").model == STAMP
