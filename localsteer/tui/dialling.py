"""Dials: from keys and mouse to the rack, the engine and the panel; and the making of vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from localsteer.engine.protocol import (
    Command,
    DialSetting,
    Died,
    Event,
    Extract,
    Extracted,
    ExtractProgress,
    Failed,
    ModelCard,
    Stopped,
)
from localsteer.errors import LocalsteerError
from localsteer.library.combinations import put_together
from localsteer.library.dials import find_vector
from localsteer.library.places import Places
from localsteer.library.portraits import read_tokens
from localsteer.library.recipes import name_of_words
from localsteer.library.vector_cards import read_vector_card
from localsteer.library.vectors import VectorLibrary
from localsteer.tui.dial_shelf import Choice, choices, dial_from, portrait_of
from localsteer.tui.dialogs.layers_and_scope import LayersAndScope, Place
from localsteer.tui.engine_link import EngineLink, EngineState, Job
from localsteer.tui.memory import Memory
from localsteer.tui.rack import Rack
from localsteer.tui.rack_history import RackHistory
from localsteer.tui.strengths import signed
from localsteer.tui.widgets.dials_panel import DialsPanel
from localsteer.tui.widgets.making import MakingView


class Dialling:
    """The rack that is in force.

    ``say`` shows a short remark (its text, and whether something is wrong); ``turned`` is called when strengths change.
    """

    def __init__(
        self,
        link: EngineLink,
        panel: DialsPanel,
        places: Places,
        memory: Memory,
        *,
        say: Callable[[str, bool], None],
        turned: Callable[[], None],
    ) -> None:
        self.rack = Rack()
        self._history = RackHistory()
        self._history_of = ""
        self._link = link
        self._panel = panel
        self.places = places
        self._memory = memory
        self._say = say
        self._turned = turned
        self._making: dict[int, str] = {}

    @property
    def settings(self) -> tuple[DialSetting, ...]:
        """What is in force."""
        return self.rack.settings()

    async def model_loaded(self, card: ModelCard) -> None:
        """The rack as it was left with this model; after a restart of the engine it stays as it is."""
        if not self.rack.dials and card.steerable:
            self.rack = self._memory.rack(card.model_id)
        if self._history_of != card.model_id:
            self._history, self._history_of = RackHistory(), card.model_id
        self._panel.show_hint(card.steerable)
        await self._panel.show(self.rack)

    async def change(self, change: Callable[[Rack], Rack], run: str = "") -> None:
        """Turn, mute, pick, …: ``change`` makes the new rack from the present one.

        ``run``: what this is one of many steps of, which are undone together; empty for a change of its own.
        """
        await self.put(change(self.rack), run)

    async def put(self, rack: Rack, run: str = "") -> None:
        """This rack is in force from the next token on, and can be undone."""
        # Steps of one dial are one change, steps of several are not.
        run = f"{run} {rack.current.name}" if run and rack.current is not None else ""
        self._history = self._history.changed(self.rack, rack, run)
        await self._have(rack)

    async def undo(self) -> None:
        """The dials as they were before the last change."""
        await self._go(self._history.undo(self.rack), "There is no change of a dial to undo.")

    async def redo(self) -> None:
        """The dials as they were before the last undoing."""
        await self._go(self._history.redo(self.rack), "No change of a dial was undone.")

    async def _go(self, found: tuple[RackHistory, Rack] | None, nowhere: str) -> None:
        if found is None:
            self._say(nowhere, False)
            return
        self._history, rack = found
        await self._have(rack)

    async def _have(self, rack: Rack) -> None:
        if rack == self.rack:
            return
        before, self.rack = self.settings, rack
        if self.settings != before:
            self._link.set_dials(self.settings)
            self._turned()
        if self._link.card is not None:
            self._memory.keep_rack(self._link.card.model_id, rack)
        await self._panel.show(rack)

    async def choices(self) -> tuple[Choice, ...] | None:
        """What can be added for this model; None where nothing can, and why was said."""
        card = self._link.card
        if card is None:
            self._say("Dials can be added once the model is loaded.", False)
            return None
        if not card.steerable:
            self._say("This model cannot be steered; it can only chat.", True)
            return None
        return await asyncio.to_thread(choices, self.places, card.model_id)

    async def add(self, name: str) -> None:
        """Put the dial on the panel: a name, a path or an expression. What is missing or outdated is made first."""
        card = self._link.card
        if card is None:
            return
        try:
            vector = find_vector(name, card.model_id, self.places)
            for part in vector.to_extract:
                if part.make_from is not None:
                    # When it is made this is asked again, for the next part.
                    self._make(name, Extract(0, str(part.make_from.path), str(part.path)))
                    return
            await asyncio.to_thread(put_together, vector)
            await self._add_from(vector.path, name)
        except LocalsteerError as error:
            self._say(str(error), True)

    async def add_words(self, positive: str, negative: str) -> None:
        """A dial from two words, at once: their difference is added at the front of what is said (ActAdd)."""
        card = self._link.card
        if card is None:
            return
        name = name_of_words(positive, negative)
        try:
            out = VectorLibrary.at(self.places).path_for(name, card.model_id)
            self._make(name, Extract(0, "", str(out), method="actadd", words=(positive, negative)))
        except LocalsteerError as error:
            self._say(str(error), True)

    def _make(self, name: str, extract: Extract) -> None:
        """Have a vector made when the engine is free; it then comes onto the panel."""

        def command(request: int, _: ModelCard) -> Command:
            self._making[request] = name
            self._view.begin(name, "starting…")
            return replace(extract, request=request)

        if self._link.state is not EngineState.READY:
            self._view.begin(name, "after the engine's present work…")
        self._link.submit(Job("vector", command))

    async def take(self, events: list[Event]) -> None:
        """What the engine said about vectors."""
        for event in events:
            if isinstance(event, Died):
                self._making.clear()
                self._view.end()
                continue
            name = self._making.get(event.request)
            if name is not None:
                await self._take_one(name, event)

    async def _take_one(self, name: str, event: Event) -> None:
        match event:
            case ExtractProgress():
                self._view.show(event)
                return
            case Extracted():
                await self._made(Path(event.out), name)
            case Failed(message=message):
                self._say(f"{name} could not be made: {message}", True)
            case Stopped():
                self._say(f"{name} was not made: stopped.", False)
            case _:
                return
        self._making = {request: other for request, other in self._making.items() if request != event.request}
        if not self._link.has("vector"):
            self._view.end()

    async def _made(self, path: Path, name: str) -> None:
        """``path`` stands ready: the dial ``name`` itself, or a part of it."""
        card = self._link.card
        try:
            if card is not None and find_vector(name, card.model_id, self.places).path != path:
                await self.add(name)
            else:
                await self._add_from(path, name)
        except LocalsteerError as error:
            self._say(str(error), True)

    async def _add_from(self, path: Path, name: str) -> None:
        dial = dial_from(path, name)
        self._history = self._history.renewed(dial)
        await self.put(self.rack.with_dial(dial))
        jump = f", Alt+↑ jumps to {signed(dial.high)} ({dial.positive_pole})" if dial.high else ""
        self._say(f"{name} is on the panel: Alt+→ turns it{jump}.", False)

    async def show_card(self) -> None:
        """All that is known of the picked dial's vector."""
        dial = self.rack.current
        if dial is None:
            self._say("There is no dial yet; Alt+A adds one.", False)
            return
        try:
            card, portrait = await asyncio.to_thread(portrait_of, dial, self.places)
        except LocalsteerError as error:
            self._say(str(error), True)
            return
        # Plotting and what it needs would slow the app's first frame.
        from localsteer.tui.dialogs.vector_card import VectorCardScreen

        model = Path(self._link.model_path)
        self._panel.app.push_screen(
            VectorCardScreen(portrait, lambda progress: read_tokens(card, model, progress=progress))
        )

    async def show_place(self) -> None:
        """The picked dial's layers and scope, to be changed."""
        dial = self.rack.current
        if dial is None:
            self._say("There is no dial yet; Alt+A adds one.", False)
            return
        card = await asyncio.to_thread(read_vector_card, Path(dial.vector_path), dial.name)
        if card.error:
            self._say(card.error, True)
            return

        async def chosen(place: Place | None) -> None:
            if place is not None:
                await self.change(lambda rack: rack.place(place.layers, place.scope))

        self._panel.app.push_screen(LayersAndScope(dial, card), chosen)

    @property
    def _view(self) -> MakingView:
        return self._panel.query_one(MakingView)

    def forget(self, jobs: list[Job]) -> None:
        """These jobs were stopped before their turn came."""
        if any(job.kind == "vector" for job in jobs) and not self._making:
            self._view.end()
