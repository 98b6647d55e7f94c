"""One message answered side by side under several settings of the dials."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from localsteer.engine.asked import DIFFERENT_BEFORE, fitted_prompt, prompt_tokens, tell_dropped
from localsteer.engine.desk import Desk, Say
from localsteer.engine.keeping_pace import keep_pace
from localsteer.engine.present import PresentDials
from localsteer.engine.protocol import (
    MOST_SIDES,
    Compare,
    Compared,
    Course,
    DialMark,
    Finished,
    FinishReason,
    Notice,
    PromptProgress,
    SideFinished,
    SideToken,
    Started,
)
from localsteer.engine.turns import Stretch, stretches
from localsteer.engine.written import Written, drawn
from localsteer.errors import DialError, ModelError, Stopped
from localsteer.llama.cuts import Cuts, split
from localsteer.llama.sides import Sides
from localsteer.llama.spans import Span

_ROOM_AT_LEAST = 64
"""Tokens for each side, however many sides there are."""


@dataclass(slots=True)
class _Reading:
    """A way to read the prompt, and the sides that read it so."""

    spans: list[Span]
    sides: list[int]
    cuts: Cuts = ()
    saved: Any = None

    @property
    def length(self) -> int:
        return sum(len(tokens) for tokens, _ in self.spans)


class Comparison:
    """Replies written side by side, once. Raises LocalsteerError where they cannot even be begun."""

    def __init__(self, desk: Desk, command: Compare, stopped: Callable[[], bool], say: Say) -> None:
        if not 1 <= len(command.sides) <= MOST_SIDES:
            raise DialError(f"Side by side there can be 1 to {MOST_SIDES} replies, not {len(command.sides)}.")
        if not desk.model.rewinds:
            raise ModelError(
                f"{desk.model.name} keeps no cache that several replies can share; "
                "have them written one after the other."
            )
        self._desk = desk
        self._command = command
        self._stopped = stopped
        self._say = say
        self._notices: set[str] = set()
        self._dials = [PresentDials(desk.mixer, lambda own: own, side, self._notice) for side in command.sides]
        self._sampling = drawn(command.sampling)
        self._course = command.course or Course(prefix=command.prefix)
        self._written = [
            Written(desk.model, self._token_of(side), raw=command.raw) for side in range(len(command.sides))
        ]
        self._generated = [0] * len(command.sides)
        self._prompt_tokens = (0, 0)
        self._used_before = 0
        self._began: float | None = None
        self._finished: set[int] = set()

    def write(self) -> None:
        """Say Notice, PromptProgress, Started, SideToken, SideFinished and at last Compared."""
        command = self._command
        fitted, prefix = fitted_prompt(
            self._desk,
            command.turns,
            raw=command.raw,
            prefix=self._course.prefix,
            max_tokens=self._sampling.max_tokens,
            course=command.course,
        )
        if sentence := tell_dropped(self._desk, fitted.dropped):
            self._notice(sentence)
        plan = stretches(fitted.pieces, fitted.kept)
        self._course = replace(self._course, dropped=fitted.dropped)
        reasons: Sequence[FinishReason | None] = ()
        with contextlib.suppress(Stopped):
            reasons = self._write(plan, prefix)
        for side in range(len(command.sides)):
            self._finish(side, (reasons[side] if reasons else None) or "stopped")
        seconds = time.perf_counter() - self._began if self._began is not None else 0.0
        self._say(Compared(command.request, sum(self._generated) / seconds if seconds > 0 else 0.0))

    def _write(self, plan: Sequence[Stretch], prefix: Sequence[int]) -> Sequence[FinishReason | None]:
        command, header = self._command, plan[-1].tokens
        readings = self._readings(plan)
        n_threads = self._course.n_threads or self._desk.context.n_threads
        self._read(plan, readings, n_threads)
        self._used_before = readings[0].length + len(header)
        self._course = replace(
            self._course,
            cuts=tuple(cut for reading in readings for cut in reading.cuts),
            n_threads=n_threads,
            sides=command.sides,
        )
        with Sides(
            self._desk.model,
            [(reading.saved, reading.length, reading.sides) for reading in readings],
            header,
            [dials.steering("reply") for dials in self._dials],
            self._sampling,
            n_tokens=self._room(readings[0].length + len(header)),
            n_threads=n_threads,
            should_stop=self._stopped,
        ) as sides:
            for reading in readings:
                reading.saved = None
            self._begin(prefix)
            for side, token in sides.write():
                self._tell_ends(sides)
                keep_pace(command.pace, self._began, self._generated[side], self._stopped)
                self._generated[side] += 1
                self._written[side].add(token)
                if self._written[side].stopped:
                    sides.end(side)
            self._tell_ends(sides)
            if sides.spoilt:
                self._notice(
                    "The dials of a side are turned so far that the model computes no numbers any more; turn them back."
                )
                self._desk.context.forget()
            return list(sides.reasons)

    # ---------------------------------------------------------------- the prompt

    def _readings(self, plan: Sequence[Stretch]) -> list[_Reading]:
        found: dict[object, _Reading] = {}
        for side, dials in enumerate(self._dials):
            spans = dials.spans(plan[:-1])
            key = tuple((tuple(tokens), steering.key) for tokens, steering in spans)
            found.setdefault(key, _Reading(spans, [])).sides.append(side)
        return list(found.values())

    def _read(self, plan: Sequence[Stretch], readings: list[_Reading], n_threads: int) -> None:
        """Evaluate the prompt in the chat's own context, which may know much of it; what that had cached stays."""
        context, request = self._desk.context, self._command.request
        wanted = self._wanted_cuts(readings)
        evaluated = reused = 0
        with context.keeping([reading.spans for reading in readings]), context.with_threads(n_threads):
            for reading, cuts in zip(readings, wanted, strict=True):
                if not reading.spans:
                    continue
                done = context.evaluate(
                    reading.spans,
                    cuts=cuts,
                    logits=False,
                    should_stop=self._stopped,
                    progress=lambda done, total: self._say(PromptProgress(request, done, total)),
                )
                reading.cuts, reading.saved = context.cuts, context.saved()
                counts = prompt_tokens(plan, done.reused)
                evaluated, reused = evaluated + counts[0], reused + counts[1]
        self._prompt_tokens = (evaluated, reused)

    def _wanted_cuts(self, readings: Sequence[_Reading]) -> Sequence[Cuts | None]:
        """How the prompt was cut when a side was written first; None where that does not matter."""
        nothing: list[Cuts | None] = [None] * len(readings)
        if not self._course.cuts:
            return nothing
        wanted = split(self._course.cuts, readings[0].length)
        if len(wanted) == len(readings) and all(
            self._desk.context.can_cut(reading.spans, cuts) for reading, cuts in zip(readings, wanted, strict=True)
        ):
            return wanted
        self._notice(DIFFERENT_BEFORE)
        return nothing

    def _room(self, used: int) -> int:
        """Tokens for each side at most; all of them together need not take more memory than the chat's own."""
        n_ctx = self._desk.context.n_ctx
        fair = max(_ROOM_AT_LEAST, n_ctx // len(self._command.sides))
        limit = self._sampling.max_tokens
        return max(0, min(n_ctx - used, fair if limit is None else min(limit, fair)))

    # ---------------------------------------------------------------- the replies

    def _begin(self, prefix: Sequence[int]) -> None:
        self._began = time.perf_counter()
        evaluated, reused = self._prompt_tokens
        self._say(Started(self._command.request, evaluated, reused, self._course.dropped, self._sampling.seed))
        for written in self._written:
            for token in prefix:
                written.add(token)

    def _tell_ends(self, sides: Sides) -> None:
        for side, reason in enumerate(sides.reasons):
            if reason is not None and reason != "stopped":
                self._finish(side, reason)

    def _finish(self, side: int, reason: FinishReason) -> None:
        if side in self._finished:
            return
        self._finished.add(side)
        written = self._written[side]
        written.finish()
        seconds = time.perf_counter() - self._began if self._began is not None else 0.0
        evaluated, reused = self._prompt_tokens
        reply = Finished(
            request=self._command.request,
            reason=reason,
            text=written.text,
            tokens=written.kept_tokens(),
            marks=(DialMark(0, self._command.sides[side]),),
            seed=self._sampling.seed,
            prompt_tokens_evaluated=evaluated,
            prompt_tokens_reused=reused,
            tokens_per_second=self._generated[side] / seconds if seconds > 0 else 0.0,
            context_used=self._used_before + len(written.tokens),
            context_size=self._desk.context.n_ctx,
            course=replace(self._course, side=side),
        )
        self._say(SideFinished(self._command.request, side, reply))

    def _token_of(self, side: int) -> Callable[[int, int, str], None]:
        return lambda index, token, text: self._say(SideToken(self._command.request, side, index, token, text))

    def _notice(self, text: str) -> None:
        if text not in self._notices:
            self._notices.add(text)
            self._say(Notice(self._command.request, text))
