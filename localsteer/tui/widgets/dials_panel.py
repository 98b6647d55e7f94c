"""The panel of dials: a row for each, what is being made, and the way to add one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from localsteer.tui.keymap import Keymap, panel_bindings
from localsteer.tui.rack import Rack
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.making import MakingView


class DialsPanel(Vertical):
    """Shows a :class:`Rack`. With the focus, plain keys turn its dials."""

    DEFAULT_CSS = """
    DialsPanel {
        width: 30;
        height: 1fr;
        background: $surface;
        padding: 1 0 0 0;
        & > .panel--head { height: 1; padding: 0 2; margin: 0 0 1 0; color: $quiet; }
        &:focus > .panel--head { color: $primary; text-style: bold; }
        & > .panel--hint { height: auto; padding: 0 2; color: $quiet; }
        & > #rows { height: 1fr; scrollbar-size-vertical: 1; scrollbar-background: $surface; }
    }
    DialsPanel.-hidden { display: none; }
    """

    can_focus = True

    BINDINGS: ClassVar[list[BindingType]] = [
        *panel_bindings(),
        Binding("escape,enter", "screen.focus_dials", "Back", show=False),
    ]

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="dials")
        self._keymap = keymap
        self._rows: list[DialRow] = []
        self._steerable = True
        self._needles = Content("")
        self._readings: Mapping[str, float] = {}
        self._newest = Rack()

    def compose(self) -> ComposeResult:
        yield Static(self._head(), classes="panel--head")
        yield Static(Content(""), classes="panel--hint")
        yield VerticalScroll(id="rows", can_focus=False)
        yield MakingView()

    def on_mount(self) -> None:
        self.show_hint()

    def _head(self) -> Content:
        add = Content.from_markup("Dials  [$primary @click=screen.add_dial]+ add[/]")
        return Content("  ").join([add, self._needles]) if self._needles else add

    def show_needles(self, on: bool, cost: float | None) -> None:
        """Whether the needles are on, and the part of the speed they take; None where that was never measured."""
        words = "needles" if cost is None or not on else f"needles −{cost:.0%} tok/s"
        colour = "$primary" if on else "$faint"
        self._needles = Content.from_markup(f"[{colour} @click=screen.toggle_needles]{words}[/]")
        self.query_one(".panel--head", Static).update(self._head())

    def point(self, readings: Mapping[str, float]) -> None:
        """Where the needles point: a dial's name to how far the text leans; a dial that is not in it has none."""
        self._readings = readings
        for row in self._rows:
            row.point(readings.get(row.dial.name))

    async def show(self, rack: Rack) -> None:
        """Show these dials; rows are reused, so that turning costs no layout."""
        rows, self._newest = self.query_one("#rows", VerticalScroll), rack
        while len(self._rows) > len(rack.dials):
            await self._rows.pop().remove()
            if self._newest is not rack:
                return  # Others are to be shown since, and are by now.
        fresh = [DialRow(dial, index) for index, dial in enumerate(rack.dials) if index >= len(self._rows)]
        if fresh:
            self._rows += fresh
            await rows.mount_all(fresh)
            if self._newest is not rack:
                return
        for index, (row, dial) in enumerate(zip(self._rows, rack.dials, strict=True)):
            row.show(
                dial,
                index,
                picked=index == rack.picked,
                solo=rack.solo == dial.name,
                silenced=rack.silenced(dial),
            )
        self.point(self._readings)
        if self._rows:
            rows.scroll_to_widget(self._rows[rack.picked], animate=False)
        self.show_hint()

    def type_strength(self) -> None:
        """Let a number be typed for the picked dial."""
        for row in self._rows:
            if row.picked:
                row.open()

    def show_hint(self, steerable: bool | None = None) -> None:
        """What to do where there are no dials, or why there cannot be any."""
        if steerable is not None:
            self._steerable = steerable
        hint = self.query_one(".panel--hint", Static)
        if not self._steerable:
            hint.update(Content("This model can chat but cannot be steered: its architecture ignores control vectors."))
        else:
            key = self._keymap.first("add_dial")
            by_key = "[$primary @click=screen.add_dial]$key[/] or a" if key else "A"
            hint.update(
                Content.from_markup(
                    f"No dials yet.\n\n{by_key} click on [$primary]+ add[/] chooses one from the recipes.", key=key
                )
            )
        hint.display = not self._steerable or not self._rows

    def on_click(self, event: events.Click) -> None:
        self.focus()
