"""Contrast files of both kinds are read by their ending."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.errors import RecipeError
from localsteer.steering.contrast import ContrastPair
from localsteer.steering.readers import read_contrast_file


@pytest.mark.parametrize(
    "text", ['[["I love", "I hate"]]', '[{"positive": "I love", "negative": "I hate"}]', '\ufeff[["I love", "I hate"]]']
)
def test_plain_pairs_are_read_without_a_chat_template(tmp_path: Path, text: str) -> None:
    path = tmp_path / "love.json"
    path.write_text(text, encoding="utf-8")
    contrast = read_contrast_file(path)
    assert contrast.pairs == (ContrastPair("I love", "I hate", "last"),)
    assert contrast.name == "love"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[1, 2]]", "Entry 1 of .* is no pair"),
        ('[["I love"]]', "Entry 1 of .* is no pair"),
        ("{}", "is no list"),
        ("[", "syntax error.*line 1"),
        ("[]", "is empty"),
        ('[["same", "same"]]', "are the same"),
        pytest.param("[" * 100_000, "syntax error", id="too deep"),
    ],
)
def test_wrong_pairs_get_one_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "love.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=complaint):
        read_contrast_file(path)


def test_a_file_of_another_kind_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(RecipeError, match=r"none of the contrast files that can be read \(\.toml, \.json\)"):
        read_contrast_file(tmp_path / "model.gguf")
    with pytest.raises(RecipeError, match="no recipe at"):
        read_contrast_file(tmp_path / "missing")
