"""All keys on one page."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from localsteer.tui.dialogs.window import Window
from localsteer.tui.keymap import Keymap
from localsteer.tui.keys import GROUPS
from localsteer.tui.theme import rich_colour


class KeyHelp(Window[None]):
    """Closes on Esc, F1 or a click beside it."""

    DEFAULT_CSS = """
    KeyHelp {
        & > VerticalScroll { width: 100; max-width: 96%; max-height: 94%; scrollbar-size-vertical: 1; }
        & Static { height: auto; margin: 0 0 1 0; }
    }
    """

    HEADING: ClassVar = "Keys"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter", "dismiss(None)", "Close", show=False)]

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        page = VerticalScroll()
        page.border_title = self.HEADING
        page.border_subtitle = "Esc close"
        with page:
            yield Static(id="keys")

    def on_mount(self) -> None:
        colours = {name: rich_colour(self.app.theme_variables[name]) for name in ("primary", "foreground", "quiet")}
        self.query_one("#keys", Static).update(self.table(colours))
        self.query_one(VerticalScroll).focus()

    def table(self, colours: dict[str, str]) -> Table:
        """What stands on the page; ``colours`` are the theme's, for Rich."""
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(no_wrap=True, style=colours["primary"])
        table.add_column(no_wrap=True)
        table.add_column(ratio=1)
        for index, group in enumerate(GROUPS):
            beside = "in dials" if group == "Dials" else ""
            if index:
                table.add_row()
            table.add_row(Text(group, "bold " + colours["foreground"]), Text(beside, colours["quiet"]))
            for keys, panel_keys, words in self._keymap.help_rows(group):
                table.add_row(keys, Text(panel_keys, colours["primary"]), words)
        return table
