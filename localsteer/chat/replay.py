"""A reply from history, to be written again exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localsteer.chat.conversation import ReplyRecord
from localsteer.engine.protocol import DialSetting, Generate, ModelCard, Turn
from localsteer.errors import ModelError, PromptError


def replay(
    record: ReplyRecord,
    turns: Sequence[Turn],
    card: ModelCard,
    request: int,
    *,
    pace: float = 0.0,
    watched: tuple[DialSetting, ...] = (),
) -> Generate:
    """What to send so that the reply of ``record`` is written again, token by token, where its course was kept.

    ``turns``: the messages before it, the one that it answers last, as they were read then; the system prompt is taken
    from the record. ``card``: of the loaded model. A reply that was stopped or broken off ends where that was (as
    "length"). A dial that is turned meanwhile takes over; see :func:`differs_at` for whether it came out the same.
    Raises ModelError where another model is loaded, PromptError where the record lacks the seed.
    """
    if record.model_id != card.model_id:
        raise ModelError(f"This reply was written by {record.model_name}; load that model to have it written again.")
    if record.seed is None:
        raise PromptError("This reply was never begun, so there is no seed to write it again from; write another one.")
    front = next((place for place, turn in enumerate(turns) if turn.role != "system"), len(turns))
    system = (Turn("system", record.system_prompt),) if record.system_prompt.strip() else ()
    cut_short = record.finish_reason in (None, "stopped") and bool(record.tokens)
    return Generate(
        request,
        (*system, *turns[front:]),
        record.marks[0].dials if record.marks else (),
        replace(
            record.sampling,
            seed=record.seed,
            max_tokens=len(record.tokens) if cut_short else record.sampling.max_tokens,
        ),
        pace=pace,
        watched=watched,
        schedule=record.marks,
        course=record.course,
    )


def differs_at(record: ReplyRecord, tokens: Sequence[int]) -> int | None:
    """The first place at which ``tokens`` are not those of the record, None where they are the same."""
    if record.tokens == tuple(tokens):
        return None
    pairs = zip(record.tokens, tokens, strict=False)
    shorter = min(len(record.tokens), len(tokens))
    return next((place for place, (old, new) in enumerate(pairs) if old != new), shorter)
