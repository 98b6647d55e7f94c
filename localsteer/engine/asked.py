"""What a reply answers: the conversation as the model's template writes it, cut to what fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localsteer.engine.desk import Desk
from localsteer.engine.protocol import Course, Turn
from localsteer.engine.turns import Fitted, Stretch, fit, without
from localsteer.errors import PromptError
from localsteer.llama.chat_template import Piece, are_of_reply, plain_text, render
from localsteer.llama.model import Model
from localsteer.messages import Message

DIFFERENT_BEFORE = (
    "What stands before this reply cannot be read as it was when it was written first; it may come out differently."
)


def render_turns(model: Model, turns: Sequence[Turn], prefix: str = "") -> tuple[Piece, ...]:
    """Turns as the model's template writes them; ``prefix`` begins the open reply. See :func:`render`."""
    messages = [Message(turn.role, turn.content) for turn in turns]
    replies = [turn.tokens for turn in turns if turn.role == "assistant"]
    if prefix:
        messages.append(Message("assistant", prefix))
        replies.append(None)
    return render(model, messages, replies)


def as_shown(model: Model, turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Turns whose replies are read as they are shown: foreign tokens that say something else are done without."""
    return tuple(
        replace(turn, tokens=None)
        if turn.foreign and turn.tokens and not are_of_reply(model, turn.tokens, turn.content)
        else turn
        for turn in turns
    )


def fitted_prompt(
    desk: Desk,
    turns: Sequence[Turn],
    *,
    raw: bool,
    prefix: str,
    max_tokens: int | None,
    course: Course | None = None,
) -> tuple[Fitted, tuple[int, ...]]:
    """The prompt as it fits the context, or as it did in ``course``, and the tokens of the forced beginning.

    Raises PromptError where there is nothing to answer or it does not fit, ModelError if the template refuses it.
    """
    if not turns:
        raise PromptError("There is nothing to answer; write a message first.")

    def rendered(kept: Sequence[Turn]) -> tuple[Piece, ...]:
        if raw:
            return plain_text(desk.model, "".join(turn.content for turn in turns) + prefix)
        return render_turns(desk.model, kept, prefix)

    n_ctx = desk.context.n_ctx
    if course is None:
        fitted = fit(turns, rendered, n_ctx=n_ctx, max_tokens=max_tokens)
    else:
        fitted = without(turns, rendered, course.dropped, n_ctx=n_ctx)
    reply = fitted.pieces[-1]
    return fitted, () if raw else reply.tokens[reply.header :]


def tell_dropped(desk: Desk, dropped: int) -> str | None:
    """A sentence on how many of the oldest messages were left out; once, and again when more have to go."""
    before, desk.dropped = desk.dropped, dropped
    if dropped <= before:
        return None
    return f"The conversation is longer than the context, so its oldest {dropped} messages were left out."


def prompt_tokens(plan: Sequence[Stretch], reused: int) -> tuple[int, int]:
    """How many tokens of the prompt were evaluated and how many reused: the first ``reused`` of all positions were."""
    evaluated_prompt = reused_prompt = begin = 0
    for stretch in plan[:-1]:
        known = min(max(reused - begin, 0), len(stretch.tokens))
        begin += len(stretch.tokens)
        if stretch.place == "prompt":
            reused_prompt += known
            evaluated_prompt += len(stretch.tokens) - known
    return evaluated_prompt, reused_prompt
