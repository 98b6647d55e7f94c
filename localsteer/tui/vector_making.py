"""Vectors that are made because a dial needs them: what the engine says of it, and what the panel shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
from localsteer.tui.engine_link import EngineLink, EngineState, Job
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
        self._names: dict[int, str] = {}

    def make(self, name: str, extract: Extract) -> None:
        """Have a vector for the dial ``name`` made when the engine is free."""

        def command(request: int, _: ModelCard) -> Command:
            self._names[request] = name
            self._view.begin(name, "starting…")
            return replace(extract, request=request)

        if self._link.state is not EngineState.READY:
            self._view.begin(name, "after the engine's present work…")
        self._link.submit(Job("vector", command))

    async def take(self, events: list[Event]) -> None:
        """What the engine said about vectors."""
        for event in events:
            if isinstance(event, Died):
                for name in self._names.values():
                    self._not_made(name)
                self._names.clear()
                self._view.end()
                continue
            name = self._names.get(event.request, "")
            if name:
                await self._take_one(name, event)

    def turn_away(self) -> None:
        """Another model comes. One that stands ready at this very moment is kept, but is no dial for that model."""
        for name in self._names.values():
            self._not_made(name)
        self._names.clear()
        self._view.end()

    def forget(self) -> None:
        """What waited was stopped before its turn came."""
        if not self._names:
            self._view.end()

    async def _take_one(self, name: str, event: Event) -> None:
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
        self._names.pop(event.request, None)
        if not self._link.has("vector"):
            self._view.end()

    @property
    def _view(self) -> MakingView:
        return self._panel.query_one(MakingView)
