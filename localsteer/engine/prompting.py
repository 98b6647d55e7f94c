"""Plain prompting, the baseline of every vector: what the contrasts' own prompts do without any steering.

It is asked of the same completions as the vector. Where the model itself wrote them, it wrote them under these very
prompts, which speaks for prompting.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Literal, TypeAlias, get_args

from localsteer.engine.measuring import Completion, completion_of, same_but_for_the_end, without_beginning
from localsteer.engine.positions import tokens_of
from localsteer.evaluation.effect import CompletionPair
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet, Prompt

Side: TypeAlias = Literal["positive", "negative"]
SIDES: tuple[Side, ...] = get_args(Side)


def prompted(
    model: Model, contrast: ContrastSet, found: Sequence[Completion], side: Side
) -> tuple[CompletionPair, ...] | None:
    """The completions ``found`` after the prompt of the pole ``side``; None where the set has no such prompt for all.

    That prompt is the pair's own system message. A pair whose sides differ in the user's message is asked with that
    message as it is; one whose sides differ in nothing but the reply borrows a system message of the set.
    """
    borrowed = cycle(_system_messages(contrast, side) or [None])
    made = [
        _prompted(model, one, side, borrowed_message) for one, borrowed_message in zip(found, borrowed, strict=False)
    ]
    return tuple(one for one in made if one is not None) if all(made) else None


def _prompted(model: Model, found: Completion, side: Side, borrowed: str | None) -> CompletionPair | None:
    pair = found.contrast
    positive, negative = pair.positive, pair.negative
    if isinstance(positive, str) or isinstance(negative, str):
        return None
    own, other = (positive, negative) if side == "positive" else (negative, positive)
    if found.asked is not None and _system(own) == _system(other) and not same_but_for_the_end(own, other):
        prompt = tokens_of(model, without_beginning(own))
        return CompletionPair(prompt.tokens, prompt.reply, found.pair.positive, found.pair.negative)
    system = _system(own) if _system(own) != _system(other) else borrowed
    if system is None:
        return None
    if found.asked is None:
        return completion_of(
            model, ContrastPair(_with_system(positive, system), _with_system(negative, system), pair.position)
        )
    prompt = tokens_of(model, _with_system(found.asked, system))
    return CompletionPair(prompt.tokens, prompt.reply, found.pair.positive, found.pair.negative)


def _system_messages(contrast: ContrastSet, side: Side) -> list[str]:
    """Those of all pairs whose sides differ in it, each once."""
    found: dict[str, None] = {}
    for pair in contrast.pairs:
        systems = _system(pair.positive), _system(pair.negative)
        if systems[0] != systems[1]:
            found[systems[0] if side == "positive" else systems[1]] = None
    return list(found)


def _system(prompt: Prompt) -> str:
    return "" if isinstance(prompt, str) else "\n\n".join(one.content for one in prompt if one.role == "system")


def _with_system(prompt: Prompt, system: str) -> tuple[Message, ...]:
    messages = () if isinstance(prompt, str) else tuple(one for one in prompt if one.role != "system")
    return (Message("system", system), *messages) if system else messages
