"""A GGUF's header is read as the ``gguf`` package reads it, and a bad file is refused in one sentence."""

from __future__ import annotations

import contextlib
import struct
from math import prod
from pathlib import Path

import gguf
import pytest
from gguf import GGUFReader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localsteer.errors import ModelError
from localsteer.gguf_header import ArraySummary, model_id, read_header, vocabulary_fingerprint
from localsteer.gguf_header.types import FILE_TYPES, TENSOR_TYPES
from tests.random_models import write_random_llama


@pytest.mark.parametrize("ftype", ["F32", "F16", "Q8_0"])
def test_tensors_are_those_that_the_gguf_package_finds(tmp_path: Path, ftype: str) -> None:
    path = write_random_llama(tmp_path / "model.gguf", ftype=ftype)  # type: ignore[arg-type]
    header = read_header(path)
    expected = GGUFReader(path)
    assert [(tensor.name, tensor.shape, tensor.type_name) for tensor in header.tensors] == [
        (tensor.name, tuple(int(n) for n in tensor.shape), tensor.tensor_type.name) for tensor in expected.tensors
    ]
    assert [(tensor.offset, tensor.nbytes) for tensor in header.tensors] == [
        (int(tensor.data_offset), int(tensor.n_bytes)) for tensor in expected.tensors
    ]
    assert header.quantisation == ftype
    assert header.n_params == sum(prod(tensor.shape) for tensor in header.tensors)


@pytest.mark.parametrize("name", ["random_bpe_model", "random_spm_model"])
def test_metadata_are_those_that_the_gguf_package_finds(name: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(name)
    fields = {key: field for key, field in GGUFReader(path).fields.items() if not key.startswith("GGUF.")}
    header = read_header(path, arrays=True)
    assert set(header.metadata) == set(fields)
    for key, field in fields.items():
        value, expected = header.metadata[key], field.contents()
        assert (list(value) if isinstance(value, tuple) else value) == expected


def test_arrays_that_nobody_asked_for_are_walked_over(random_bpe_model: Path) -> None:
    short, full = read_header(random_bpe_model), read_header(random_bpe_model, arrays=True)
    tokens, summary = full.metadata["tokenizer.ggml.tokens"], short.metadata["tokenizer.ggml.tokens"]
    assert isinstance(tokens, tuple)
    assert isinstance(summary, ArraySummary)
    assert summary.count == len(tokens)
    data = random_bpe_model.read_bytes()[summary.start : summary.end]
    assert data == b"".join(struct.pack("<Q", len(str(t).encode())) + str(t).encode() for t in tokens)


def test_a_header_names_what_people_ask_about(random_spm_model: Path) -> None:
    header = read_header(random_spm_model)
    assert (header.architecture, header.name, header.quantisation) == ("llama", "Random spm 1", "Q8_0")
    assert (header.n_layer, header.n_embd, header.context_length) == (4, 64, 512)
    assert header.chat_template is not None
    assert header.file_size == random_spm_model.stat().st_size


def test_without_a_file_type_the_commonest_weight_type_is_named(tmp_path: Path) -> None:
    path = write_random_llama(tmp_path / "model.gguf", ftype="Q8_0")
    data = path.read_bytes().replace(b"general.file_type", b"general.file_tipe")
    path.write_bytes(data)
    assert read_header(path).quantisation == "Q8_0"


def test_types_have_the_names_and_sizes_of_the_gguf_package() -> None:
    for number, size in gguf.GGML_QUANT_SIZES.items():
        assert TENSOR_TYPES[int(number)] == (number.name, *size)
    for file_type in gguf.LlamaFileType:
        if file_type != gguf.LlamaFileType.GUESSED:
            assert FILE_TYPES[int(file_type)] in file_type.name


def test_ids_follow_weights_and_fingerprints_follow_the_vocabulary(tmp_path: Path) -> None:
    paths = [write_random_llama(tmp_path / f"{seed}.gguf", seed=seed, name="Same") for seed in (0, 1)]
    paths.append(write_random_llama(tmp_path / "copy.gguf", seed=0, name="Same"))
    headers = [read_header(path) for path in paths]
    ids = [model_id(path, header) for path, header in zip(paths, headers, strict=True)]
    assert ids[0] == ids[2] != ids[1]
    assert len({vocabulary_fingerprint(path, header) for path, header in zip(paths, headers, strict=True)}) == 1
    assert all(len(one) == 16 and int(one, 16) for one in ids)


def test_a_missing_file_a_folder_and_another_kind_of_file_are_told_apart(tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("GUFG, no: just a text")
    empty = tmp_path / "empty.gguf"
    empty.touch()
    for path, sentence in (
        (tmp_path / "nowhere.gguf", "There is no file"),
        (tmp_path, "is a folder"),
        (text, "is not a GGUF file"),
        (empty, "is empty, not a GGUF file"),
    ):
        with pytest.raises(ModelError, match=sentence) as caught:
            read_header(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_without_the_end_of_its_weights_is_called_cut_off(random_bpe_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(random_bpe_model.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"cut off: tensor .* should end at byte"):
        read_header(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(random_bpe_model: Path, tmp_path: Path, part: float) -> None:
    path = tmp_path / "cut.gguf"
    data = random_bpe_model.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(ModelError):
        read_header(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 2000), byte=st.integers(0, 255))
def test_a_damaged_header_is_read_or_refused_but_never_trips_the_reader(
    random_bpe_model: Path, tmp_path: Path, at: int, byte: int
) -> None:
    path = tmp_path / "damaged.gguf"
    data = bytearray(random_bpe_model.read_bytes())
    data[at] = byte
    path.write_bytes(data)
    for arrays in (False, True):
        with contextlib.suppress(ModelError):
            assert read_header(path, arrays=arrays).file_size == len(data)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (struct.pack("<IQQ", 3, 2**60, 0), "damaged: it says that it has .* tensors"),
        (struct.pack("<IQQ", 3, 0, 2**60), "damaged: it says that it has .* metadata entries"),
        (struct.pack("<IQQQ", 3, 0, 1, 2**40), "damaged: a name in its header has"),
        (struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"k", 99), "unknown type 99"),
        (struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 8, 2**50), "damaged: a metadata array"),
        (struct.pack("<IQQQ1sIQ", 3, 0, 1, 1, b"k", 8, 50), "cut off"),
        (struct.pack("<IQQQ1sI", 3, 1, 0, 1, b"t", 9), "damaged: tensor t has 9 dimensions"),
    ],
)
def test_absurd_headers_are_refused_before_memory_is_taken(tmp_path: Path, header: bytes, sentence: str) -> None:
    path = tmp_path / "absurd.gguf"
    path.write_bytes(b"GGUF" + header)
    with pytest.raises(ModelError, match=sentence):
        read_header(path)
