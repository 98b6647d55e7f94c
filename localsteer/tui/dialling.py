"""Dials: from keys and mouse to the rack, the engine and the panel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localsteer.engine.protocol import DialSetting, Event, Extract, ModelCard
from localsteer.errors import LocalsteerError
from localsteer.library.places import Places
from localsteer.library.remembered import RememberedDial
from localsteer.tui.dial_shelf import Choice, Mixing, as_remembered, choices, dial_from, portrait_of
from localsteer.tui.engine_link import EngineLink, Job
from localsteer.tui.keymap import Keymap
from localsteer.tui.memory import Memory
from localsteer.tui.rack import Rack
from localsteer.tui.rack_history import RackHistory
from localsteer.tui.steady import open_late
from localsteer.tui.strengths import signed
from localsteer.tui.vector_making import VectorMaking
from localsteer.tui.widgets.dials_panel import DialsPanel

if TYPE_CHECKING:
    from localsteer.library.dials import VectorToUse
    from localsteer.tui.dialogs.layers_and_scope import Place


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a dial is to stand when its vector has been made: as ``dial``, behind those called ``behind``; ``picked``:
    it is the one that is picked then.
    """

    dial: RememberedDial
    behind: tuple[str, ...] = ()
    picked: bool = False


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
        keymap: Keymap,
        say: Callable[[str, bool], None],
        turned: Callable[[], None],
    ) -> None:
        self.rack = Rack()
        self._keymap = keymap
        self._history = RackHistory()
        self._history_of = ""
        self._link = link
        self._panel = panel
        self.places = places
        self._memory = memory
        self._say = say
        self._turned = turned
        self._making = VectorMaking(link, panel, say=say, made=self._made, not_made=self._not_made)
        self._wanted: dict[str, Wanted] = {}
        self._unwanted: set[str] = set()
        self._to_keep: dict[str, str] = {}
        self._recalled = 0

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

    async def model_leaves(self) -> None:
        """Another model is being loaded, for which these vectors mean nothing."""
        self.rack = Rack()
        self._expect_nothing()
        self._making.turn_away()
        await self._panel.show(self.rack)

    async def change(self, change: Callable[[Rack], Rack], run: str = "") -> None:
        """Turn, mute, pick, …: ``change`` makes the new rack from the present one.

        ``run``: what this is one of many steps of, which are undone together; empty for a change of its own.
        """
        rack = change(self.rack)
        # Steps of one dial are one change, steps of several are not.
        await self.put(rack, f"{run} {rack.current.name}" if run and rack.current is not None else "")

    async def put(self, rack: Rack, run: str = "") -> None:
        """This rack is in force from the next token on, and can be undone. While a model is loading there is none."""
        if self._link.card is None:
            return
        self._history = self._history.changed(self.rack, rack, run)
        await self._have(rack)

    async def undo(self) -> None:
        """The dials as they were before the last change."""
        self._expect_nothing()
        await self._go(self._history.undo(self.rack), "There is no change of a dial to undo.")

    async def redo(self) -> None:
        """The dials as they were before the last undoing."""
        await self._go(self._history.redo(self.rack), "No change of a dial was undone.")

    async def _go(self, found: tuple[RackHistory, Rack] | None, nowhere: str) -> None:
        # What was changed under another model is of vectors that mean nothing to the one that is coming.
        if found is None or self._link.card is None:
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

    async def choices(self) -> tuple[tuple[Choice, ...], Mixing] | None:
        """What can be added for this model, mixtures too; None where nothing can, and why was said."""
        card = self._link.card
        if card is None:
            self._say("Dials can be added once the model is loaded.", False)
            return None
        if not card.steerable:
            self._say("This model cannot be steered; it can only chat.", True)
            return None
        return await asyncio.to_thread(choices, self.places, card.model_id), Mixing(self.places, card.model_id)

    async def add(self, name: str) -> None:
        """Put the dial on the panel: a name, a path or an expression. What is missing or outdated is made first."""
        from localsteer.library.combinations import put_together

        card = self._link.card
        if card is None:
            self._not_made(name)
            return
        self._unwanted.discard(name)
        try:
            vector = self._find(name, card.model_id)
            for part in vector.to_extract:
                if part.make_from is not None:
                    # When it is made this is asked again, for the next part.
                    self._making.make(name, Extract(0, str(part.make_from.path), str(part.path)))
                    return
            await asyncio.to_thread(put_together, vector)
            self._to_keep.pop(name, None)
            await self._add_from(vector.path, name)
        except LocalsteerError as error:
            self._not_made(name)
            self._say(str(error), True)

    async def set_strength(self, text: str, strength: float) -> None:
        """The dial that ``text`` means at this strength; one that is not on the panel yet is added first."""
        from localsteer.library.recipes import name_of_words
        from localsteer.tui.two_words import two_words

        names, words = self.rack.names(), two_words(text)
        name = name_of_words(*words) if words is not None else text
        if name in names:
            await self.change(lambda rack: rack.set_strength(names.index(name), strength))
            return
        self._wanted[name] = Wanted(RememberedDial(name, strength, scope=""), names, picked=True)
        await (self.add(text) if words is None else self.add_words(*words))

    async def add_mix(self, expression: str, name: str) -> None:
        """A dial from an expression that is kept under ``name``, so that it can be added again."""
        self._to_keep[name] = expression
        await self.add(name)

    def _find(self, name: str, model_id: str) -> VectorToUse:
        from localsteer.library.dials import combination_to_save, find_vector

        expression = self._to_keep.get(name)
        if expression is None:
            return find_vector(name, model_id, self.places)
        return combination_to_save(expression, name, model_id, self.places)

    async def recall(self, dials: tuple[RememberedDial, ...]) -> tuple[str, ...]:
        """These dials instead of the present ones, and a sentence for each that cannot be had.

        Those whose vectors have to be made first come when they are, as long as nobody wants something else by then.
        """
        from localsteer.library.combinations import put_together
        from localsteer.library.dials import find_vector

        card = self._link.card
        if card is None or not card.steerable:
            return ("This model cannot be steered, so its dials stay away.",) if dials else ()
        self._expect_nothing()
        rack, problems = Rack(), []
        missing: dict[str, Wanted] = {}
        for place, one in enumerate(dials):
            try:
                vector = find_vector(one.name, card.model_id, self.places)
                if vector.to_extract:
                    missing[one.name] = Wanted(one, tuple(before.name for before in dials[:place]))
                    continue
                await asyncio.to_thread(put_together, vector)
                rack = rack.with_dial(as_remembered(dial_from(vector.path, one.name), one))
            except LocalsteerError as error:
                problems.append(str(error))
        self._recalled += 1
        await self.put(rack.pick(0), self._recalling)
        self._wanted = missing
        for name in missing:
            await self.add(name)
        return tuple(problems)

    @property
    def _recalling(self) -> str:
        """A scene is one change, with the dials that come later; two scenes are two."""
        return f"scene {self._recalled}"

    def _expect_nothing(self) -> None:
        """Dials that are still to come from a scene stay away; their vectors are made and kept."""
        self._unwanted |= self._wanted.keys()
        self._wanted = {}

    async def add_words(self, positive: str, negative: str) -> None:
        """A dial from two words, at once: their difference is added at the front of what is said (ActAdd)."""
        from localsteer.library.recipes import name_of_words
        from localsteer.library.vectors import VectorLibrary

        card, name = self._link.card, name_of_words(positive, negative)
        if card is None:
            self._not_made(name)
            return
        self._unwanted.discard(name)
        try:
            out = VectorLibrary.at(self.places).path_for(name, card.model_id)
            self._making.make(name, Extract(0, "", str(out), method="actadd", words=(positive, negative)))
        except LocalsteerError as error:
            self._not_made(name)
            self._say(str(error), True)

    async def take(self, events: list[Event]) -> None:
        """What the engine said about vectors."""
        await self._making.take(events)

    def forget(self, jobs: list[Job]) -> None:
        """These jobs were stopped before their turn came."""
        if self._making.forget(jobs):
            self._expect_nothing()

    def _not_made(self, name: str) -> None:
        self._to_keep.pop(name, None)
        self._wanted.pop(name, None)
        self._unwanted.discard(name)

    async def _made(self, path: Path, name: str) -> None:
        """``path`` stands ready: the dial ``name`` itself, or a part of it."""
        if name in self._unwanted:
            self._unwanted.discard(name)
            return
        card = self._link.card
        try:
            if card is not None and self._find(name, card.model_id).path != path:
                await self.add(name)
            else:
                await self._add_from(path, name)
        except LocalsteerError as error:
            self._say(str(error), True)

    async def _add_from(self, path: Path, name: str) -> None:
        dial = dial_from(path, name)
        self._history = self._history.renewed(dial)
        wanted = self._wanted.pop(name, None)
        if wanted is not None:
            rack = self.rack.with_dial(as_remembered(dial, wanted.dial))
            rack = rack.move(rack.picked, sum(name in wanted.behind for name in rack.names()))
            if self.rack.current is not None and not wanted.picked:
                rack = rack.pick(rack.names().index(self.rack.current.name))
            await self.put(rack, self._recalling)
            return
        await self.put(self.rack.with_dial(dial))
        turn, jump = self._keymap.first("turn_up"), self._keymap.first("jump_up")
        does = [f"{turn} turns it"] if turn else []
        if jump and dial.high:
            does.append(f"{jump} jumps to {signed(dial.high)} ({dial.positive_pole})")
        self._say(f"{name} is on the panel{': ' if does else ''}{', '.join(does)}.", False)

    def _say_none(self) -> None:
        self._say(f"There is no dial yet. {self._keymap.hint('add_dial', 'adds one')}".rstrip(), False)

    async def show_card(self) -> None:
        """All that is known of the picked dial's vector."""
        from localsteer.library.portraits import read_tokens

        dial = self.rack.current
        if dial is None:
            self._say_none()
            return
        try:
            card, portrait = await asyncio.to_thread(portrait_of, dial, self.places)
        except LocalsteerError as error:
            self._say(str(error), True)
            return
        # Plotting and what it needs would slow the app's first frame.
        from localsteer.tui.dialogs.vector_card import VectorCardScreen

        model = Path(self._link.model_path)
        open_late(self._panel, VectorCardScreen(portrait, lambda progress: read_tokens(card, model, progress=progress)))

    async def show_place(self) -> None:
        """The picked dial's layers and scope, to be changed."""
        from localsteer.library.vector_cards import read_vector_card
        from localsteer.tui.dialogs.layers_and_scope import LayersAndScope

        dial = self.rack.current
        if dial is None:
            self._say_none()
            return
        card = await asyncio.to_thread(read_vector_card, Path(dial.vector_path), dial.name)
        if card.error:
            self._say(card.error, True)
            return

        async def chosen(place: Place | None) -> None:
            if place is not None:
                # Another one may have come onto the panel since, and be the picked one.
                await self.change(lambda rack: rack.place(dial.name, place.layers, place.scope))

        open_late(self._panel, LayersAndScope(dial, card), chosen)
