"""Commands on the dials: pick, turn, mute, add, remove, show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, on
from textual.errors import NoWidget
from textual.screen import Screen

from localsteer.errors import DialError
from localsteer.library.settings import Settings
from localsteer.tui.dialling import Dialling
from localsteer.tui.needles import NeedleSwitch
from localsteer.tui.plain import plain
from localsteer.tui.rack import COARSE, Rack
from localsteer.tui.steady import open_late
from localsteer.tui.strengths import typed_strength
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.dials_panel import DialsPanel

if TYPE_CHECKING:
    from localsteer.tui.dialogs.add_dial import Mix

_TURNING = "turning"


class DialCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    settings: Settings
    dialling: Dialling
    needles: NeedleSwitch

    def _rack(self, change: Callable[[Rack], Rack], run: str = "") -> None:
        self.call_later(self.dialling.change, change, run)

    def _dial(self, name: str, change: Callable[[Rack, int], Rack], run: str = "") -> None:
        """Change the dial of this name, wherever it stands by then; nothing where it is gone."""
        self._rack(lambda rack: change(rack, rack.names().index(name)) if name in rack.names() else rack, run)

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
        self._rack(lambda rack: rack.turn(part / COARSE), _TURNING)

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

    def action_move_dial(self, by: int) -> None:
        self._rack(lambda rack: rack.move(rack.picked, rack.picked + by), "moving")

    def action_undo_dials(self) -> None:
        self.call_later(self.dialling.undo)

    def action_redo_dials(self) -> None:
        self.call_later(self.dialling.redo)

    def action_type_strength(self) -> None:
        panel = self.query_one(DialsPanel)
        panel.remove_class("-hidden")
        panel.type_strength()

    @on(DialRow.Typed)
    def _strength_typed(self, event: DialRow.Typed) -> None:
        try:
            strength = typed_strength(event.text)
        except DialError as error:
            self.notify(plain(str(error)), severity="error", markup=False)
            return
        event.row.close()
        self._dial(event.name, lambda rack, index: rack.set_strength(index, strength))

    def action_remove_dial(self) -> None:
        self._rack(lambda rack: rack.without(rack.picked))

    def pressed(self, event: events.MouseDown) -> None:
        """A dial is picked as soon as it is pressed, and not when its row hears of it: a key that comes right behind
        means this one.
        """
        try:
            row, _ = self.get_widget_at(event.x, event.y)
        except NoWidget:
            return
        if event.button == 1 and isinstance(row, DialRow):
            self._dial(row.dial.name, Rack.pick)

    @on(DialRow.Set)
    def _set(self, event: DialRow.Set) -> None:
        self._dial(event.name, lambda rack, index: rack.set_strength(index, event.strength), "dragging")

    @on(DialRow.Turned)
    def _wheeled(self, event: DialRow.Turned) -> None:
        steps = event.times * self.settings.fine_step / COARSE
        self._dial(event.name, lambda rack, index: rack.pick(index).turn(steps), _TURNING)

    @on(DialRow.Carried)
    def _carried(self, event: DialRow.Carried) -> None:
        self._dial(event.name, lambda rack, index: rack.move(index, event.to), "carrying")

    def action_add_dial(self) -> None:
        self.call_later(self._add_dial)

    async def _add_dial(self) -> None:
        from localsteer.tui.dialogs.add_dial import AddDial

        found = await self.dialling.choices()
        if found is not None:
            open_late(self, AddDial(*found, self.dialling.rack.names()), self._added)

    async def _added(self, chosen: str | tuple[str, str] | Mix | None) -> None:
        from localsteer.tui.dialogs.add_dial import Mix

        if isinstance(chosen, tuple):
            await self.dialling.add_words(*chosen)
        elif isinstance(chosen, Mix):
            await self.dialling.add_mix(chosen.expression, chosen.name)
        elif chosen is not None:
            await self.dialling.add(chosen)

    def action_toggle_needles(self) -> None:
        self.needles.toggle()

    def action_show_card(self) -> None:
        self.call_later(self.dialling.show_card)

    def action_show_place(self) -> None:
        self.call_later(self.dialling.show_place)

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
