"""What the needles cost: the same tokens evaluated with and without somebody listening."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

from localsteer.engine.desk import Desk
from localsteer.engine.protocol import MeasureNeedles, NeedlesMeasured
from localsteer.errors import Stopped
from localsteer.evaluation.neutral import EVERYDAY
from localsteer.llama.context import Context
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.steering import UNSTEERED

_TOKENS_AT_ONCE = 4
_ROUNDS = 16
_SECONDS = 4.0


def measure_needles(desk: Desk, command: MeasureNeedles, should_stop: Callable[[], bool]) -> NeedlesMeasured:
    """Tokens per second one by one, unwatched and watched at one layer in the middle, in turns. Takes some seconds at
    most. Raises Stopped, ModelError where there is no room for two more small contexts.
    """
    model, n_threads = desk.model, desk.context.n_threads
    tokens = [*model.start_tokens, *model.tokenize(" ".join(EVERYDAY))]
    n_ctx = len(tokens) + (_ROUNDS + 1) * _TOKENS_AT_ONCE
    tap = ResidualTap(model.n_embd, (model.n_layer // 2,), read=lambda layer, rows: None)
    with ExitStack() as stack:
        contexts = [
            stack.enter_context(Context(model, n_ctx=n_ctx, n_threads=n_threads, tap=one)) for one in (None, tap)
        ]
        for context in contexts:
            context.evaluate([(tokens, UNSTEERED)], should_stop=should_stop)
            _seconds(context, tokens, should_stop)
        began = time.perf_counter()
        spent: list[list[float]] = [[], []]
        for _ in range(_ROUNDS):
            for context, seconds in zip(contexts, spent, strict=True):
                seconds.append(_seconds(context, tokens, should_stop))
            if time.perf_counter() - began > _SECONDS:
                break
    unwatched, watched = (_TOKENS_AT_ONCE / median(seconds) for seconds in spent)
    return NeedlesMeasured(command.request, unwatched, watched)


def _seconds(context: Context, tokens: list[int], should_stop: Callable[[], bool]) -> float:
    began = time.perf_counter()
    for token in tokens[-_TOKENS_AT_ONCE:]:
        if should_stop():
            raise Stopped
        context.append(token, UNSTEERED)
    return time.perf_counter() - began
