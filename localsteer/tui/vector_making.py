"""Vectors that are made because a dial needs them: what the engine says of it, and what the panel shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from localsteer.engine.protocol import (
    Command,
    Died,
    Event,
    Extract,
    Extracted,
    ExtractProgress,
    Failed,
    ModelCard,
    Stopped,
)
from localsteer.errors import EngineError
from localsteer.tui.engine_link import EngineLink, Job
from localsteer.tui.widgets.dials_panel import DialsPanel
from localsteer.tui.widgets.making import MakingView


class VectorMaking:
    """``made`` is told the dial's name and the file that now stands ready; ``not_made`` the name alone."""

    def __init__(
        self,
        link: EngineLink,
        panel: DialsPanel,
        *,
        say: Callable[[str, bool], None],
        made: Callable[[Path, str], Awaitable[None]],
        not_made: Callable[[str], None],
    ) -> None:
        self._link = link
        self._panel = panel
        self._say = say
        self._made = made
        self._not_made = not_made
        self._mine: list[tuple[Job, str]] = []

    def make(self, name: str, extract: Extract) -> None:
        """Have a vector for the dial ``name`` made when the engine is free. Raises EngineError where none starts."""

        def command(request: int, _: ModelCard) -> Command:
            self._view.begin(name, "starting…")
            return replace(extract, request=request)

        job = Job("vector", command)
        self._mine.append((job, name))
        self._show()
        try:
            self._link.submit(job)
        except EngineError:
            self._end(job)
            raise

    async def take(self, events: list[Event]) -> None:
        """What the engine said about vectors."""
        for event in events:
            if isinstance(event, Died):
                # One that waits for another model still comes to its turn.
                for job, name in list(self._mine):
                    if not self._link.holds(job):
                        self._not_made(name)
                        self._end(job)
                continue
            for job, name in list(self._mine):
                if job.request and job.request == event.request:
                    await self._take_one(job, name, event)

    def turn_away(self) -> None:
        """Another model comes. One that stands ready at this very moment is kept, but is no dial for that model."""
        self.forget([job for job, _ in self._mine])

    def forget(self, jobs: Sequence[Job]) -> bool:
        """These were stopped before their turn came; whether one of them was for a dial."""
        mine = [(job, name) for job, name in self._mine if job in jobs]
        for job, name in mine:
            self._not_made(name)
            self._end(job)
        return bool(mine)

    async def _take_one(self, job: Job, name: str, event: Event) -> None:
        match event:
            case ExtractProgress():
                self._view.show(event)
                return
            case Extracted():
                await self._made(Path(event.out), name)
            case Failed(message=message):
                self._say(f"{name} could not be made: {message}", True)
                self._not_made(name)
            case Stopped():
                self._say(f"{name} was not made: stopped.", False)
                self._not_made(name)
            case _:
                return
        self._end(job)

    def _end(self, job: Job) -> None:
        self._mine = [one for one in self._mine if one[0] is not job]
        self._show()

    def _show(self) -> None:
        """What is made, or is the next one to be."""
        if not self._mine:
            self._view.end()
        elif not any(job.request for job, _ in self._mine):
            self._view.begin(self._mine[0][1], "after the engine's present work…")

    @property
    def _view(self) -> MakingView:
        return self._panel.query_one(MakingView)
