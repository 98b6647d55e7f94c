"""The app's hold on the engine process: one model, one job at a time, another life after a death.

No widgets. :meth:`EngineLink.poll` is called some ten times a second and gives the events that are still of use.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, TypeAlias

from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import (
    Command,
    Compared,
    DialSetting,
    Died,
    Event,
    Extracted,
    Failed,
    Finished,
    Load,
    Loaded,
    ModelCard,
    NeedlesMeasured,
    Notice,
    ReplyRated,
    SetDials,
    Stop,
    Stopped,
    TitleMade,
    TokensRead,
)
from localsteer.errors import EngineError, LocalsteerError

DEAF_SECONDS = 10.0
"""An engine that was asked to stop and says nothing for so long is taken for one that never will."""

JobKind: TypeAlias = Literal["reply", "vector", "reading", "comparison", "trial"]


class EngineState(Enum):
    """What the engine is at. ``OFF``: never started, dead, or its model did not load."""

    OFF = "off"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"


@dataclass(slots=True)
class Job:
    """Something for the engine to do. ``command`` is made when its turn comes, from what is true then."""

    kind: JobKind
    command: Callable[[int, ModelCard], Command]
    request: int = 0


class EngineLink:
    """Starts, feeds and restarts the engine. ``events`` of jobs that ended or died are not passed on."""

    def __init__(self, client: EngineClient, load: Load) -> None:
        self.client = client
        self._load = load
        self._loaded_before: Load | None = None
        self.card: ModelCard | None = None
        self.state = EngineState.OFF
        self.problem = ""
        self.load_request = 0
        self._waiting: deque[Job] = deque()
        self._given_up: list[Job] = []
        self._not_begun: list[Event] = []
        self._running: Job | None = None
        self._aside = 0
        self._silent_since: float | None = None

    @property
    def model_path(self) -> str:
        """The model that is, or is to be, loaded."""
        return self._load.path

    @property
    def running(self) -> Job | None:
        """The job the engine works at."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn."""
        return len(self._waiting)

    def holds(self, job: Job) -> bool:
        """Whether this one runs or waits."""
        return job in (self._running, *self._waiting)

    def has(self, kind: JobKind) -> bool:
        """Whether a job of this kind runs or waits."""
        return any(job.kind == kind for job in (*self._waiting, *([self._running] if self._running else [])))

    @property
    def idle(self) -> bool:
        """Whether nobody waits for the engine."""
        return self.state is EngineState.READY and not self._waiting and self.client.alive

    def aside(self, command: Callable[[int, ModelCard], Command]) -> int:
        """Have an idle engine do something that gives way to every job; its request number. Jobs do not wait for it."""
        assert self.card is not None
        self._aside = self.client.new_request()
        self._send(command(self._aside, self.card))
        return self._aside

    def load(self) -> None:
        """Start the engine if need be and load the model. Raises EngineError when no process can be started."""
        if not self.client.alive:
            self._give_up_running()
        self.client.start()
        self.problem = ""
        self.state = EngineState.LOADING
        self.load_request = self.client.new_request()
        self.client.send(replace(self._load, request=self.load_request))

    def switch(self, path: str) -> list[Job]:
        """Load another model instead; what runs is stopped, and the jobs that waited are given back: forgotten.

        The model that was there is remembered until this one is loaded, see :meth:`go_back`. Raises EngineError.
        """
        forgotten = self.stop()
        if not self.client.alive:
            self._give_up_running()
        if self.card is not None:
            self._loaded_before = self._load
        self.card = None
        self._load = replace(self._load, path=path)
        try:
            self.load()
        except EngineError:
            self._given_up += forgotten
            raise
        return forgotten

    def go_back(self) -> str | None:
        """After a switch that came to nothing: load the model of before again; its path, None where there was none.

        Jobs that wait for a model get that one. Raises EngineError.
        """
        before, self._loaded_before = self._loaded_before, None
        if before is None:
            return None
        self._load = before
        try:
            self.load()
        except EngineError:
            self._give_up_waiting()
            raise
        return before.path

    @property
    def can_go_back(self) -> bool:
        """Whether a switch is under way that can be taken back."""
        return self._loaded_before is not None

    def submit(self, job: Job) -> None:
        """Have ``job`` done when its turn comes; an engine that is off is started first. Raises EngineError."""
        if self.state is EngineState.OFF or not self.client.alive:
            self._give_up_running()
            self.load()
        self._waiting.append(job)
        self._start_next()

    def stop(self) -> list[Job]:
        """Stop the running job, whose last event still comes, and give back those that waited: they are forgotten."""
        forgotten = list(self._waiting)
        self._waiting.clear()
        if self._running is not None:
            self._send(Stop())
        self._listen_for_an_answer()
        return forgotten

    def given_up(self) -> list[Job]:
        """Jobs that ended with their engine, or waited for one or for a model that never came, since this was last
        asked; nothing follows.
        """
        given_up, self._given_up = self._given_up, []
        return given_up

    def withdraw(self, job: Job) -> None:
        """Nobody waits for this job any more."""
        if job in self._waiting:
            self._waiting.remove(job)
        elif self._running is job:
            self._send(Stop())
            self._listen_for_an_answer()

    @property
    def deaf(self) -> bool:
        """Whether the engine was asked to stop, still works or loads, and has long said nothing."""
        return self._silent_since is not None and time.monotonic() - self._silent_since > DEAF_SECONDS

    def give_up(self) -> None:
        """End an engine that is deaf. It is then dead as any other: it says so, and the next job starts another."""
        self.client.kill()

    def set_dials(self, dials: tuple[DialSetting, ...]) -> None:
        """Dials for the tokens to come. Jobs that start later take them from their own command."""
        if self._running is not None and self._running.kind == "reply":
            self._send(SetDials(dials))

    def poll(self) -> list[Event]:
        """What happened since the last call, oldest first."""
        said, not_begun = self.client.drain(), self._not_begun
        self._not_begun = []
        events = not_begun + [event for event in said if self._took(event)]
        if not self._works:
            self._silent_since = None
        elif said and self._silent_since is not None:
            self._silent_since = time.monotonic()
        # What is to be done with a new model depends on things that are only now going to hear of it.
        if not any(isinstance(event, Loaded) for event in events):
            self._start_next()
        return events

    def close(self) -> None:
        """End the engine process."""
        self._waiting.clear()
        self.client.close()

    def _took(self, event: Event) -> bool:
        """Learn from an event; False for one that belongs to nothing any more."""
        if isinstance(event, Died):
            # Another may have been started before this one's last word was read.
            if not self.client.alive:
                self.state, self.problem = EngineState.OFF, event.reason
                self._give_up_running()
                self._give_up_waiting()
            return True
        if event.request == self.load_request:
            if isinstance(event, Loaded):
                self.card, self.state = event.card, EngineState.READY
                self._loaded_before = None
            elif isinstance(event, Failed):
                self.state, self.problem = EngineState.OFF, event.message
                self._give_up_waiting()
            return True
        if event.request == self._aside:
            return isinstance(event, ReplyRated | NeedlesMeasured | TitleMade | Failed | Stopped)
        if self._running is None or event.request != self._running.request:
            return isinstance(event, Notice)
        if isinstance(event, Finished | Extracted | TokensRead | Compared | Failed | Stopped):
            self._running = None
            if self.state is EngineState.BUSY:
                self.state = EngineState.READY
        return True

    @property
    def _works(self) -> bool:
        return self._running is not None or self.state is EngineState.LOADING

    def _listen_for_an_answer(self) -> None:
        if self._works and self._silent_since is None:
            self._silent_since = time.monotonic()

    def _give_up_running(self) -> None:
        if self._running is not None:
            self._given_up.append(self._running)
            self._running = None

    def _give_up_waiting(self) -> None:
        if not self.can_go_back:
            self._given_up += self._waiting
            self._waiting.clear()

    def _start_next(self) -> None:
        while self.state is EngineState.READY and self._waiting and self.card is not None and self.client.alive:
            job = self._waiting.popleft()
            job.request = self.client.new_request()
            try:
                self.client.send(job.command(job.request, self.card))
            except LocalsteerError as error:
                if self.client.alive:
                    # What it is made from cannot be read. Whoever waits hears of it as of every other failure.
                    self._not_begun.append(Failed(job.request, str(error)))
                    continue
                # A dead engine says so by itself, in the next poll.
            self._running, self.state = job, EngineState.BUSY

    def _send(self, command: Command) -> None:
        # A dead engine says so by itself, in the next poll.
        with contextlib.suppress(EngineError):
            self.client.send(command)
