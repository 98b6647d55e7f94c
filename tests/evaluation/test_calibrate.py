"""The safe range: within the bounds at its ends, not at the next stronger setting tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from localsteer.errors import Stopped
from localsteer.evaluation.calibrate import CAREFUL, STRONGEST, WEAKEST, Bounds, SafeRange, find_safe_range
from localsteer.evaluation.cost import CostMeter
from localsteer.evaluation.neutral import EVERYDAY_TEXTS, neutral_prompts
from localsteer.evaluation.own_replies import own_cost_meter
from localsteer.llama.model import Model
from localsteer.llama.prompt_trie import read_hidden_states
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


def asked(model: Model) -> tuple[list[list[int]], list[int]]:
    prompts = [model.tokenize(text, start=True) for text in ("the sea", "the people", "what time")]
    return prompts, [len(prompt) - 1 for prompt in prompts]


def calibrate(model: Model, directions: Floats, **options: object) -> SafeRange:
    return find_safe_range(
        model,
        directions,
        *asked(model),
        effort=(12, 16),
        n_threads=1,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def found(model: Model, directions: Floats) -> SafeRange:
    return calibrate(model, directions)


def test_both_ends_are_within_the_bounds_and_the_next_stronger_setting_is_not(found: SafeRange) -> None:
    assert WEAKEST <= found.high <= STRONGEST
    assert -STRONGEST <= found.low <= -WEAKEST
    bounds = Bounds()
    for sign, end in ((1, found.high), (-1, found.low)):
        tried = {trial.strength: trial for trial in found.trials if trial.strength * sign > 0}
        assert tried[end].safe
        cost = tried[end].cost
        assert cost.perplexity_ratio <= bounds.perplexity_ratio
        assert cost.kl_95 <= bounds.kl_95
        nearest = min((strength for strength in tried if abs(strength) > abs(end)), key=abs)
        assert not tried[nearest].safe
        assert 0.9 < tried[end].used <= 1.0


def test_beyond_the_safe_range_comes_one_to_be_careful_in(found: SafeRange) -> None:
    assert found.careful_low < found.low < found.high < found.careful_high
    used = {trial.strength: trial.used for trial in found.trials}
    for end in (found.careful_low, found.careful_high):
        assert 1.0 < used[end] <= CAREFUL


def test_stronger_settings_cost_more(found: SafeRange) -> None:
    for sign in (1, -1):
        tried = sorted((t for t in found.trials if t.strength * sign > 0), key=lambda t: abs(t.strength))
        assert [t.cost.kl for t in tried] == sorted(t.cost.kl for t in tried)


def test_tighter_bounds_give_a_narrower_range(model: Model, directions: Floats, found: SafeRange) -> None:
    tight = calibrate(model, directions, bounds=Bounds(kl_95=0.1))
    assert found.low < tight.low < 0 < tight.high < found.high


def test_the_same_vector_gets_the_same_range(model: Model, directions: Floats, found: SafeRange) -> None:
    assert calibrate(model, directions) == found


def test_replies_that_exist_already_are_neither_drawn_again_nor_closed(
    model: Model, directions: Floats, found: SafeRange
) -> None:
    with own_cost_meter(model, *asked(model), count=12, n_tokens=16, n_threads=1) as own:
        assert own.n_replies == 12 <= own.n_tokens <= 12 * 16
        for _ in range(2):
            assert find_safe_range(model, directions, (), (), own=own) == found


def test_what_is_added_stays_shorter_than_the_hidden_states_of_replies(
    model: Model, directions: Floats, found: SafeRange
) -> None:
    mild = np.float32(1e-3) * directions
    tight = Bounds(perplexity_ratio=1e6, kl_95=1e6, addition=0.002)
    with own_cost_meter(model, *asked(model), count=12, n_tokens=16, n_threads=1) as own:
        limited = find_safe_range(model, mild, (), (), own=own, bounds=tight)
        norm = own.residual_norms[1]
    assert limited.high * np.linalg.norm(mild[1]) == pytest.approx(0.002 * norm)
    assert limited.low == -limited.high


def test_residual_norms_are_those_of_the_replies_tokens_read_by_themselves(model: Model) -> None:
    prompts, begins = asked(model)
    replies = [model.tokenize(" and so it goes on"), model.tokenize(" or"), model.tokenize(" not at all")]
    read = read_hidden_states(
        model,
        [[*prompt, *reply] for prompt, reply in zip(prompts, replies, strict=True) for _ in reply],
        [
            (len(prompt) - 1 + at, len(prompt) + at)
            for prompt, reply in zip(prompts, replies, strict=True)
            for at in range(len(reply))
        ],
        layers=range(1, model.n_layer),
    )
    with CostMeter(model, prompts, replies, begins, n_threads=1) as meter:
        expected = np.linalg.norm(read.states.astype(np.float64), axis=2).mean(axis=0)
        np.testing.assert_allclose(meter.residual_norms, expected, rtol=2e-3)


def test_a_vector_of_twice_the_length_gets_half_the_strength(
    model: Model, directions: Floats, found: SafeRange
) -> None:
    halved = calibrate(model, 2 * directions)
    assert halved.high == pytest.approx(found.high / 2, rel=0.07)
    assert halved.low == pytest.approx(found.low / 2, rel=0.07)


def test_a_vector_that_does_nothing_can_be_turned_as_far_as_dials_go(model: Model, directions: Floats) -> None:
    nothing = calibrate(model, 0 * directions)
    assert (nothing.low, nothing.high) == (-STRONGEST, STRONGEST)
    assert (nothing.careful_low, nothing.careful_high) == (-STRONGEST, STRONGEST)


def test_a_vector_too_large_for_numbers_gets_a_range_as_small(model: Model, directions: Floats) -> None:
    wild = calibrate(model, np.float32(1e30) * directions)
    assert 0 < -wild.low == wild.high < 1e-28
    assert wild.high < -wild.careful_low == wild.careful_high < 1e-28


def test_progress_ends_at_its_total_and_a_stop_ends_it_at_once(model: Model, directions: Floats) -> None:
    said: list[tuple[int, int]] = []
    calibrate(model, directions, progress=lambda done, total: said.append((done, total)))
    assert said[-1][0] == said[-1][1]
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    said.clear()
    with pytest.raises(Stopped):
        calibrate(model, directions, progress=lambda *both: said.append(both), should_stop=lambda: len(said) >= 2)
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
