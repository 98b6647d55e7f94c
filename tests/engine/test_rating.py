"""How natural a reply is: its perplexity under the unsteered model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    DialMark,
    DialSetting,
    Event,
    Finished,
    Generate,
    RateReply,
    ReplyRated,
    Sampling,
    Stopped,
    Turn,
)
from localsteer.errors import PromptError
from localsteer.llama.chat_template import render
from localsteer.llama.context import Context
from localsteer.llama.steering import UNSTEERED
from localsteer.messages import Message

QUESTION = Turn("user", "Tell me about gardens.")


def rate(engine: Engine, *turns: Turn) -> float:
    (rated,) = engine.rate(RateReply(1, turns))
    assert isinstance(rated, ReplyRated)
    return rated.perplexity


def reply(engine: Engine, *dials: DialSetting, temperature: float = 0.0) -> Turn:
    command = Generate(1, (QUESTION,), dials, Sampling(temperature, seed=1))
    done = list(engine.generate(command))[-1]
    assert isinstance(done, Finished)
    return Turn("assistant", done.text, done.tokens, done.marks)


def test_it_is_the_perplexity_token_by_token(practice: Engine) -> None:
    answer = reply(practice)
    assert practice._desk is not None
    assert answer.tokens is not None
    model = practice._desk.model
    prompt = [token for piece in render(model, [Message("user", QUESTION.content)]) for token in piece.tokens]
    losses = []
    with Context(model, n_ctx=512, n_threads=1) as context:
        context.evaluate([(prompt, UNSTEERED)])
        for token in answer.tokens:
            logits = context.logits().astype(np.float64)
            losses.append(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[token])
            context.append(token, UNSTEERED)
    assert rate(practice, QUESTION, answer) == pytest.approx(np.exp(np.mean(losses)), rel=0.03)


def test_the_models_own_words_are_more_natural_than_the_same_ones_turned_round(practice: Engine) -> None:
    answer = reply(practice)
    assert answer.tokens is not None
    assert practice._desk is not None
    turned = answer.tokens[::-1]
    other = replace(answer, content=practice._desk.model.text(turned), tokens=turned)
    assert rate(practice, QUESTION, answer) * 3 < rate(practice, QUESTION, other)


def test_a_dial_turned_much_too_far_shows(practice: Engine, mood: DialSetting) -> None:
    broken = reply(practice, replace(mood, strength=12.0))
    assert rate(practice, QUESTION, broken) > 2 * rate(practice, QUESTION, reply(practice))


def test_it_is_read_unsteered_whatever_it_was_written_under(practice: Engine, mood: DialSetting) -> None:
    answer = reply(practice)
    steered = replace(answer, marks=(DialMark(0, (mood,)),))
    assert rate(practice, QUESTION, steered) == pytest.approx(rate(practice, QUESTION, answer), rel=1e-4)


def test_anything_else_goes_first_and_the_chats_cache_is_untouched(practice: Engine) -> None:
    answer = reply(practice)
    said: list[Event] = []
    ticket = practice.control.ticket()
    practice.control.ticket()
    practice.carry_out(RateReply(7, (QUESTION, answer)), said.append, ticket)
    assert said == [Stopped(7)]
    # New dials are no work, and hold nothing up.
    ticket = practice.control.ticket()
    practice.set_dials(())
    practice.carry_out(RateReply(8, (QUESTION, answer)), said.append, ticket)
    assert isinstance(said[-1], ReplyRated)
    again = list(practice.generate(Generate(1, (QUESTION,), (), Sampling(0.0))))[-1]
    assert isinstance(again, Finished)
    assert again.prompt_tokens_evaluated == 0


@pytest.mark.parametrize("turns", [(), (QUESTION,), (Turn("assistant", "Hello."),), (QUESTION, Turn("assistant", ""))])
def test_without_a_reply_there_is_nothing_to_rate(practice: Engine, turns: tuple[Turn, ...]) -> None:
    with pytest.raises(PromptError):
        rate(practice, *turns)
