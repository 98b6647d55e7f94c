"""Replies written together are those written one after the other."""

from __future__ import annotations

import pytest

from localsteer.errors import Stopped
from localsteer.llama import batch
from localsteer.llama.batch import generate_many
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.sampling import Sampling
from localsteer.llama.steering import UNSTEERED, Steering
from tests.llama.vectors import directions, steering

pytestmark = pytest.mark.usefixtures("caches")

STRENGTHS = [0.0, 1.0, -1.0, 2.0, 1.0, 0.0]


@pytest.fixture(params=[False, True], ids=["one cache", "a cache each"])
def caches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in small models, and as in large ones."""
    monkeypatch.setattr(batch, "_apart", lambda model: request.param)


def prompts(model: Model) -> list[list[int]]:
    starts = ["the people could find", "the people could", "water"]
    return [model.tokenize(starts[number % 3] + " the sea", start=True) for number in range(len(STRENGTHS))]


def alone(context: Context, prompt: list[int], vector: Steering) -> list[int]:
    """The reply to a prompt whose last two tokens are steered."""
    writing = context.generate(
        [(prompt[:-2], UNSTEERED)],
        header=prompt[-2:],
        steering=lambda: vector,
        sampling=Sampling(temperature=0, max_tokens=10),
    )
    return list(writing)


def test_each_sequence_is_written_as_if_it_were_alone(bpe: Model, context: Context) -> None:
    together = generate_many(
        bpe,
        prompts(bpe),
        steered_from=[len(prompt) - 2 for prompt in prompts(bpe)],
        directions=directions(bpe),
        strengths=STRENGTHS,
        n_tokens=10,
        temperature=0,
    )
    for prompt, strength, reply in zip(prompts(bpe), STRENGTHS, together, strict=True):
        assert reply == alone(context, prompt, steering(bpe, strength) if strength else UNSTEERED)


def test_a_seed_repeats_every_reply_and_gives_each_its_own(bpe: Model) -> None:
    same = [prompts(bpe)[0]] * 5

    def write(seed: int) -> list[list[int]]:
        return generate_many(
            bpe,
            same,
            steered_from=[0] * 5,
            directions=None,
            strengths=[0.0] * 5,
            n_tokens=8,
            temperature=1.5,
            seed=seed,
        )

    first = write(3)
    assert first == write(3)
    assert len({tuple(reply) for reply in first}) == 5
    assert write(4)[:4] == first[1:]


def test_more_sequences_than_are_decoded_at_once_are_all_written(bpe: Model) -> None:
    told: list[tuple[int, int]] = []
    replies = generate_many(
        bpe,
        [[1, number] for number in range(150)],
        steered_from=[1] * 150,
        directions=directions(bpe),
        strengths=[1.0] * 150,
        n_tokens=2,
        progress=lambda done, total: told.append((done, total)),
    )
    assert all(1 <= len(reply) <= 2 for reply in replies)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] <= told[-1][1] == 300


def test_a_reply_that_ends_keeps_its_end_token(bpe: Model) -> None:
    replies = generate_many(
        bpe,
        [[1, number] for number in range(60)],
        steered_from=[1] * 60,
        directions=None,
        strengths=[0.0] * 60,
        n_tokens=40,
        temperature=4.0,
    )
    ended = [reply for reply in replies if len(reply) < 40]
    assert ended
    assert all(bpe.is_end(reply[-1]) for reply in ended)
    assert not any(bpe.is_end(token) for reply in replies for token in reply[:-1])


def test_writing_can_be_stopped(bpe: Model) -> None:
    with pytest.raises(Stopped):
        generate_many(
            bpe,
            [[1, 2]],
            steered_from=[1],
            directions=None,
            strengths=[0.0],
            n_tokens=5,
            should_stop=lambda: True,
        )


def test_what_cannot_share_a_context_is_written_one_after_the_other(hybrid: Model) -> None:
    asked = [hybrid.tokenize(text, start=True) for text in ("water", "the sea")]
    together, alone = (
        [
            reply
            for group in groups
            for reply in generate_many(
                hybrid,
                group,
                steered_from=[0] * len(group),
                directions=None,
                strengths=[0.0] * len(group),
                n_tokens=4,
                temperature=0,
            )
        ]
        for groups in ([asked], [[one] for one in asked])
    )
    assert together == alone
