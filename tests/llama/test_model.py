"""A model knows itself, and a file that cannot chat is refused in one sentence."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.errors import ModelError, Stopped
from localsteer.library.places import practice_model
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.steering import UNSTEERED
from tests.random_models import write_random_llama


def test_a_model_knows_its_shape_and_name(bpe: Model, random_bpe_model: Path) -> None:
    assert (bpe.name, bpe.architecture, bpe.quantisation) == ("Random bpe 0", "llama", "F32")
    assert (bpe.n_layer, bpe.n_embd, bpe.n_ctx_train) == (4, 64, 512)
    assert bpe.n_vocab == 600
    assert bpe.n_params == 224_832
    assert bpe.has_chat_template
    assert bpe.path == random_bpe_model


def test_models_of_one_vocabulary_share_its_fingerprint_but_not_their_id(
    bpe: Model, spm: Model, tmp_path: Path
) -> None:
    with Model(write_random_llama(tmp_path / "other.gguf", seed=9)) as other:
        assert other.vocabulary_fingerprint == bpe.vocabulary_fingerprint != spm.vocabulary_fingerprint
        assert other.model_id != bpe.model_id


@pytest.mark.parametrize("name", ["bpe", "spm"])
@pytest.mark.parametrize("text", ["the people find the wedding", "Grüße, 你好 🎉", "tabs\tand\n\n\nlines", "a  b"])
def test_tokens_spell_the_text_they_came_from(name: str, text: str, request: pytest.FixtureRequest) -> None:
    model: Model = request.getfixturevalue(name)
    spelled = b"".join(map(model.piece, model.tokenize(text))).decode()
    assert spelled.removeprefix(" ") == text


def test_special_tokens_are_only_seen_where_they_may_be(bpe: Model, spm: Model) -> None:
    for model, text in ((bpe, "<|eot_id|>"), (spm, "</s>")):
        assert len(model.tokenize(text, special=True)) <= 2
        assert model.is_end(model.tokenize(text, special=True)[-1])
        assert not any(map(model.is_end, model.tokenize(text)))
        assert b"".join(map(model.piece, model.tokenize(text))).decode().strip() == text


def test_the_start_token_comes_on_request(bpe: Model, spm: Model) -> None:
    for model in (bpe, spm):
        assert model.tokenize("sea", start=True) == [model.begin_token, *model.tokenize("sea")]
        assert model.tokenize("", start=True) == [model.begin_token]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_text_that_continues_another_is_tokenised_without_a_space_in_front(spm: Model, text: str) -> None:
    tokens = spm.tokenize(text, continues=True)
    assert b"".join(map(spm.piece, tokens)).decode("utf-8", "replace") == text


def test_an_architecture_that_applies_control_vectors_is_steerable(bpe: Model, spm: Model) -> None:
    assert bpe.steerable
    assert spm.steerable


def test_an_architecture_that_ignores_control_vectors_is_not(hybrid: Model) -> None:
    assert not hybrid.steerable


def test_a_model_of_one_layer_has_none_to_steer(tmp_path: Path) -> None:
    with Model(write_random_llama(tmp_path / "one.gguf", n_layer=1)) as model:
        assert not model.steerable


def test_loading_tells_its_progress(random_bpe_model: Path) -> None:
    fractions: list[float] = []

    def note(fraction: float) -> bool:
        fractions.append(fraction)
        return True

    with Model(random_bpe_model, progress=note):
        pass
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_loading_can_be_stopped(random_bpe_model: Path) -> None:
    with pytest.raises(Stopped):
        Model(random_bpe_model, progress=lambda _fraction: False)


def test_an_architecture_that_llama_cpp_does_not_know_is_refused_with_its_reason(tmp_path: Path) -> None:
    path = write_random_llama(tmp_path / "new.gguf", architecture="fantasia")
    with pytest.raises(ModelError, match="fantasia"):
        Model(path)


def test_nothing_of_llama_cpp_reaches_the_terminal(
    random_bpe_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "localsteer.llama_cpp"):
        with Model(random_bpe_model) as model, Context(model, n_ctx=64) as context:
            context.evaluate([(model.tokenize("the sea", start=True), UNSTEERED)])
        with pytest.raises(ModelError):
            Model(write_random_llama(tmp_path / "new.gguf", architecture="fantasia"))
    assert capfd.readouterr() == ("", "")
    assert "fantasia" in caplog.text


def test_a_closed_model_says_so(random_bpe_model: Path) -> None:
    model = Model(random_bpe_model)
    model.close()
    model.close()
    with pytest.raises(RuntimeError, match="closed"):
        Context(model, n_ctx=64)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems let go of pages by themselves")
def test_what_was_read_of_the_file_is_no_longer_held_and_comes_back() -> None:
    with Model(practice_model()) as model:
        assert held_of(practice_model()) < practice_model().stat().st_size // 2
        with Context(model, n_ctx=64) as context:
            context.evaluate([(model.tokenize("Tell me about the sea.", start=True), UNSTEERED)])
            assert context.logits().max() > context.logits().mean()


def held_of(path: Path) -> int:
    """Bytes of the file at ``path`` that are mapped and in memory."""
    return sum(mapped.rss for mapped in psutil.Process().memory_maps(grouped=True) if mapped.path == str(path))
