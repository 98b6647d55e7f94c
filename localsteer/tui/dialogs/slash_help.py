"""Everything that can be typed after a slash, on one page."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text

from localsteer.tui.dialogs.key_help import KeyHelp
from localsteer.tui.slash import SLASH_COMMANDS


class SlashHelp(KeyHelp):
    """Looks and closes like the page of keys."""

    HEADING: ClassVar = "After a slash"

    def table(self, colours: dict[str, str]) -> Table:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(no_wrap=True, style=colours["primary"])
        table.add_column(ratio=1)
        for command in SLASH_COMMANDS:
            table.add_row(Text(command.shown), command.help)
        table.add_row()
        table.add_row("//text", Text("Sends a message that begins with a slash", colours["foreground"]))
        return table
