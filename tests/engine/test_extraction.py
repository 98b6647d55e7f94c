"""Vectors made by the real backend: what comes out, what is said on the way, and that a stop leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from localsteer.engine.calibrating import RECOMMENDED_SHARE
from localsteer.engine.engine import Engine
from localsteer.engine.positions import span_of
from localsteer.engine.protocol import (
    DialSetting,
    Event,
    Extract,
    Extracted,
    ExtractProgress,
    Finished,
    Generate,
    Load,
    Notice,
    Sampling,
    Stopped,
    TokenText,
    Turn,
)
from localsteer.errors import DialError, RecipeError, StorageError
from localsteer.llama.chat_template import render
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.steering import UNSTEERED
from localsteer.messages import Message
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.vector_file import load_vector
from tests.random_hybrid import write_random_hybrid

RECIPE = """
description = "Mood."
[poles]
positive = "happy"
negative = "sad"
[[personas]]
positive = ["be happy", "you are full of joy"]
negative = ["be sad", "you are full of grief"]
messages = ["the sea", "the day", "the people", "the word", "the time"]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "mood.toml"
    path.write_text(RECIPE)
    return path


def extract(
    engine: Engine, recipe: Path, out: Path, on_event: Callable[[Event], None] | None = None, **options: object
) -> list[Event]:
    events: list[Event] = []

    def say(event: Event) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    engine.carry_out(Extract(3, str(recipe), str(out), **options), say)  # type: ignore[arg-type]
    return events


def made(events: list[Event]) -> Extracted:
    assert isinstance(events[-1], Extracted)
    return events[-1]


@pytest.fixture(scope="module")
def whole(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], Path]:
    """An extraction with all that belongs to it: what was said, and where recipe and new folder lie."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "mood.toml").write_text(RECIPE)
    return extract(engine, folder / "mood.toml", folder / "new folder" / "mood.gguf"), folder


def test_a_recipe_becomes_a_vector_file_and_a_report_of_it(engine: Engine, whole: tuple[list[Event], Path]) -> None:
    events, folder = whole
    recipe, out = folder / "mood.toml", folder / "new folder" / "mood.gguf"
    report = made(events)
    vector = load_vector(out)
    assert engine.card is not None
    assert vector.model.model_id == engine.card.model_id
    assert vector.recipe_digest == read_contrast_file(recipe).digest
    assert (vector.positive_pole, vector.negative_pole) == ("happy", "sad")
    assert (report.recipe, report.method, report.prompts, report.out) == ("mood", "mean-difference", 20, str(out))
    assert [layer.layer for layer in report.layers] == list(vector.directions) == [1, 2, 3]
    assert report.tokens_evaluated < report.tokens_one_by_one
    assert report.default_layers == vector.default_layers
    assert (report.strength_low, report.strength_high) == (vector.strength_low, vector.strength_high)
    assert report.strength_low is not None
    assert report.strength_high is not None
    assert report.strength_low < 0 < report.strength_high
    assert vector.calibration is not None
    assert (report.safe_low, report.safe_high) == (vector.calibration.safe_low, vector.calibration.safe_high)
    assert report.strength_low == pytest.approx(RECOMMENDED_SHARE * vector.calibration.safe_low, abs=0.01)
    assert vector.calibration.careful_high >= vector.calibration.safe_high > 0
    assert len(vector.calibration.costs) > 4
    for layer in report.layers:
        assert layer.norm == pytest.approx(np.linalg.norm(vector.directions[layer.layer]), rel=1e-5)
        assert layer.residual_norm > 0
        assert layer.auc is not None
        assert 0 <= layer.auc <= 1


def test_the_direction_is_the_mean_difference_of_the_hidden_states_read_one_by_one(
    engine: Engine, recipe: Path, tmp_path: Path, random_bpe_model: Path
) -> None:
    extract(engine, recipe, tmp_path / "mood.gguf", calibrate=False)
    differences = []
    with Model(random_bpe_model) as model:
        rows: list[np.ndarray] = []
        tap = ResidualTap(model.n_embd, [2], read=lambda _layer, read: rows.append(read[-1].copy()))
        with Context(model, n_ctx=512, n_threads=1, tap=tap) as context:
            for pair in read_contrast_file(recipe).pairs:
                for prompt in (pair.positive, pair.negative):
                    assert not isinstance(prompt, str)
                    tokens = [token for piece in render(model, prompt) for token in piece.tokens]
                    context.evaluate([(tokens, UNSTEERED)])
                differences.append(rows[-2] - rows[-1])
    expected = np.mean(differences, axis=0)
    # The cache holds half floats, so hidden states some 16 long agree to about 1e-3 of that.
    assert load_vector(tmp_path / "mood.gguf").directions[2] == pytest.approx(expected, abs=1e-2)


def test_the_file_holds_directions_only_and_llama_cpp_s_names(engine: Engine, recipe: Path, tmp_path: Path) -> None:
    extract(engine, recipe, tmp_path / "mood.gguf", calibrate=False)
    reader = gguf.GGUFReader(tmp_path / "mood.gguf")
    assert [tensor.name for tensor in reader.tensors] == ["direction.1", "direction.2", "direction.3"]
    assert reader.get_field("general.architecture").contents() == "controlvector"  # type: ignore[union-attr]


def test_the_new_vector_can_be_dialled_at_once(engine: Engine, recipe: Path, tmp_path: Path) -> None:
    extract(engine, recipe, tmp_path / "mood.gguf", calibrate=False)
    texts = set()
    for strength in (-9.0, 0.0, 9.0):
        dials = (DialSetting("mood", str(tmp_path / "mood.gguf"), strength),)
        events = list(engine.generate(Generate(4, (Turn("user", "the sea"),), dials, Sampling(0.0, max_tokens=8))))
        assert isinstance(events[-1], Finished)
        texts.add(events[-1].tokens)
    assert len(texts) == 3


def test_progress_is_said_stage_by_stage_and_never_goes_back(whole: tuple[list[Event], Path]) -> None:
    progress = [event for event in whole[0] if isinstance(event, ExtractProgress)]
    assert list(dict.fromkeys(event.stage for event in progress)) == ["reading", "measuring", "writing"]
    for stage in ("reading", "measuring", "writing"):
        done = [event.done / event.total for event in progress if event.stage == stage]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0.0, 1.0)


def test_chosen_layers_are_the_default_ones_and_all_layers_are_kept(
    engine: Engine, recipe: Path, tmp_path: Path
) -> None:
    report = made(extract(engine, recipe, tmp_path / "mood.gguf", layers=(1, 3), calibrate=False))
    assert report.default_layers == (1, 3)
    assert list(load_vector(tmp_path / "mood.gguf").directions) == [1, 2, 3]


def test_plain_text_pairs_are_read_without_a_chat_template(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "weddings.json"
    path.write_text(json.dumps([["the wedding", "the day"], ["a wedding", "a day"]]))
    report = made(extract(engine, path, tmp_path / "weddings.gguf", calibrate=False))
    assert report.tokens_one_by_one < 40


@pytest.mark.parametrize("stage", ["reading", "measuring"])
def test_a_stop_ends_it_at_once_and_writes_nothing(engine: Engine, recipe: Path, tmp_path: Path, stage: str) -> None:
    out = tmp_path / "out" / "mood.gguf"

    def stop(event: Event) -> None:
        if isinstance(event, ExtractProgress) and event.stage == stage:
            engine.stop()

    events = extract(engine, recipe, out, stop)
    assert events[-1] == Stopped(3)
    assert not out.parent.exists()


def test_a_chat_goes_on_after_an_extraction_without_evaluating_its_prompt_again(
    engine: Engine, recipe: Path, tmp_path: Path
) -> None:
    command = Generate(4, (Turn("user", "tell me about the sea"),), (), Sampling(0.0, max_tokens=4))
    list(engine.generate(command))
    extract(engine, recipe, tmp_path / "mood.gguf", calibrate=False)
    events = list(engine.generate(command))
    assert isinstance(events[-1], Finished)
    assert events[-1].prompt_tokens_evaluated == 0
    assert any(isinstance(event, TokenText) for event in events)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"layers": (0,)}, DialError, "Layer 0"),
        ({"layers": (4,)}, DialError, "layers 1 to 3"),
        ({"method": "guessing"}, RecipeError, "guessing"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_sentence(
    engine: Engine, recipe: Path, tmp_path: Path, options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        extract(engine, recipe, tmp_path / "mood.gguf", **options)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "mood.gguf").exists()


def test_a_missing_recipe_and_a_place_that_cannot_be_written_are_refused(
    engine: Engine, recipe: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"none\.toml"):
        extract(engine, tmp_path / "none.toml", tmp_path / "mood.gguf")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        extract(engine, recipe, tmp_path / "file" / "mood.gguf", calibrate=False)


def test_a_model_that_cannot_be_steered_makes_no_vectors(recipe: Path, tmp_path: Path) -> None:
    with Engine() as engine:
        engine.load(Load(0, str(write_random_hybrid(tmp_path / "hybrid.gguf")), n_threads=1))
        with pytest.raises(DialError, match="cannot be steered"):
            extract(engine, recipe, tmp_path / "mood.gguf")


def test_the_answer_letter_and_the_reply_are_found_among_the_tokens(
    random_bpe_model: Path, random_spm_model: Path
) -> None:
    for path in (random_bpe_model, random_spm_model):
        with Model(path) as model:
            for text, letter in (("(A", b"A"), ("(B) ", b"B"), ("the answer is C.", b"C")):
                prompt = (Message("user", "choose"), Message("assistant", text))
                found, (begin, end) = span_of(model, prompt, "letter")
                assert letter in model.piece(found.tokens[begin])
                assert end == begin + 1
                found, (begin, end) = span_of(model, prompt, "reply")
                assert model.text(found.tokens[begin:end]).strip() == text.strip()
            found, span = span_of(model, (Message("user", "choose"),), "last")
            assert span == (len(found.tokens) - 1, len(found.tokens))


class TestPairsThatTellNothing:
    def made(self, engine: Engine, folder: Path, forms: str) -> tuple[list[str], Extracted]:
        recipe = folder / "r.toml"
        recipe.write_text('description = "d"\npoles = { positive = "a", negative = "b" }\n' + forms)
        events = list(engine.extract(Extract(0, str(recipe), str(folder / "r.gguf"), calibrate=False)))
        end = events[-1]
        assert isinstance(end, Extracted)
        return [event.text for event in events if isinstance(event, Notice)], end

    def test_pairs_that_are_the_same_are_left_out_with_a_notice(self, engine: Engine, tmp_path: Path) -> None:
        forms = '[[texts]]\npositive = ["I love", "the sea", "a"]\nnegative = ["I hate", "the sea", "b"]\n'
        notices, made = self.made(engine, tmp_path, forms)
        assert notices == ['1 of 3 pairs of "r" are the same on both sides and are left out.']
        assert made.prompts == 4

    def test_pairs_that_differ_only_after_the_place_where_they_are_read_are_left_out_with_a_notice(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        forms = '[[texts]]\nread = "letter"\npositive = ["the sea.", "I love"]\nnegative = ["the sea!", "I hate"]\n'
        notices, made = self.made(engine, tmp_path, forms)
        assert len(notices) == 1
        assert notices[0].startswith('1 of 2 pairs of "r" look the same to')
        assert made.prompts == 2

    def test_a_set_without_any_other_is_refused_and_nothing_is_written(self, engine: Engine, tmp_path: Path) -> None:
        with pytest.raises(RecipeError, match="look the same"):
            self.made(
                engine, tmp_path, '[[texts]]\nread = "letter"\npositive = ["the sea."]\nnegative = ["the sea!"]\n'
            )
        assert not (tmp_path / "r.gguf").exists()

    def test_a_letter_that_is_no_single_token_is_refused(self, engine: Engine, tmp_path: Path) -> None:
        asked = '{ user = "Which?" }'
        forms = (
            f'[[pairs]]\nread = "letter"\npositive = [{asked}, {{ assistant = "(Ж" }}]\n'
            f'negative = [{asked}, {{ assistant = "(Д" }}]\n'
        )
        with pytest.raises(RecipeError, match='answer letter "Ж" is no single token in the vocabulary'):
            self.made(engine, tmp_path, forms)

    @pytest.mark.parametrize(("letters", "warned"), [(("A", "A", "A"), True), (("A", "B", "A"), False)])
    def test_answers_that_their_letters_give_away_are_warned_about(
        self, engine: Engine, tmp_path: Path, letters: tuple[str, ...], warned: bool
    ) -> None:
        forms = "".join(
            f'[[pairs]]\nread = "letter"\npositive = [{{ user = "{n}?" }}, {{ assistant = "({letter}" }}]\n'
            f'negative = [{{ user = "{n}?" }}, {{ assistant = "({"B" if letter == "A" else "A"}" }}]\n'
            for n, letter in enumerate(letters)
        )
        notices, _ = self.made(engine, tmp_path, forms)
        assert bool(notices) is warned
