"""One reply, from turns to the last token: what fits, under which dials, and what is told about it on the way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from localsteer.engine.control import Control
from localsteer.engine.mixing import Mixer
from localsteer.engine.needles import Needles, Watch
from localsteer.engine.present import PresentDials
from localsteer.engine.protocol import (
    Event,
    Finished,
    FinishReason,
    Generate,
    Notice,
    PromptProgress,
    Started,
    TokenText,
    Turn,
)
from localsteer.engine.turns import Fitted, Stretch, fit, stretches
from localsteer.engine.watching import watching
from localsteer.errors import PromptError
from localsteer.llama.chat_template import Piece, plain_text, render, stop_texts
from localsteer.llama.context import Context
from localsteer.llama.generation import Generation
from localsteer.llama.model import Model
from localsteer.llama.residuals import Rows
from localsteer.llama.sampling import Sampling
from localsteer.llama.steering import Steering
from localsteer.llama.text import ReplyText
from localsteer.messages import Message

_SEEDS = 2**31
_LISTENING = 0.02
"""Seconds between looks for a stop while a reply waits to keep its pace."""

Say: TypeAlias = Callable[[Event], None]


@dataclass
class Desk:
    """What replies are written with: a loaded model, its chat context, its mixer; and how much the last one dropped.

    ``watch`` None: nobody listens in on the chat context, and replies are as fast as they can be. ``neutral``: layer to
    float32[n, n_embd], hidden states of everyday messages, as far as they have been read.
    """

    model: Model
    context: Context
    mixer: Mixer
    dropped: int = 0
    watch: Watch | None = None
    neutral: dict[int, Rows] = field(default_factory=dict)


class Reply:
    """One reply, written once. Raises LocalsteerError where it cannot even be begun."""

    def __init__(self, desk: Desk, command: Generate, control: Control, ticket: int, say: Say) -> None:
        self._desk = desk
        self._command = command
        self._say = say
        self._stopped: Callable[[], bool] = lambda: control.stopped(ticket)
        self._notices: set[str] = set()
        self._dials = PresentDials(desk.mixer, control, ticket, command.dials, self._notice)
        self._sampling = _sampling(command)
        self._text = ReplyText(() if command.raw else stop_texts(desk.model), strip_start=not command.raw)
        self._written: list[str] = []
        self._tokens: list[int] = []
        self._generated = 0
        self._prompt_tokens = (0, 0)
        self._began: float | None = None
        self._needles: Needles | None = None

    def write(self) -> None:
        """Say Notice, PromptProgress, Started, TokenText and at last Finished."""
        fitted, prefix = self._fitted()
        # Said once, and again when more has to go; Started says it every time.
        if fitted.dropped > self._desk.dropped:
            self._notice(
                f"The conversation is longer than the context, so its oldest {fitted.dropped} messages were left out."
            )
        self._desk.dropped = fitted.dropped
        plan = stretches(fitted.pieces, fitted.kept, afresh=self._command.afresh)
        with watching(self._desk, self._command.watched, self._stopped, self._notice) as self._needles:
            while (reason := self._attempt(plan, prefix, fitted.dropped)) is None:
                pass
        if rest := self._text.finish():
            self._say_text(rest)
        self._tell_needles(last=True)
        self._finish(reason)

    # ---------------------------------------------------------------- what is evaluated

    def _fitted(self) -> tuple[Fitted, tuple[int, ...]]:
        """The prompt as it fits the context, and the tokens of the forced beginning."""
        command, model = self._command, self._desk.model
        if not command.turns:
            raise PromptError("There is nothing to answer; write a message first.")
        if command.raw:
            text = "".join(turn.content for turn in command.turns) + command.prefix
            return self._fit(command.turns, lambda _: plain_text(model, text)), ()
        fitted = self._fit(command.turns, lambda turns: render_turns(model, turns, command.prefix))
        reply = fitted.pieces[-1]
        return fitted, reply.tokens[reply.header :]

    def _fit(self, turns: Sequence[Turn], rendered: Callable[[Sequence[Turn]], tuple[Piece, ...]]) -> Fitted:
        return fit(turns, rendered, n_ctx=self._desk.context.n_ctx, max_tokens=self._sampling.max_tokens)

    # ---------------------------------------------------------------- writing

    def _attempt(self, plan: Sequence[Stretch], prefix: Sequence[int], dropped: int) -> FinishReason | None:
        """Evaluate and write; None if a dial on which the prompt itself depends was turned before it was done."""
        prompt = self._dials.steering("prompt"), self._dials.front()

        def prompt_is_stale() -> bool:
            return self._began is None and (self._dials.steering("prompt"), self._dials.front()) != prompt

        generation = self._desk.context.generate(
            self._dials.spans(plan[:-1]),
            header=plan[-1].tokens,
            steering=self._steer,
            sampling=self._sampling,
            should_stop=lambda: self._stopped() or prompt_is_stale(),
            progress=lambda done, total: self._say(PromptProgress(self._command.request, done, total)),
        )
        for token in generation:
            self._begin(generation, plan, prefix, dropped)
            self._generated += 1
            self._add(token)
            self._tell_needles()
            if self._text.stopped:
                generation.close()
                return "end"
            self._keep_pace()
        if generation.reason == "stopped" and not self._stopped():
            return None
        if generation.reason != "stopped":
            self._begin(generation, plan, prefix, dropped)
        return generation.reason

    def _keep_pace(self) -> None:
        """Wait until the next token is due, no longer than until a stop."""
        if self._command.pace <= 0 or self._began is None:
            return
        due = self._began + self._generated / self._command.pace
        while (left := due - time.perf_counter()) > 0 and not self._stopped():
            time.sleep(min(left, _LISTENING))

    def _steer(self) -> Steering:
        """What the token that is evaluated next is steered with; the one after it is chosen under it."""
        steering = self._dials.steering("reply")
        if self._needles is not None:
            self._needles.in_force = steering
        self._dials.mark(len(self._tokens) if self._began is not None else 0)
        return steering

    def _begin(self, generation: Generation, plan: Sequence[Stretch], prefix: Sequence[int], dropped: int) -> None:
        """The prompt is evaluated: say so, once, and put the forced beginning into the reply."""
        if self._began is not None:
            return
        self._began = time.perf_counter()
        if self._needles is not None:
            self._needles.moving = True
        self._prompt_tokens = _prompt_tokens(plan, generation.prompt.reused if generation.prompt else 0)
        evaluated, reused = self._prompt_tokens
        self._say(Started(self._command.request, evaluated, reused, dropped, self._sampling.seed))
        for token in prefix:
            self._add(token)

    def _add(self, token: int) -> None:
        self._tokens.append(token)
        self._say_text(self._text.feed(self._desk.model.piece(token)))

    def _say_text(self, text: str) -> None:
        self._written.append(text)
        index = len(self._tokens) - 1
        self._say(TokenText(self._command.request, index, self._tokens[index], text))

    def _finish(self, reason: FinishReason) -> None:
        seconds = time.perf_counter() - self._began if self._began is not None else 0.0
        evaluated, reused = self._prompt_tokens
        text = "".join(self._written)
        self._say(
            Finished(
                request=self._command.request,
                reason=reason,
                text=text,
                tokens=self._kept_tokens(text),
                marks=tuple(self._dials.marks),
                seed=self._sampling.seed,
                prompt_tokens_evaluated=evaluated,
                prompt_tokens_reused=reused,
                tokens_per_second=self._generated / seconds if seconds > 0 else 0.0,
                context_used=self._desk.context.used,
                context_size=self._desk.context.n_ctx,
            )
        )

    def _kept_tokens(self, text: str) -> tuple[int, ...]:
        """The reply's tokens, without those of a stop text."""
        if not self._text.stopped:
            return tuple(self._tokens)
        whole = ReplyText(strip_start=not self._command.raw)
        size = kept = 0
        for token in self._tokens:
            size += len(whole.feed(self._desk.model.piece(token)))
            if size > len(text):
                break
            kept += 1
        return tuple(self._tokens[:kept])

    def _tell_needles(self, *, last: bool = False) -> None:
        moved = self._needles.news(self._command.request, last=last) if self._needles is not None else None
        if moved is not None:
            self._say(moved)

    def _notice(self, text: str) -> None:
        if text not in self._notices:
            self._notices.add(text)
            self._say(Notice(self._command.request, text))


def render_turns(model: Model, turns: Sequence[Turn], prefix: str = "") -> tuple[Piece, ...]:
    """Turns as the model's template writes them; ``prefix`` begins the open reply. See :func:`render`."""
    messages = [Message(turn.role, turn.content) for turn in turns]
    replies = [turn.tokens for turn in turns if turn.role == "assistant"]
    if prefix:
        messages.append(Message("assistant", prefix))
        replies.append(None)
    return render(model, messages, replies)


def _sampling(command: Generate) -> Sampling:
    wanted = command.sampling
    return Sampling(
        temperature=wanted.temperature,
        top_k=wanted.top_k,
        top_p=wanted.top_p,
        min_p=wanted.min_p,
        repeat_penalty=wanted.repeat_penalty,
        seed=random.SystemRandom().randrange(_SEEDS) if wanted.seed is None else wanted.seed,
        max_tokens=wanted.max_tokens,
    )


def _prompt_tokens(plan: Sequence[Stretch], reused: int) -> tuple[int, int]:
    """How many tokens of the prompt were evaluated and how many reused: the first ``reused`` of all positions were."""
    evaluated_prompt = reused_prompt = begin = 0
    for stretch in plan[:-1]:
        known = min(max(reused - begin, 0), len(stretch.tokens))
        begin += len(stretch.tokens)
        if stretch.place == "prompt":
            reused_prompt += known
            evaluated_prompt += len(stretch.tokens) - known
    return evaluated_prompt, reused_prompt
