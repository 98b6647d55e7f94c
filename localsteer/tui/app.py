"""The chat app: themes, palette, and its one screen. :func:`run` is what the command line calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.screen import Screen

from localsteer.library.places import find_places
from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.keys import COMMANDS
from localsteer.tui.opening import Opening, open_with
from localsteer.tui.terminal import check_terminal, claim_alt_digits
from localsteer.tui.theme import DARK, LIGHT, THEMES, own_variables, rich_theme
from localsteer.tui.widgets.messages import ReplyView
from localsteer.tui.widgets.past_page import PastPage


class LocalsteerApp(App[None]):
    """Paints at once; the model is loaded by a process of its own."""

    TITLE = "localsteer"
    CSS = """
    ToastRack { margin: 0 0 4 0; }
    Toast { background: $panel; border-left: outer $primary; padding: 0 1; width: 44; }
    Toast.-error { border-left: outer $error; }
    """
    COMMAND_PALETTE_BINDING: ClassVar[str] = "ctrl+p"

    def __init__(self, opening: Opening) -> None:
        super().__init__()
        claim_alt_digits()
        self._opening = opening
        for theme in THEMES:
            self.register_theme(theme)
        wanted = opening.memory.theme or opening.settings.theme
        self.theme = wanted if wanted in self.available_themes else DARK

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme.dark)

    def get_default_screen(self) -> Screen[None]:
        return ChatScreen(self._opening)

    def on_mount(self) -> None:
        self._push_rich_theme()
        self.theme_changed_signal.subscribe(self, lambda _: self._repaint())

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        if isinstance(screen, ChatScreen):
            for command in COMMANDS:
                if command.in_palette:
                    action = command.action
                    yield SystemCommand(
                        command.title, command.help, lambda action=action: self.call_later(screen.run_action, action)
                    )
        yield SystemCommand("Quit", "Leave localsteer; everything is saved", self.action_quit)

    def action_toggle_theme(self) -> None:
        """Light or dark."""
        self.theme = LIGHT if self.current_theme.dark else DARK
        self._opening.memory.keep_theme(self.theme)

    def _push_rich_theme(self) -> None:
        self.console.push_theme(rich_theme(self.theme_variables))

    def _repaint(self) -> None:
        self._push_rich_theme()
        for view in self.query("ReplyView, PastPage"):
            if isinstance(view, ReplyView | PastPage):
                view.repaint_for_theme()


def run(model: str | None = None) -> None:
    """Open the app on ``model`` (a path, a name, ``practice``), else on the last one used, else on the practice model.

    Returns when the person quits. Raises TerminalError where there is no usable terminal, ModelError for an unknown
    model.
    """
    check_terminal()
    LocalsteerApp(open_with(model, find_places())).run()
