"""Recommended strengths: likely enough at the recommendation, not at the next stronger setting tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from localsteer.errors import Stopped
from localsteer.evaluation.neutral import EVERYDAY_TEXTS, neutral_prompts
from localsteer.evaluation.recommend import STRONGEST, WEAKEST, Recommended, recommend_strengths
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet

Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def model(random_bpe_model: Path) -> Iterator[Model]:
    with Model(random_bpe_model) as model:
        yield model


@pytest.fixture(scope="module")
def directions(model: Model) -> Floats:
    directions = np.zeros((model.n_layer - 1, model.n_embd), dtype=np.float32)
    directions[1] = np.random.default_rng(0).standard_normal(model.n_embd)
    return directions


def recommend(model: Model, directions: Floats, **options: object) -> Recommended:
    prompts = [model.tokenize(text, start=True) for text in ("the sea", "the people", "what time")]
    return recommend_strengths(
        model,
        directions,
        prompts,
        [len(prompt) - 1 for prompt in prompts],
        effort=(12, 16),
        n_threads=1,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def recommended(model: Model, directions: Floats) -> Recommended:
    return recommend(model, directions)


def test_both_ends_are_found_and_the_next_stronger_setting_was_too_much(recommended: Recommended) -> None:
    assert WEAKEST <= recommended.high <= STRONGEST
    assert -STRONGEST <= recommended.low <= -WEAKEST
    for sign, found in ((1, recommended.high), (-1, recommended.low)):
        tried = {trial.strength: trial.likely for trial in recommended.trials if trial.strength * sign > 0}
        assert tried[found]
        stronger = [strength for strength in tried if abs(strength) > abs(found)]
        assert min(stronger, key=abs) / found < 1.25
        assert not tried[min(stronger, key=abs)]


def test_what_is_recommended_is_likelier_to_the_unsteered_model_than_what_is_not(recommended: Recommended) -> None:
    likely = [trial.log_likelihood for trial in recommended.trials if trial.likely]
    unlikely = [trial.log_likelihood for trial in recommended.trials if not trial.likely]
    assert min(likely) > max(unlikely)


def test_the_same_vector_gets_the_same_recommendation(
    model: Model, directions: Floats, recommended: Recommended
) -> None:
    assert recommend(model, directions) == recommended


def test_a_vector_of_twice_the_length_gets_about_half_the_strength(
    model: Model, directions: Floats, recommended: Recommended
) -> None:
    halved = recommend(model, 2 * directions)
    assert halved.high == pytest.approx(recommended.high / 2, rel=0.25)
    assert halved.low == pytest.approx(recommended.low / 2, rel=0.25)


def test_a_vector_that_does_nothing_can_be_turned_as_far_as_dials_go(model: Model, directions: Floats) -> None:
    nothing = recommend(model, 0 * directions)
    assert (nothing.low, nothing.high) == (-STRONGEST, STRONGEST)


def test_progress_ends_at_its_total_and_a_stop_ends_it_at_once(model: Model, directions: Floats) -> None:
    said: list[tuple[int, int]] = []
    recommend(model, directions, progress=lambda done, total: said.append((done, total)))
    assert said[-1][0] == said[-1][1]
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    said.clear()
    with pytest.raises(Stopped):
        recommend(model, directions, progress=lambda *both: said.append(both), should_stop=lambda: len(said) >= 2)
    assert len(said) <= 3


def test_neutral_prompts_are_the_user_messages_that_both_sides_share() -> None:
    pairs = tuple(
        ContrastPair(
            (Message("system", "be happy"), Message("user", f"question {number}")),
            (Message("system", "be sad"), Message("user", f"question {number}")),
        )
        for number in range(10)
    )
    prompts = neutral_prompts(ContrastSet("mood", "", "happy", "sad", pairs), 4)
    assert prompts == tuple((Message("user", f"question {number}"),) for number in (0, 2, 5, 7))


def test_neutral_prompts_are_everyday_ones_where_the_sides_ask_differently_or_for_a_letter() -> None:
    asked = Message("user", "choose: (A) yes (B) no")
    pairs = (
        ContrastPair((Message("user", "be happy"),), (Message("user", "be sad"),)),
        ContrastPair((asked, Message("assistant", "(A")), (asked, Message("assistant", "(B")), "letter"),
    )
    prompts = neutral_prompts(ContrastSet("mood", "", "happy", "sad", pairs))
    assert len(prompts) == 6
    assert not {"be happy", "be sad", asked.content} & {
        message.content for prompt in prompts if not isinstance(prompt, str) for message in prompt
    }


def test_neutral_prompts_of_plain_text_pairs_are_plain_text() -> None:
    contrast = ContrastSet("weddings", "", "weddings", "other", (ContrastPair("a wedding", "a day"),))
    assert neutral_prompts(contrast, 3) == EVERYDAY_TEXTS[:3]
