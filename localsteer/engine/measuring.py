"""What is measured of a vector, in tokens: neutral prompts with the model's own replies, and what either pole would
answer to one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from localsteer.engine.positions import tokens_of
from localsteer.errors import RecipeError
from localsteer.evaluation.effect import CompletionPair
from localsteer.evaluation.neutral import neutral_prompts
from localsteer.evaluation.own_replies import own_replies
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet, Prompt
from localsteer.steering.layers import held_out


@dataclass(frozen=True, slots=True)
class Completion:
    """What an effect is measured on, and the pair of the contrast set that it was made from.

    ``asked``: the neutral prompt where the model itself answered both sides, None where the pair writes the answers.
    """

    contrast: ContrastPair
    pair: CompletionPair
    asked: Prompt | None


def held_out_pairs(contrast: ContrastSet, most: int) -> tuple[ContrastPair, ...]:
    """Pairs that the vector's quality is measured on and no direction was learnt from for that; at most ``most``, from
    all over the set. Below five pairs, all.
    """
    pairs = [pair for pair, kept in zip(contrast.pairs, held_out(len(contrast.pairs)), strict=True) if kept]
    pairs = pairs or list(contrast.pairs)
    if len(pairs) <= most:
        return tuple(pairs)
    return tuple(pairs[number * len(pairs) // most] for number in range(most))


def completion_pairs(
    model: Model,
    contrast: ContrastSet,
    *,
    most: int = 12,
    n_tokens: int = 40,
    seed: int = 0,
    n_threads: int | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[CompletionPair, ...]:
    """See :func:`completions`."""
    found = completions(
        model, contrast, most=most, n_tokens=n_tokens, seed=seed, n_threads=n_threads, should_stop=should_stop
    )
    return tuple(one.pair for one in found)


def completions(
    model: Model,
    contrast: ContrastSet,
    *,
    most: int = 12,
    n_tokens: int = 40,
    seed: int = 0,
    n_threads: int | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[Completion, ...]:
    """For each pair that is measured on, a prompt that speaks for neither pole and what either would answer.

    Where the two sides of a pair begin the reply differently these beginnings are the answers (two-choice letters
    among them). Where they differ before the reply, the model itself answers both sides, and its answers are then
    asked about after the message that both share. Where these pairs give nothing, others are taken. Raises
    RecipeError where both sides of every pair end alike.
    """
    for pairs in (held_out_pairs(contrast, most), contrast.pairs[:: -(-len(contrast.pairs) // most)]):
        written = [(pair, completion_of(model, pair)) for pair in pairs]
        found = [Completion(pair, completion, None) for pair, completion in written if completion is not None]
        cued = [pair for pair, completion in written if completion is None and not isinstance(pair.positive, str)]
        if cued:
            found += _answered(model, contrast, cued, n_tokens, seed, n_threads, should_stop)
        if found:
            return tuple(found)
    raise RecipeError(
        f'The texts of "{contrast.name}" leave nothing to measure an effect on; let the two sides end differently.'
    )


def completion_of(model: Model, pair: ContrastPair) -> CompletionPair | None:
    """The pair as a prompt with two answers; None where the sides differ elsewhere than at the end."""
    if not same_but_for_the_end(pair.positive, pair.negative):
        return None
    sides = [tokens_of(model, prompt) for prompt in (pair.positive, pair.negative)]
    shared = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(*(s.tokens for s in sides), strict=False)))
    positive, negative = (side.tokens[shared:] for side in sides)
    if not shared or not positive or not negative:
        return None
    return CompletionPair(sides[0].tokens[:shared], min(sides[0].reply, shared - 1), positive, negative)


def same_but_for_the_end(one: Prompt, other: Prompt) -> bool:
    """True where two prompts differ in how the reply begins, and for chats in nothing else."""
    if isinstance(one, str) or isinstance(other, str):
        return True
    return one[:-1] == other[:-1] and one[-1].role == other[-1].role == "assistant"


def _answered(
    model: Model,
    contrast: ContrastSet,
    pairs: Sequence[ContrastPair],
    n_tokens: int,
    seed: int,
    n_threads: int | None,
    should_stop: Callable[[], bool] | None,
) -> list[Completion]:
    asked = [tokens_of(model, without_beginning(side)) for pair in pairs for side in (pair.positive, pair.negative)]
    replies = own_replies(
        model,
        [tokens.tokens for tokens in asked],
        [tokens.reply for tokens in asked],
        n_tokens=n_tokens,
        seed=seed,
        n_threads=n_threads,
        should_stop=should_stop,
    )
    found = []
    for number, (pair, positive, negative) in enumerate(zip(pairs, replies[0::2], replies[1::2], strict=True)):
        if positive != negative:
            neutral = _neutral(contrast, pair, number)
            prompt = tokens_of(model, neutral)
            answers = CompletionPair(prompt.tokens, prompt.reply, tuple(positive), tuple(negative))
            found.append(Completion(pair, answers, neutral))
    return found


def without_beginning(prompt: Prompt) -> Prompt:
    """The prompt up to where its reply begins."""
    if isinstance(prompt, str) or prompt[-1].role != "assistant":
        return prompt
    return prompt[:-1]


def _neutral(contrast: ContrastSet, pair: ContrastPair, number: int) -> Prompt:
    """The user message that both sides share, else an everyday one."""
    users = [
        [message for message in side if message.role == "user"]
        for side in (pair.positive, pair.negative)
        if not isinstance(side, str)
    ]
    if len(users) == 2 and len(users[0]) == 1 and users[0] == users[1]:
        return (Message("user", users[0][0].content),)
    prompts = neutral_prompts(contrast)
    return prompts[number % len(prompts)]
