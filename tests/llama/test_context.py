"""What stands in the cache is used again, what does not is evaluated, and everything stops when it should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from localsteer.errors import DialError, ModelError, PromptError, Stopped
from localsteer.llama.context import Context
from localsteer.llama.decoding import Decoder
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.sampling import Sampler, Sampling
from localsteer.llama.spans import Evaluated
from localsteer.llama.steering import UNSTEERED, Steering
from tests.llama.vectors import steering

GREEDY = Sampling(temperature=0, max_tokens=12)


def words(model: Model, text: str) -> list[int]:
    return model.tokenize(text, start=True)


def test_a_common_beginning_is_evaluated_once(bpe: Model, context: Context) -> None:
    long, other = words(bpe, "the people could find the sea"), words(bpe, "the people could see the water")
    common = next(at for at, (a, b) in enumerate(zip(long, other, strict=False)) if a != b)
    assert context.evaluate([(long, UNSTEERED)]) == Evaluated(len(long), 0)
    assert context.evaluate([(other, UNSTEERED)]) == Evaluated(len(other) - common, common)


def test_what_is_cached_already_costs_nothing_while_its_logits_are_there(bpe: Model, context: Context) -> None:
    tokens = words(bpe, "the people could find the sea")
    context.evaluate([(tokens, UNSTEERED)])
    assert context.evaluate([(tokens, UNSTEERED)]) == Evaluated(0, len(tokens))


def test_a_beginning_of_what_is_cached_costs_its_last_token(bpe: Model, context: Context) -> None:
    tokens = words(bpe, "the people could find the sea")
    context.evaluate([(tokens, UNSTEERED)])
    assert context.evaluate([(tokens[:-3], UNSTEERED)]) == Evaluated(1, len(tokens) - 4)
    assert context.used == len(tokens) - 3


def test_reused_positions_give_the_logits_of_a_fresh_evaluation(bpe: Model, context: Context) -> None:
    tokens = words(bpe, "the people could find the sea")
    context.evaluate([(tokens[:-2] + tokens[:3], UNSTEERED)])
    context.evaluate([(tokens, UNSTEERED)])
    with Context(bpe, n_ctx=256) as fresh:
        fresh.evaluate([(tokens, UNSTEERED)])
        np.testing.assert_allclose(context.logits(), fresh.logits(), atol=0.05)


def test_other_steering_is_evaluated_again_from_where_it_differs(bpe: Model, context: Context) -> None:
    prompt, reply = words(bpe, "the people could"), bpe.tokenize(" find the sea")
    context.evaluate([(prompt, UNSTEERED), (reply, steering(bpe, 1.0))])
    assert context.evaluate([(prompt, UNSTEERED), (reply, steering(bpe, -1.0))]) == Evaluated(len(reply), len(prompt))
    assert context.evaluate([(prompt, steering(bpe, -1.0)), (reply, steering(bpe, -1.0))]).reused == 0


def test_a_prompt_longer_than_a_batch_gives_the_same_logits(bpe: Model, context: Context) -> None:
    tokens = words(bpe, "the people could find the sea and the water " * 3)
    context.evaluate([(tokens, UNSTEERED)])
    with Context(bpe, n_ctx=256, n_batch=7) as small:
        assert small.evaluate([(tokens, UNSTEERED)]).evaluated == len(tokens)
        np.testing.assert_allclose(context.logits(), small.logits(), atol=0.05)


def test_progress_counts_up_to_what_has_to_be_evaluated(bpe: Model) -> None:
    tokens = words(bpe, "the people could find the sea and the water")
    told: list[tuple[int, int]] = []
    with Context(bpe, n_ctx=256, n_batch=5) as small:
        small.evaluate([(tokens[:6], UNSTEERED)])
        small.evaluate([(tokens, UNSTEERED)], progress=lambda done, total: told.append((done, total)))
    assert told == [(min(5 * n, len(tokens) - 6), len(tokens) - 6) for n in range(1, len(told) + 1)]
    assert told[-1] == (len(tokens) - 6, len(tokens) - 6)


def test_too_long_a_prompt_is_refused_and_nothing_is_lost(bpe: Model, context: Context) -> None:
    tokens = words(bpe, "the sea")
    context.evaluate([(tokens, UNSTEERED)])
    with pytest.raises(PromptError, match="300 tokens"):
        context.evaluate([([5] * 300, UNSTEERED)])
    assert context.evaluate([(tokens, UNSTEERED)]).evaluated == 0


@pytest.mark.parametrize(("name", "rows"), [("bpe", [1]), ("hybrid", [])])  # the hybrid names its blocks otherwise
def test_a_context_with_a_tap_takes_over_what_another_has_cached(
    name: str, rows: list[int], request: pytest.FixtureRequest
) -> None:
    model: Model = request.getfixturevalue(name)
    tokens = [*model.start_tokens, *range(20, 60)]
    seen: list[int] = []
    with Context(model, n_ctx=256) as plain:
        plain.evaluate([(tokens, UNSTEERED)])
        plain.append(70, UNSTEERED)
        logits = plain.logits().copy()
    first = Context(model, n_ctx=256)
    first.evaluate([(tokens, UNSTEERED)])
    with first.moved(ResidualTap(model.n_embd, (1,), read=lambda _, rows: seen.append(len(rows)))) as second:
        assert second.used == len(tokens)
        second.append(70, UNSTEERED)
        assert second.logits() == pytest.approx(logits, abs=1e-3)
        assert seen == rows
        # And back, as often as one likes.
        with second.moved(None) as third:
            assert third.used == len(tokens) + 1


def test_an_empty_context_moves_too(bpe: Model) -> None:
    with Context(bpe, n_ctx=64).moved(None) as context:
        assert context.used == 0
        assert context.evaluate([([1, 2, 3], UNSTEERED)]).evaluated == 3


def test_an_empty_prompt_is_refused(context: Context) -> None:
    with pytest.raises(PromptError):
        context.evaluate([])


def test_evaluation_stops_between_batches_and_keeps_what_is_done(bpe: Model) -> None:
    tokens = words(bpe, "the people could find the sea and the water")
    with Context(bpe, n_ctx=256, n_batch=4) as small:
        done: list[int] = []
        with pytest.raises(Stopped):
            small.evaluate(
                [(tokens, UNSTEERED)],
                should_stop=lambda: len(done) == 2,
                progress=lambda count, _total: done.append(count),
            )
        assert small.evaluate([(tokens, UNSTEERED)]) == Evaluated(len(tokens) - 8, 8)


@pytest.mark.parametrize("name", ["bpe", "hybrid"])
def test_evaluation_stops_in_the_middle_of_a_batch(name: str, request: pytest.FixtureRequest) -> None:
    model: Model = request.getfixturevalue(name)
    tokens = words(model, "the people could find the sea and the water")
    asked = 0

    def stop_after_a_few_nodes() -> bool:
        nonlocal asked
        asked += 1
        return asked > 10

    with Context(model, n_ctx=256) as context:
        context.evaluate([(tokens[:3], UNSTEERED)])
        with pytest.raises(Stopped):
            context.evaluate([(tokens, UNSTEERED)], should_stop=stop_after_a_few_nodes)
        assert asked == 11
        kept = 3 if model.rewinds else 0
        assert context.evaluate([(tokens, UNSTEERED)]) == Evaluated(len(tokens) - kept, kept)
        with Context(model, n_ctx=256) as fresh:
            fresh.evaluate([(tokens, UNSTEERED)])
            np.testing.assert_allclose(context.logits(), fresh.logits(), atol=0.05)


def test_a_memory_that_cannot_be_cut_is_evaluated_afresh(hybrid: Model) -> None:
    tokens = words(hybrid, "the people could find the sea")
    with Context(hybrid, n_ctx=256) as context, Context(hybrid, n_ctx=256) as fresh:
        context.evaluate([(tokens[:-2], UNSTEERED)])
        assert context.evaluate([(tokens, UNSTEERED)]) == Evaluated(2, len(tokens) - 2)
        assert context.evaluate([(tokens[:-1], UNSTEERED)]) == Evaluated(len(tokens) - 1, 0)
        fresh.evaluate([(tokens[:-1], UNSTEERED)])
        np.testing.assert_array_equal(context.logits(), fresh.logits())


def test_again_evaluates_no_token_of_the_prompt(bpe: Model, context: Context) -> None:
    prompt, header = words(bpe, "the people could find"), bpe.tokenize(" the sea")

    def generation() -> tuple[list[int], Evaluated, Evaluated]:
        writing = context.generate([(prompt, UNSTEERED)], header=header, steering=lambda: UNSTEERED, sampling=GREEDY)
        return list(writing), writing.prompt, writing.header

    first, prompt_counts, header_counts = generation()
    assert (prompt_counts, header_counts) == (Evaluated(len(prompt), 0), Evaluated(len(header), 0))
    again, prompt_counts, header_counts = generation()
    assert again == first
    assert prompt_counts == Evaluated(0, len(prompt))
    assert header_counts == Evaluated(1, len(header) - 1)


def test_the_next_turn_evaluates_only_what_is_new(bpe: Model, context: Context) -> None:
    prompt, header = words(bpe, "the people could find"), bpe.tokenize(" the sea")
    writing = context.generate([(prompt, UNSTEERED)], header=header, steering=lambda: UNSTEERED, sampling=GREEDY)
    reply = list(writing)
    later = bpe.tokenize(" and then")
    spans = [(prompt, UNSTEERED), ([*header, *reply], UNSTEERED), (later, UNSTEERED)]
    writing = context.generate(spans, header=header, steering=lambda: UNSTEERED, sampling=GREEDY)
    next(writing)
    # The last token of a reply is evaluated when something follows it.
    assert writing.prompt == Evaluated(len(later) + 1, len(prompt) + len(header) + len(reply) - 1)


def test_a_reply_ends_where_the_context_does(bpe: Model) -> None:
    tokens = words(bpe, "the people could find the sea")
    with Context(bpe, n_ctx=len(tokens) + 5) as small:
        writing = small.generate([(tokens, UNSTEERED)], steering=lambda: UNSTEERED, sampling=Sampling(temperature=0))
        assert len(list(writing)) == 6
        assert writing.reason == "context"
        assert small.used == small.n_ctx


def test_a_prompt_that_fills_the_context_is_refused_before_anything_is_evaluated(bpe: Model, context: Context) -> None:
    writing = context.generate([([5] * 250, UNSTEERED)], header=[5] * 7, steering=lambda: UNSTEERED, sampling=GREEDY)
    with pytest.raises(PromptError):
        next(writing)
    assert context.used == 0


def test_a_reply_ends_with_its_end_token_which_is_not_given(bpe: Model, context: Context) -> None:
    end = bpe.tokenize("<|eot_id|>", special=True)[0]
    prompt = words(bpe, "the sea")
    for seed in range(200):
        sampling = Sampling(temperature=3.0, top_k=0, top_p=1.0, min_p=0.0, seed=seed, max_tokens=40)
        writing = context.generate([(prompt, UNSTEERED)], steering=lambda: UNSTEERED, sampling=sampling)
        reply = list(writing)
        assert end not in reply
        if writing.reason == "end":
            assert len(reply) < 40
            return
    pytest.fail("no reply ended by itself")


def test_a_reply_stops_before_the_next_token(bpe: Model, context: Context) -> None:
    got: list[int] = []
    writing = context.generate(
        [(words(bpe, "the sea"), UNSTEERED)],
        steering=lambda: UNSTEERED,
        sampling=Sampling(temperature=0),
        should_stop=lambda: len(got) == 3,
    )
    for token in writing:
        got.append(token)
    assert (len(got), writing.reason) == (3, "stopped")


def test_a_reply_can_be_stopped_while_its_prompt_is_evaluated(bpe: Model, context: Context) -> None:
    writing = context.generate(
        [(words(bpe, "the sea"), UNSTEERED)], steering=lambda: UNSTEERED, sampling=GREEDY, should_stop=lambda: True
    )
    assert list(writing) == []
    assert (writing.reason, context.used) == ("stopped", 0)


def test_a_reply_that_is_closed_leaves_a_usable_context(bpe: Model, context: Context) -> None:
    prompt = words(bpe, "the sea")
    writing = context.generate([(prompt, UNSTEERED)], steering=lambda: UNSTEERED, sampling=GREEDY)
    next(writing)
    writing.close()
    assert list(writing) == []
    whole = context.generate([(prompt, UNSTEERED)], steering=lambda: UNSTEERED, sampling=GREEDY)
    assert len(list(whole)) == 12


def beyond_numbers(model: Model) -> Steering:
    """Each row is numbers; what two of them add up to is none."""
    return Steering("huge", np.full((model.n_layer - 1) * model.n_embd, 3e38, dtype=np.float32))


@pytest.mark.parametrize("strength", [0.0, 1e-3])
@pytest.mark.parametrize("unused_from", [1, 280])
def test_what_steering_left_in_unused_places_spoils_no_later_reply(
    bpe: Model, unused_from: int, strength: float
) -> None:
    # Attention looks at places by the 256: those left far behind are met in the midst of a reply.
    sea = words(bpe, "the people could find the sea")
    long = (sea * 100)[:unused_from]
    mild = steering(bpe, strength) if strength else UNSTEERED
    with Context(bpe, n_ctx=1024) as context, Context(bpe, n_ctx=1024) as fresh:
        context.evaluate([(long, UNSTEERED), (sea * 2, beyond_numbers(bpe))], logits=False)
        short = long[: min(unused_from, 250)]
        context.evaluate([(short, UNSTEERED)], logits=False)
        for each in (context, fresh):
            writing = each.generate([(short, UNSTEERED)], steering=lambda: mild, sampling=GREEDY)
            assert len(list(writing)) == 12
        np.testing.assert_allclose(context.logits(), fresh.logits(), atol=0.05)


def test_what_is_read_without_a_look_at_its_logits_is_not_spoilt_either(bpe: Model, context: Context) -> None:
    sea = words(bpe, "the people could find the sea")
    context.evaluate([(sea * 2, beyond_numbers(bpe))], logits=False)
    context.evaluate([(sea, UNSTEERED)], logits=False)
    assert context.evaluate([(sea, UNSTEERED)]) == Evaluated(1, len(sea) - 1)
    assert np.isfinite(context.logits()).all()


def test_steering_beyond_numbers_is_not_tried_again_and_again(bpe: Model, context: Context) -> None:
    # Part of a batch is left away, so that something steered is always left behind.
    sea = words(bpe, "the people could find the sea")
    cuts = ((3, 4, 1), (len(sea) - 3, len(sea) - 3, 1))
    evaluated: list[int] = []
    context.evaluate([(sea, beyond_numbers(bpe))], cuts=cuts, progress=lambda done, _total: evaluated.append(done))
    assert evaluated == [3, len(sea)] * 2
    assert not np.isfinite(context.logits()).any()


def test_where_it_is_the_dials_all_of_the_text_is_not_read_again_to_see_it(
    bpe: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    sea, decoded = words(bpe, "the people could find the sea"), 0
    with Context(bpe, n_ctx=1024) as context:
        context.evaluate([(sea * 20, steering(bpe, 1.0))])
        context.evaluate([(sea * 10, UNSTEERED)])
        decode = context._decoder.decode

        def counted(tokens: list[int], *args: Any, **named: Any) -> None:
            nonlocal decoded
            decoded += len(tokens)
            decode(tokens, *args, **named)

        monkeypatch.setattr(context._decoder, "decode", counted)
        context.append(sea[0], beyond_numbers(bpe))
        assert decoded == 1
        with Sampler(GREEDY, bpe.n_vocab) as sampler, pytest.raises(DialError, match="turn them back"):
            context.sample(sampler)


def test_reading_all_again_in_the_midst_of_a_reply_can_be_stopped(bpe: Model) -> None:
    sea = words(bpe, "the people could find the sea")
    with Context(bpe, n_ctx=1024) as context:
        context.evaluate([((sea * 100)[:280], UNSTEERED), (sea, beyond_numbers(bpe))], logits=False)
        short = (sea * 100)[:255]
        context.evaluate([(short, UNSTEERED)])
        context.append(sea[0], UNSTEERED, lambda: True)
        with pytest.raises(Stopped):
            context.append(sea[0], UNSTEERED, lambda: True)
        assert context.evaluate([(short, UNSTEERED)]).reused == 0


def test_a_batch_that_was_stopped_under_steering_spoils_no_later_reply(bpe: Model, context: Context) -> None:
    sea, asked = words(bpe, "the people could find the sea"), 0

    def count() -> bool:
        nonlocal asked
        asked += 1
        return False

    context.evaluate([(sea, beyond_numbers(bpe))], should_stop=count)
    context.forget()
    nodes = asked
    with pytest.raises(Stopped):
        context.evaluate([(sea, beyond_numbers(bpe))], should_stop=lambda: count() or asked == 2 * nodes - 1)
    context.evaluate([(sea[:2], UNSTEERED)])
    assert np.isfinite(context.logits()).all()


def test_nothing_cached_goes_from_one_number_of_threads_to_another(bpe: Model) -> None:
    spans = [(words(bpe, "the people could find the sea"), UNSTEERED)]
    with Context(bpe, n_ctx=256, n_threads=1) as context:
        context.evaluate(spans)
        for n_threads, reused in ((0, True), (1, True), (2, False)):
            with context.with_threads(n_threads):
                assert bool(context.evaluate(spans).reused) is reused
                assert context.evaluate(spans).evaluated == 0
        assert context.evaluate(spans).reused == 0


def test_where_there_is_no_room_for_another_kind_of_context_the_old_kind_is_begun_anew(
    bpe: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = [(words(bpe, "the people could find the sea"), UNSTEERED)]
    create, left = Decoder._create, [1]

    def failing(decoder: Decoder) -> object:
        if left[0]:
            left[0] -= 1
            raise ModelError("There is not enough memory.")
        return create(decoder)

    with Context(bpe, n_ctx=64) as context:
        context.evaluate(spans)
        expected = context.logits().copy()
        monkeypatch.setattr(Decoder, "_create", failing)
        with pytest.raises(ModelError, match="memory"):
            context.moved(None)
        assert not context.closed
        context.evaluate(spans)
        assert np.array_equal(context.logits(), expected)
        left[0] = 2
        with pytest.raises(ModelError, match="memory"):
            context.moved(None)
        assert context.closed
