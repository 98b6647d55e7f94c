"""One reply, from turns to the last token: under which dials it is written, and what is told about it on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from localsteer.engine.asked import DIFFERENT_BEFORE, fitted_prompt, prompt_tokens, tell_dropped
from localsteer.engine.control import Control
from localsteer.engine.desk import Desk, Say
from localsteer.engine.keeping_pace import keep_pace
from localsteer.engine.needles import Needles
from localsteer.engine.present import PresentDials
from localsteer.engine.protocol import (
    Course,
    Finished,
    FinishReason,
    Generate,
    Notice,
    PromptProgress,
    Started,
    TokenText,
)
from localsteer.engine.turns import Stretch, stretches
from localsteer.engine.watching import watching
from localsteer.engine.written import Written, drawn
from localsteer.llama.cuts import Cuts
from localsteer.llama.generation import Generation
from localsteer.llama.spans import Span
from localsteer.llama.steering import Steering


class Reply:
    """One reply, written once. Raises LocalsteerError where it cannot even be begun."""

    def __init__(self, desk: Desk, command: Generate, control: Control, ticket: int, say: Say) -> None:
        self._desk = desk
        self._command = command
        self._say = say
        self._stopped: Callable[[], bool] = lambda: control.stopped(ticket)
        self._notices: set[str] = set()
        self._course = command.course or Course(prefix=command.prefix, afresh=command.afresh)
        self._dials = PresentDials(
            desk.mixer, lambda own: control.dials(ticket, own), command.dials, self._notice, command.schedule
        )
        self._sampling = drawn(command.sampling)
        self._written = Written(desk.model, self._say_token, raw=command.raw)
        self._generated = 0
        self._prompt_tokens = (0, 0)
        self._began: float | None = None
        self._needles: Needles | None = None

    def write(self) -> None:
        """Say Notice, PromptProgress, Started, TokenText and at last Finished."""
        command = self._command
        fitted, prefix = fitted_prompt(
            self._desk,
            command.turns,
            raw=command.raw,
            prefix=self._course.prefix,
            max_tokens=self._sampling.max_tokens,
            course=command.course,
        )
        # Started says it every time.
        if sentence := tell_dropped(self._desk, fitted.dropped):
            self._notice(sentence)
        plan = stretches(fitted.pieces, fitted.kept, afresh=self._course.afresh)
        with (
            watching(self._desk, command.watched, self._stopped, self._notice) as self._needles,
            self._desk.context.with_threads(self._course.n_threads),
        ):
            while (reason := self._attempt(plan, prefix, fitted.dropped)) is None:
                pass
        self._written.finish()
        self._tell_needles(last=True)
        self._finish(reason)

    def _attempt(self, plan: Sequence[Stretch], prefix: Sequence[int], dropped: int) -> FinishReason | None:
        """Evaluate and write; None if a dial on which the prompt itself depends was turned before it was done."""
        prompt = self._prompt_dials()

        def prompt_is_stale() -> bool:
            return self._began is None and self._prompt_dials() != prompt

        spans = self._dials.spans(plan[:-1])
        generation = self._desk.context.generate(
            spans,
            header=plan[-1].tokens,
            steering=self._steer,
            sampling=self._sampling,
            cuts=self._cuts([*spans, (plan[-1].tokens, self._dials.steering("reply"))]),
            should_stop=lambda: self._stopped() or prompt_is_stale(),
            progress=lambda done, total: self._say(PromptProgress(self._command.request, done, total)),
        )
        for token in generation:
            self._begin(generation, plan, prefix, dropped)
            self._generated += 1
            self._written.add(token)
            self._tell_needles()
            if self._written.stopped:
                generation.close()
                return "end"
            keep_pace(self._command.pace, self._began, self._generated, self._stopped)
        if generation.reason == "stopped" and not self._stopped():
            return None
        if generation.reason != "stopped":
            self._begin(generation, plan, prefix, dropped)
        return generation.reason

    def _prompt_dials(self) -> tuple[Steering, ...]:
        """What the prompt depends on of that which may be turned."""
        earlier = (self._dials.steering("reply"),) if self._course.afresh else ()
        return (self._dials.steering("prompt"), *self._dials.front(), *earlier)

    def _cuts(self, whole: Sequence[Span]) -> Cuts | None:
        """How what stands before the reply was cut when it was written first; None where that does not matter."""
        cuts = self._course.cuts
        if not cuts or self._desk.context.can_cut(whole, cuts):
            return cuts or None
        self._notice(DIFFERENT_BEFORE)
        return None

    def _steer(self) -> Steering:
        """What the token that is evaluated next is steered with; the one after it is chosen under it."""
        steering = self._dials.choosing(len(self._written.tokens))
        if self._needles is not None:
            self._needles.in_force = steering
        return steering

    def _begin(self, generation: Generation, plan: Sequence[Stretch], prefix: Sequence[int], dropped: int) -> None:
        """The prompt is evaluated: say so, once, and put the forced beginning into the reply."""
        if self._began is not None:
            return
        self._began = time.perf_counter()
        if self._needles is not None:
            self._needles.moving = True
        self._prompt_tokens = prompt_tokens(plan, generation.prompt.reused)
        self._course = replace(
            self._course,
            cuts=generation.cuts,
            n_threads=self._course.n_threads or self._desk.context.n_threads,
            dropped=dropped,
        )
        evaluated, reused = self._prompt_tokens
        self._say(Started(self._command.request, evaluated, reused, dropped, self._sampling.seed))
        for token in prefix:
            self._written.add(token)

    def _finish(self, reason: FinishReason) -> None:
        seconds = time.perf_counter() - self._began if self._began is not None else 0.0
        evaluated, reused = self._prompt_tokens
        self._say(
            Finished(
                request=self._command.request,
                reason=reason,
                text=self._written.text,
                tokens=self._written.kept_tokens(),
                marks=tuple(self._dials.marks),
                seed=self._sampling.seed,
                prompt_tokens_evaluated=evaluated,
                prompt_tokens_reused=reused,
                tokens_per_second=self._generated / seconds if seconds > 0 else 0.0,
                context_used=self._desk.context.used,
                context_size=self._desk.context.n_ctx,
                course=self._course,
            )
        )

    def _say_token(self, index: int, token: int, text: str) -> None:
        self._say(TokenText(self._command.request, index, token, text, time.perf_counter()))

    def _tell_needles(self, *, last: bool = False) -> None:
        moved = self._needles.news(self._command.request, last=last) if self._needles is not None else None
        if moved is not None:
            self._say(moved)

    def _notice(self, text: str) -> None:
        if text not in self._notices:
            self._notices.add(text)
            self._say(Notice(self._command.request, text))
