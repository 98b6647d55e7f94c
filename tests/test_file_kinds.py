"""A file of the wrong kind is called by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.file_kinds import EMPTY, GGUF, HTML, JSON, LFS_POINTER, RECIPE, FileKind, kind_of, kind_of_file
from localsteer.library.places import packaged_recipes


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"", EMPTY),
        (b"GGUF\x03\x00\x00\x00", GGUF),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", LFS_POINTER),
        (b"\n <!DOCTYPE html>\n<html>", HTML),
        (b"<html lang='en'>", HTML),
        (b'{"a": 1}', JSON),
        (b'\xef\xbb\xbf[\n  {"a": 1}]', JSON),
        (b'[["I love", "I hate"]]', JSON),
        (b'["a"]', JSON),
        (b'# mine\ndescription = "d"\n\n[poles]\npositive = "a"', RECIPE),
        (b'description = "d"\npoles = { positive = "a" }', RECIPE),
    ],
)
def test_kinds_that_are_told_apart(beginning: bytes, kind: FileKind) -> None:
    assert kind_of(beginning) == kind


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a PNG picture"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"\x80\x04\x95", "a Python pickle"),
        (b'\x10\x00\x00\x00\x00\x00\x00\x00{"a":', "a safetensors file"),
        (b"tjgg\x03\x00\x00\x00", "a model in GGML's old format"),
    ],
)
def test_kinds_have_names(beginning: bytes, name: str) -> None:
    kind = kind_of(beginning)
    assert kind is not None
    assert kind.name == name


@pytest.mark.parametrize(
    "text", ["I love", "[INST] Hi [/INST]", "That game\nI can", "<|im_start|>user", "[a, b]", "{x}"]
)
def test_other_text_could_be_anything(text: str) -> None:
    assert kind_of(text.encode()) is None


def test_every_recipe_that_comes_along_is_known_as_one(tmp_path: Path) -> None:
    assert {kind_of_file(path) for path in packaged_recipes().glob("*.toml")} == {RECIPE}
    assert kind_of_file(tmp_path / "missing") is None
