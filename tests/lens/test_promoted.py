"""Tokens that a direction speaks for: the same as NumPy finds on the whole matrix, and planted ones come first."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import gguf
import numpy as np
import numpy.typing as npt
import pytest
from gguf import GGUFReader, GGUFWriter, TokenType
from gguf.quants import dequantize, quantize

from localsteer.errors import ModelError
from localsteer.gguf_header import read_header
from localsteer.lens import weights
from localsteer.lens.promoted import promoted_tokens
from localsteer.library.places import practice_model
from tests.random_models import FileType, write_random_llama, write_vocabulary_only

Floats = npt.NDArray[np.float32]


def whole(path: Path, name: str) -> Floats | None:
    """A tensor as the gguf package reads and dequantises it in one go."""
    for tensor in GGUFReader(path).tensors:
        if tensor.name == name:
            return np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
    return None


def scores(path: Path, direction: Floats) -> npt.NDArray[np.float64]:
    """float64[n_vocab]."""
    output, norm = whole(path, "output.weight"), whole(path, "output_norm.weight")
    if output is None:
        output = whole(path, "token_embd.weight")
    assert output is not None
    assert norm is not None
    return np.asarray(output.astype(np.float64) @ (norm.astype(np.float64) * direction))


@pytest.fixture
def direction() -> Floats:
    return np.random.default_rng(5).standard_normal(64).astype(np.float32)


@pytest.mark.parametrize("ftype", get_args(FileType))
def test_they_are_those_that_numpy_finds_on_the_whole_matrix(
    tmp_path: Path, ftype: FileType, direction: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_WEIGHTS_AT_ONCE", 7 * 64)
    path = write_random_llama(tmp_path / "model.gguf", ftype=ftype)
    expected = scores(path, direction)
    seen: list[tuple[int, int]] = []
    found = promoted_tokens(path, direction, 10, progress=lambda done, total: seen.append((done, total)))
    order = np.argsort(expected, kind="stable")
    assert [one.token for one in found.promoted] == order[::-1][:10].tolist()
    assert [one.token for one in found.suppressed] == order[:10].tolist()
    np.testing.assert_allclose([one.score for one in found.promoted], expected[order[::-1][:10]], rtol=1e-4)
    assert len(seen) > 80
    assert seen[-1] == (len(expected), len(expected))


def test_the_practice_models_tied_embeddings_and_its_norm_count(monkeypatch: pytest.MonkeyPatch) -> None:
    path = practice_model()
    direction = np.random.default_rng(1).standard_normal(read_header(path).n_embd).astype(np.float32)
    assert whole(path, "output.weight") is None
    expected = scores(path, direction)
    assert [one.token for one in promoted_tokens(path, direction, 5).promoted] == np.argsort(-expected)[:5].tolist()


def test_planted_tokens_come_first_and_last(tmp_path: Path) -> None:
    path = write_random_llama(tmp_path / "model.gguf")
    output = whole(path, "output.weight")
    assert output is not None
    tokens = [str(one) for one in GGUFReader(path).fields["tokenizer.ggml.tokens"].contents()]
    the, you = tokens.index("Ġthe"), tokens.index("Ġyou")
    found = promoted_tokens(path, output[the] - output[you], 3)
    assert (found.promoted[0].text, found.suppressed[0].text) == ("␣the", "␣you")


@pytest.mark.parametrize(("part", "n_parts"), [(None, 1), (2, 2)])
def test_unused_tokens_are_left_out_and_a_norm_weighs(tmp_path: Path, part: int | None, n_parts: int) -> None:
    """Also where the output matrix stands in the second file of a split model."""
    output = np.array([[1, 0], [3, 0], [2, 0], [0, 4]], dtype=np.float32)
    norm = np.array([1, -2], dtype=np.float32)
    first = tmp_path / (f"model-00001-of-0000{n_parts}.gguf" if part else "model.gguf")
    write_parts(first, part, output, norm)
    found = promoted_tokens(first, np.array([1, 1], dtype=np.float32), 10)
    assert [(one.text, one.score) for one in found.promoted] == [("c", 2.0), ("a", 1.0), ("d", -8.0)]
    assert [one.text for one in found.suppressed] == ["d", "a", "c"]


def write_parts(first: Path, part: int | None, output: Floats, norm: Floats) -> None:
    writers = [GGUFWriter(first, "llama")]
    writers[0].add_tokenizer_model("llama")
    writers[0].add_token_list(["a", "filler", "c", "d"])
    writers[0].add_token_types([TokenType.NORMAL, TokenType.UNUSED, TokenType.NORMAL, TokenType.NORMAL])
    if part:
        writers.append(GGUFWriter(first.with_name(first.name.replace("00001-of", f"0000{part}-of")), "llama"))
        for number, writer in enumerate(writers):
            writer.add_uint16("split.no", number)
            writer.add_uint16("split.count", part)
    writers[0].add_tensor("output_norm.weight", norm)
    writers[-1].add_tensor("output.weight", output)
    for writer in writers:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, random_bpe_model: Path, direction: Floats) -> None:
    with pytest.raises(ModelError, match="no output weights"):
        promoted_tokens(write_vocabulary_only(tmp_path / "vocabulary.gguf"), direction)
    with pytest.raises(ModelError, match=r"8 wide .* 64 wide"):
        promoted_tokens(random_bpe_model, np.ones(8, dtype=np.float32))
    with pytest.raises(ModelError, match="no file"):
        promoted_tokens(tmp_path / "nothing.gguf", direction)


@pytest.mark.parametrize("kind", ["I8", "Q8_1", "NEW"])
def test_a_quantisation_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, direction: Floats, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_random_llama(tmp_path / "model.gguf", ftype="Q8_0")
    number = {"I8": 24, "Q8_1": 9, "NEW": 77}[kind]
    raw = bytearray(path.read_bytes())
    at = raw.index(b"output.weight") + len(b"output.weight") + 4 + 2 * 8
    assert raw[at : at + 4] == int(gguf.GGMLQuantizationType.Q8_0).to_bytes(4, "little")
    raw[at : at + 4] = number.to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(ModelError, match=r"use another quantisation|cut off"):
        promoted_tokens(path, direction)


def test_weights_that_are_nan_drop_out(tmp_path: Path) -> None:
    output = np.array([[1, 0], [3, 0], [np.nan, 0], [0, 4]], dtype=np.float32)
    write_parts(tmp_path / "model.gguf", None, output, np.ones(2, dtype=np.float32))
    found = promoted_tokens(tmp_path / "model.gguf", np.array([1, 0], dtype=np.float32))
    assert [one.text for one in found.promoted] == ["a", "d"]


def test_quantised_rows_are_read_at_the_right_places() -> None:
    """The premise of reading in pieces: a row's blocks stand together."""
    rows = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
    packed = quantize(rows, gguf.GGMLQuantizationType.Q8_0)
    assert packed.shape == (4, 68)
