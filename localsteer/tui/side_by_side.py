"""Replies that are written side by side, from the asking to the record. No widgets, no engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from localsteer.chat.running import RunningReply
from localsteer.engine.protocol import (
    Compared,
    Event,
    Failed,
    Finished,
    Notice,
    PromptProgress,
    Sampling,
    SideFinished,
    SideToken,
    Started,
    Stopped,
    Turn,
)
from localsteer.tui.lineup import Lineup, Side
from localsteer.tui.plain import PlainStream

_SECONDS_TO_KNOW = 0.5


@dataclass(slots=True)
class SideReply:
    """The reply under one of the settings, as far as it has come. ``text`` is as the model wrote it, ``shown`` safe to
    paint; the moments are on the clock of :class:`SideBySide`.
    """

    side: Side
    text: str = ""
    shown: str = ""
    tokens: list[int] = field(default_factory=list)
    finished: Finished | None = None
    perplexity: float | None = None
    first_at: float = 0.0
    ended_at: float = 0.0
    _clean: PlainStream = field(default_factory=PlainStream)

    def add(self, event: SideToken, now: float) -> None:
        """One more token; the last one said once more brings only text that was held back."""
        if not self.tokens:
            self.first_at = now
        if event.index >= len(self.tokens):
            self.tokens.append(event.token)
        self.text += event.text
        self.shown += self._clean.feed(event.text)
        self.ended_at = now

    def end(self, reply: Finished, now: float) -> None:
        """It is whole."""
        self.finished, self.ended_at = reply, now
        self.text, self.shown = reply.text, self.shown + self._clean.rest()

    @property
    def turn(self) -> Turn:
        """For the engine to read."""
        assert self.finished is not None
        return Turn("assistant", self.finished.text, self.finished.tokens, self.finished.marks)


class SideBySide:
    """One message under several settings. ``said``: what the person wrote for it, which is no part of the conversation
    yet; empty where the conversation's last message is answered. ``standing``: that of the conversation at that time.
    """

    def __init__(
        self,
        lineup: Lineup,
        said: str,
        sampling: Sampling,
        standing: object,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lineup = lineup
        self.said = said
        self.sampling = sampling
        self.standing = standing
        self.replies = tuple(SideReply(side) for side in lineup.sides)
        self.turns: tuple[Turn, ...] = ()
        self.state = ""
        self.problem = ""
        self.running = True
        self.tokens_per_second = 0.0
        self.begun: Started | None = None
        self._clock = clock
        self._asked_at = clock()

    @property
    def written(self) -> tuple[int, ...]:
        """The places of those that have at least a token."""
        return tuple(place for place, reply in enumerate(self.replies) if reply.tokens)

    @property
    def same_seed(self) -> Sampling:
        """For other settings from the seed that was drawn for these."""
        return self.sampling if self.begun is None else replace(self.sampling, seed=self.begun.seed)

    @property
    def other_seed(self) -> Sampling:
        """For the same settings once more."""
        return replace(self.sampling, seed=None)

    def take(self, event: Event) -> None:
        """What the engine said about it."""
        now = self._clock()
        match event:
            case PromptProgress(done=done, total=total) if total:
                self.state = f"reading {done} of {total} tokens…"
            case Started():
                self.begun, self.state = event, ""
            case SideToken(side=side):
                self.replies[side].add(event, now)
            case SideFinished(side=side, reply=reply):
                self.replies[side].end(reply, now)
            case Compared(tokens_per_second=speed):
                self.tokens_per_second = speed
                self.running = False
            case Notice(text=text):
                self.problem = text
            case Failed(message=message):
                self.end(message)
            case Stopped():
                self.end()

    def end(self, problem: str = "") -> None:
        """Nothing more comes."""
        self.running, self.state = False, ""
        self.problem = problem or self.problem

    def measure(self) -> None:
        """How fast all of them come together, so far."""
        began = [reply.first_at for reply in self.replies if reply.tokens]
        seconds = self._clock() - min(began) if began else 0.0
        if self.running and seconds > _SECONDS_TO_KNOW:
            self.tokens_per_second = sum(len(reply.tokens) for reply in self.replies) / seconds

    def into(self, place: int, begin: Callable[[Callable[[], float]], RunningReply]) -> RunningReply:
        """The reply at ``place`` as a record that ``begin`` makes with the clock it is given, all tokens in it.

        The record's times are those at which they came. Raises StorageError.
        """
        reply, moment = self.replies[place], self._asked_at
        running = begin(lambda: moment)
        if self.begun is not None:
            running.started(self.begun)
        moment = reply.first_at
        try:
            running.add(reply.tokens[0], reply.text)
        finally:
            # Where it cannot be saved yet, it has all of it none the less.
            moment = reply.ended_at
            for token in reply.tokens[1:]:
                running.add(token, "")
        return running

    def rated(self, place: int, perplexity: float) -> None:
        """How natural the reply at ``place`` is."""
        self.replies[place].perplexity = perplexity
