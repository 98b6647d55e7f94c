"""Commands on the dials: pick, turn, mute, add, remove, show."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.screen import Screen

from localsteer.library.settings import Settings
from localsteer.tui.dialling import Dialling
from localsteer.tui.dialogs.add_dial import AddDial
from localsteer.tui.needles import NeedleSwitch
from localsteer.tui.rack import COARSE, Rack
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.dials_panel import DialsPanel


class DialCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    settings: Settings
    dialling: Dialling
    needles: NeedleSwitch

    def _rack(self, change: Callable[[Rack], Rack]) -> None:
        self.call_later(self.dialling.change, change)

    def action_pick(self, index: int) -> None:
        self._rack(lambda rack: rack.pick(index))

    def action_pick_next(self, by: int) -> None:
        self._rack(lambda rack: rack.pick_next(by))

    def action_turn(self, times: int) -> None:
        self._turn(times * self.settings.coarse_step)

    def action_turn_finely(self, times: int) -> None:
        self._turn(times * self.settings.fine_step)

    def _turn(self, part: float) -> None:
        """The picked dial by this part of half its bar."""
        self._rack(lambda rack: rack.turn(part / COARSE))

    def action_jump(self, towards: int) -> None:
        self._rack(lambda rack: rack.jump(towards))

    def action_zero(self) -> None:
        self._rack(Rack.zero)

    def action_zero_all(self) -> None:
        self._rack(Rack.zero_all)

    def action_mute(self) -> None:
        self._rack(Rack.toggle_mute)

    def action_solo(self) -> None:
        self._rack(Rack.toggle_solo)

    def action_remove_dial(self) -> None:
        self._rack(lambda rack: rack.without(rack.picked))

    @on(DialRow.Picked)
    def _picked(self, event: DialRow.Picked) -> None:
        self.action_pick(event.index)

    @on(DialRow.Set)
    def _set(self, event: DialRow.Set) -> None:
        self._rack(lambda rack: rack.set_strength(event.index, event.strength))

    @on(DialRow.Turned)
    def _wheeled(self, event: DialRow.Turned) -> None:
        self._rack(lambda rack: rack.pick(event.index).turn(event.times * self.settings.fine_step / COARSE))

    def action_add_dial(self) -> None:
        self.call_later(self._add_dial)

    async def _add_dial(self) -> None:
        found = await self.dialling.choices()
        if found is not None:
            self.app.push_screen(AddDial(found, self.dialling.rack.names()), self._added)

    async def _added(self, chosen: str | tuple[str, str] | None) -> None:
        if isinstance(chosen, tuple):
            await self.dialling.add_words(*chosen)
        elif chosen is not None:
            await self.dialling.add(chosen)

    def action_toggle_needles(self) -> None:
        self.needles.toggle()

    def action_show_card(self) -> None:
        self.call_later(self.dialling.show_card)

    def action_toggle_panel(self) -> None:
        panel = self.query_one(DialsPanel)
        panel.toggle_class("-hidden")
        if panel.has_class("-hidden") and panel.has_focus:
            self.query_one(Composer).focus()

    def action_focus_dials(self) -> None:
        panel = self.query_one(DialsPanel)
        if panel.has_focus:
            self.query_one(Composer).focus()
        else:
            panel.remove_class("-hidden")
            panel.focus()
