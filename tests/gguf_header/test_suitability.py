"""A file that cannot chat here is refused before llama.cpp sees it, with a sentence that says what to do."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import gguf
import numpy as np
import psutil
import pytest

from localsteer.errors import ModelError
from localsteer.gguf_header import check_chat_model
from tests.random_models import write_encoder, write_random_llama, write_vocabulary_only


def write_other(path: Path, architecture: str, **texts: str) -> Path:
    """A small GGUF of another kind, with one tensor."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, text in texts.items():
        writer.add_string(key.replace("__", "."), text)
    writer.add_tensor("direction.1", np.zeros(8, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_chat_model_passes_and_its_header_comes_back(random_bpe_model: Path) -> None:
    assert check_chat_model(random_bpe_model).n_layer == 4


def test_a_vocabulary_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds a vocabulary and no weights"):
        check_chat_model(write_vocabulary_only(tmp_path / "vocabulary.gguf"))


def test_an_encoder_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is an encoder \(bert\)"):
        check_chat_model(write_encoder(tmp_path / "encoder.gguf"))


@pytest.mark.parametrize(
    ("architecture", "texts", "sentence"),
    [
        ("controlvector", {}, "is a control vector, not a model"),
        ("llama", {"general__type": "adapter"}, "is a LoRA adapter"),
        ("clip", {}, "is a vision projector"),
        ("llama", {"general__type": "imatrix"}, "is an importance matrix"),
        ("llama", {}, "does not say how many layers"),
    ],
)
def test_other_files_are_called_what_they_are(
    tmp_path: Path, architecture: str, texts: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        check_chat_model(write_other(tmp_path / "other.gguf", architecture, **texts))


def test_a_model_too_large_for_the_memory_is_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_random_llama(tmp_path / "large.gguf")
    with path.open("r+b") as file:
        file.truncate(8 * 2**30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8 * 2**30))
    with pytest.raises(ModelError, match=r"8\.8 GiB.*8\.0 GiB.*smaller"):
        check_chat_model(path)


def test_parts_of_a_split_model_count_together(tmp_path: Path) -> None:
    def part(number: int) -> Path:
        path = tmp_path / f"model-{number + 1:05}-of-00002.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_block_count(4)
        writer.add_embedding_length(8)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(["a", "b"])
        writer.add_tensor("token_embd.weight", np.zeros((8, 8), dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    first = part(0)
    with pytest.raises(ModelError, match="Part 2 of 2 of the model is missing"):
        check_chat_model(first)
    second = part(1)
    check_chat_model(first)
    with pytest.raises(ModelError, match=r"name the first one \(-00001-of-00002"):
        check_chat_model(second)


def test_the_first_part_under_another_name_cannot_find_the_others(tmp_path: Path) -> None:
    path = tmp_path / "renamed.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint16("split.count", 2)
    writer.add_tensor("token_embd.weight", np.zeros((8, 8), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match=r"was renamed; give it back its name \(NAME-00001-of-00002\.gguf\)"):
        check_chat_model(path)


def test_a_file_that_may_not_be_read(random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ModelError, match=r"random-bpe-f32\.gguf cannot be read: Permission denied"):
        check_chat_model(random_bpe_model)
