"""A window with a list to choose from, filtered by what is typed above it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from localsteer.tui.dialogs.window import Window
from localsteer.tui.steady import Result


class Choosing(Window[Result]):
    """Enter and a click choose; the highlight moves while the typing goes on."""

    DEFAULT_CSS = """
    Choosing {
        & Input, & Input:focus { border: none; height: 1; padding: 0 1; margin: 0 0 1 0; background: $panel; }
        & OptionList { height: auto; border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1; }
        & OptionList > .option-list--option { padding: 0 1; }
        & OptionList > .option-list--option-highlighted { background: $panel; color: $foreground; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(4)", show=False),
        Binding("pageup", "move(-4)", show=False),
    ]

    def choose(self, option: Option) -> None:
        """The person has decided for this one."""
        raise NotImplementedError

    def can_be(self) -> list[int]:
        """The places in the list that can be chosen."""
        return [place for place, option in enumerate(self.query_one(OptionList).options) if not option.disabled]

    @on(Input.Submitted)
    def _enter(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self.choose(options.get_option_at_index(options.highlighted))

    @on(OptionList.OptionSelected)
    def _click(self, event: OptionList.OptionSelected) -> None:
        self.choose(event.option)

    def action_move(self, by: int) -> None:
        """The highlight up or down, past what cannot be chosen."""
        options, can_be = self.query_one(OptionList), self.can_be()
        if can_be:
            present = can_be.index(options.highlighted) if options.highlighted in can_be else 0
            options.highlighted = can_be[max(0, min(len(can_be) - 1, present + by))]
