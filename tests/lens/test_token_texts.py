"""Token texts: what was meant is readable, and nothing of it is obeyed by a terminal."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from gguf import GGUFReader
from hypothesis import given
from hypothesis import strategies as st

from localsteer.errors import ModelError
from localsteer.gguf_header import read_header
from localsteer.lens.token_texts import readable, token_texts
from tests.random_models import write_encoder


def texts_of(path: Path, *tokens: str) -> list[str]:
    """The readable texts of the tokens that stand in the file as these."""
    stored = [str(one) for one in GGUFReader(path).fields["tokenizer.ggml.tokens"].contents()]
    numbers = [stored.index(token) for token in tokens]
    found = token_texts(path, read_header(path), numbers)
    return [found[number] for number in numbers]


def test_byte_level_tokens_are_spelled_out(random_bpe_model: Path) -> None:
    assert texts_of(random_bpe_model, "Ġthe", "the", "ĊĊ", "Ä", "<|eot_id|>") == [
        "␣the",
        "the",
        "⏎⏎",
        "⟨C4⟩",
        "<|eot_id|>",
    ]


def test_sentencepiece_tokens_are_spelled_out(random_spm_model: Path) -> None:
    assert texts_of(random_spm_model, "▁happ", "<0x0A>", "<0xC4>", "é", "</s>") == ["␣happ", "⏎", "⟨C4⟩", "é", "</s>"]


def test_no_byte_of_a_vocabulary_reaches_a_terminal_as_it_is(random_bpe_model: Path, random_spm_model: Path) -> None:
    for path in (random_bpe_model, random_spm_model):
        found = token_texts(path, read_header(path), range(300))
        assert len(found) == 300
        for text in found.values():
            assert not any(unicodedata.category(character)[0] == "C" for character in text)
            assert "\n" not in text


@given(st.text())
def test_whatever_a_token_holds_is_made_visible(text: str) -> None:
    shown = readable(text)
    assert not any(unicodedata.category(character)[0] in "CZ" for character in shown)
    assert len(shown) >= len(text)


def test_escape_sequences_and_reordering_are_named() -> None:
    assert readable("\x1b[2J\u202e") == "⟨U+001B⟩[2J⟨U+202E⟩"


def test_a_file_without_a_vocabulary_says_so(tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "encoder.gguf")
    with pytest.raises(ModelError, match="no vocabulary"):
        token_texts(path, read_header(path), [0])
