"""The window of the command palette: Textual's own, held together where it would fall apart under quick fingers.

Textual (8.2) goes on with it after it was closed: what was typed before the closing Enter is still searched for, and
what is found is shown in a list that is gone, which ends the app. Where the overridden methods are called otherwise one
day, ``tests/tui/test_steady.py`` says so.
"""

from __future__ import annotations

from contextlib import suppress

from textual import on, work
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.events import Click
from textual.widgets import Input

from localsteer.tui.steady import SteadyScreen


class Palette(CommandPalette, SteadyScreen[None]):
    """The list of all commands."""

    def on_click(self, event: Click) -> None:
        # The terminal may have become smaller since.
        if not self.size.region.contains(int(event.screen_x), int(event.screen_y)):
            event.prevent_default()

    @on(Input.Changed)
    def _typed_too_late(self, event: Input.Changed) -> None:
        if not self.there:
            event.prevent_default()

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        # What begins when the window has been emptied already has nothing to look for.
        with suppress(NoMatches):
            await CommandPalette._gather_commands.__wrapped__(self, search_value)  # type: ignore[attr-defined]

    def _watch__list_visible(self) -> None:
        if self.there:
            super()._watch__list_visible()

    async def _watch__show_busy(self) -> None:
        if self.there:
            await super()._watch__show_busy()
