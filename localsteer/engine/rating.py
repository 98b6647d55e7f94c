"""How natural a reply is: its perplexity under the unsteered model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from localsteer.engine.asked import render_turns
from localsteer.engine.desk import Desk
from localsteer.engine.protocol import RateReply, ReplyRated, Turn
from localsteer.engine.turns import Fitted, fit
from localsteer.errors import PromptError
from localsteer.evaluation.losses import mean_losses
from localsteer.llama.chat_template import Piece
from localsteer.llama.reply_reader import ReplyReader

_CONTEXT = 1024
"""Tokens before the reply that are read at most, unless the message it answers is longer by itself: the whole of a long
conversation after every reply would keep the machine busy for nobody."""


def rate_reply(desk: Desk, command: RateReply, should_stop: Callable[[], bool]) -> ReplyRated:
    """exp of the mean negative log-likelihood of the reply's tokens, all unsteered, in a context of its own.

    Raises PromptError where there is no reply or it does not fit, Stopped, ModelError.
    """
    *before, last = command.turns or (Turn("user", ""),)
    if last.role != "assistant" or not before:
        raise PromptError("There is no reply to rate; write one first.")
    model = desk.model
    reply = last.tokens or model.tokenize(last.content, continues=True)
    if not reply:
        raise PromptError("The reply is empty; there is nothing to rate.")
    prompt = [token for piece in _fitted(desk, before).pieces for token in piece.tokens]
    with ReplyReader(
        model, [prompt], [reply], [len(prompt)], n_threads=desk.context.n_threads, should_stop=should_stop
    ) as reader:
        (loss,) = mean_losses(reader, [reply])
    return ReplyRated(command.request, math.exp(loss))


def _fitted(desk: Desk, turns: Sequence[Turn]) -> Fitted:
    def rendered(kept: Sequence[Turn]) -> tuple[Piece, ...]:
        return render_turns(desk.model, kept)

    try:
        return fit(turns, rendered, n_ctx=min(_CONTEXT, desk.context.n_ctx), max_tokens=1)
    except PromptError:
        return fit(turns, rendered, n_ctx=desk.context.n_ctx, max_tokens=1)
