"""Seeing what words lean to: has the conversation read along the dials, and shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from localsteer.engine.protocol import (
    DialSetting,
    Died,
    Event,
    Failed,
    ModelCard,
    PromptProgress,
    ReadTokens,
    TokensRead,
    Turn,
)
from localsteer.errors import EngineError, StorageError
from localsteer.tui.engine_link import Job
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.tui.chat_screen import ChatScreen
    from localsteer.tui.dialogs.token_view import TokenView


class Seeing:
    """For a :class:`ChatScreen`. At most one view is open, and at most one reading on its way to it."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._view: TokenView | None = None
        self._job: Job | None = None

    async def open(self) -> None:
        """Show the conversation along the picked dial, or say what is missing."""
        screen, link = self._screen, self._screen.link
        rack = screen.dialling.rack
        if not screen.on_top:
            return
        if link.card is None:
            screen.say("There is something to see once the model is loaded.")
        elif not rack.dials:
            screen.say(f"Words are seen along a dial. {screen.keymap.hint('add_dial', 'adds one')}".rstrip())
        elif screen.conversing.writing:
            stops = screen.keymap.hint("stop", "stops it")
            screen.say(f"A reply is being written; look at it when it is whole. {stops}".rstrip())
        elif not screen.talk.messages:
            screen.say("Nothing was said yet that could be looked at.")
        else:
            picked = screen.query_one(Transcript).picked
            try:
                turns = screen.talk.turns(link.card, until=picked)
            except StorageError as error:
                screen.say(str(error), True)
                return
            await self._open(link.card, turns, rack.watched(), rack.picked)

    async def _open(
        self, card: ModelCard, turns: tuple[Turn, ...], vectors: tuple[DialSetting, ...], picked: int
    ) -> None:
        from localsteer.tui.dialogs.token_view import TokenView

        dials = self._screen.dials_in_force()
        job = Job("reading", lambda request, _: ReadTokens(request, turns, vectors, dials))
        waiting = "after the engine's present work…" if self._screen.link.running else "reading…"
        view = self._view = TokenView(turns, picked, waiting)
        self._job = job
        # The reading may be there sooner than the view.
        await self._screen.app.push_screen(view, lambda _: self._closed(job))
        if self._job is not job:
            return
        try:
            self._screen.link.submit(job)
        except EngineError as error:
            view.say(str(error))

    def _closed(self, job: Job) -> None:
        if self._job is job:
            self._view = self._job = None
            self._screen.link.withdraw(job)

    def forget(self, jobs: Sequence[Job]) -> None:
        """These were stopped before their turn came."""
        if self._view is not None and self._job in jobs:
            self._view.say("Nothing was read: it was stopped.")

    async def take(self, events: list[Event]) -> None:
        """What the engine said about readings."""
        for event in events:
            if self._view is None or self._job is None:
                return
            if isinstance(event, Died):
                if not self._screen.link.holds(self._job):
                    self._view.say(event.reason)
            elif event.request == self._job.request:
                await self._take_one(self._view, event)

    async def _take_one(self, view: TokenView, event: Event) -> None:
        match event:
            case PromptProgress(done=done, total=total) if total:
                view.say(f"reading {done} of {total} tokens…")
            case TokensRead():
                await view.fill(event)
            case Failed(message=message):
                view.say(message)
