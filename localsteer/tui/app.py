"""The chat app: themes, keys, palette, clipboard, and its one screen. :func:`run` is what the command line calls."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.widget import Widget

from localsteer.engine.client import EngineClient
from localsteer.library.places import find_places
from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.keymap import app_bindings, keymap_of
from localsteer.tui.keys import COMMANDS
from localsteer.tui.leaving import leaving_well
from localsteer.tui.mends import Harmless, Remark, claim_lists, claim_words
from localsteer.tui.opening import Opening, open_with
from localsteer.tui.palette import DialsByName, ModelsByName, ScenesByName
from localsteer.tui.palette_window import Palette
from localsteer.tui.pasting import claim_pastes
from localsteer.tui.remembering import claim_colours, claim_rectangles, claim_styles
from localsteer.tui.steady import SteadyScreen, work_beside
from localsteer.tui.talk import open_store
from localsteer.tui.terminal import check_terminal, claim_alt_keys
from localsteer.tui.theme import (
    DARK,
    OWN_CODE,
    THEMES,
    WORDS,
    next_kind,
    other_light,
    own_variables,
    rich_theme,
    theme_named,
)
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.messages import ReplyView
from localsteer.tui.widgets.past_page import PastPage

_COLLECT_AFTER = (5_000, 5, 4)
"""Objects made, and collections of younger ones, after which the garbage collector looks.

Old ones too, every thirty turns or so: messages that scroll out of the screen have become old by then, and with their
painted lines they are two hundred objects each. Where they wait longer, memory grows by a third, and looking through
them at last holds the keys up for half a second.
"""

_NEWS_AT_ONCE = 4
_OF_THE_TERMINAL = (events.InputEvent, events.Paste, events.AppFocus, events.AppBlur)


def collect_what_is_new() -> None:
    """What was imported stays: looking through it would hold a key up for a twentieth of a second now and then."""
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class LocalsteerApp(App[None], inherit_bindings=False):
    """Paints at once; the model is loaded by a process of its own."""

    TITLE = "localsteer"
    CSS = """
    /* What does not fit is covered, and nothing scrolls as a whole. */
    Screen { overflow: hidden; }
    ToastRack { margin: 0 0 4 0; }
    Toast { background: $panel; border-left: outer $primary; padding: 0 1; width: 44; }
    Toast.-error { border-left: outer $error; }
    /* Among sixteen colours the panel has none of its own to lay behind the line that is meant. */
    OptionList:ansi > .option-list--option-highlighted { background: $dial-track; }
    """
    COMMANDS = App.COMMANDS | {ModelsByName, DialsByName, ScenesByName}
    BINDINGS: ClassVar[list[BindingType]] = [
        *app_bindings(),
        # Where nobody else takes it: a word about the way out. It never ends the app.
        Binding("ctrl+c", "help_quit", show=False),
    ]

    def __init__(self, opening: Opening) -> None:
        claim_styles()
        super().__init__()
        claim_alt_keys()
        claim_pastes()
        claim_lists()
        claim_words()
        claim_colours()
        claim_rectangles()
        self._opening = opening
        self._rich_theme_pushed = False
        self._harmless = Harmless()
        for theme in THEMES:
            self.register_theme(theme)
        # What was set by hand goes before what was last chosen here.
        wanted = opening.settings.theme or opening.memory.theme or DARK
        self.theme, problem = theme_named(wanted, [theme.name for theme in THEMES] + list(self.available_themes))
        self._keys = keymap_of(opening.settings.keys)
        self.set_keymap(self._keys.for_textual)
        self._store, store_problem = open_store(opening.places.conversations)
        problems = (problem, *self._keys.problems, store_problem)
        self._problems = tuple(filter(None, problems))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return own_variables(self.current_theme.dark)

    def get_default_screen(self) -> Screen[None]:
        return ChatScreen(self._opening, self._keys, self._store, self._problems)

    def on_mount(self) -> None:
        self._push_rich_theme()
        self.theme_changed_signal.subscribe(self, lambda _: self._repaint())

    async def on_event(self, event: events.Event) -> None:
        """See Textual's. What the terminal says when the last screen has gone finds none."""
        if isinstance(event, _OF_THE_TERMINAL) and not self.screen_stack:
            return
        if isinstance(event, events.Key) and event.key.startswith("alt+"):
            # A command key that means nothing here must not leave its letter in a text.
            event.character = None
        if isinstance(event, events.Key | events.Paste) and isinstance(self.screen, SteadyScreen):
            self.screen.find_focus()
        if isinstance(event, events.MouseDown) and not event.is_forwarded and isinstance(self.screen, ChatScreen):
            self.screen.pressed(event)
        await super().on_event(event)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """See Textual's."""
        return [*super().get_line_filters(), self._harmless]

    def on_key(self, event: events.Key) -> None:
        """A key that was under way when the app ended finds no screen any more."""
        if self._exit:
            event.prevent_default()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """See Textual's."""
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.post_message(Notify(Remark(message, title, severity, seconds, markup)))

    def on_notify(self, event: Notify) -> None:
        """One that is said again takes its own place, and of mere information only the last few stay: together they
        would cover the conversation.
        """
        said = event.notification
        again = [one for one in self._notifications if (one.message, one.title) == (said.message, said.title)]
        news = [one for one in self._notifications if one not in again and one.severity == "information"]
        many = news[: 1 - _NEWS_AT_ONCE] if said.severity == "information" else []
        for one in (*again, *many):
            self._unnotify(one, refresh=False)

    def on_app_focus(self) -> None:
        """In a browser the first frame comes before the page has the focus, and nothing has it then."""
        if isinstance(self.screen, ChatScreen) and self.screen.focused is None:
            self.screen.query_one(Composer).focus()

    def capture_mouse(self, widget: Widget | None) -> None:
        """See Textual's. A part that a window covers by now gets no mouse: nothing would ever take it away again."""
        if widget is None or (widget.is_attached and widget.screen is self.screen):
            super().capture_mouse(widget)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        if isinstance(screen, ChatScreen):
            for command in COMMANDS:
                if command.in_palette:
                    action = command.action
                    yield SystemCommand(
                        command.title, command.help, lambda action=action: self.call_later(screen.run_action, action)
                    )
        for name, words in WORDS.items():
            yield SystemCommand(f"Theme: {words}", "Change the colours", partial(self.take_theme, name))
        if self._driver is not None and self._driver.can_suspend and hasattr(signal, "SIGTSTP"):
            yield SystemCommand(
                "To the shell", "Suspend localsteer; `fg` there brings it back", self.action_suspend_process
            )
        yield SystemCommand("Quit", "Leave localsteer; everything is saved", self.action_quit)

    def action_command_palette(self) -> None:
        """All commands."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_toggle_theme(self) -> None:
        """Light or dark."""
        self.take_theme(other_light(self.theme, self.current_theme.dark))

    def action_next_theme(self) -> None:
        """Ordinary, high contrast, 16 colours."""
        self.take_theme(next_kind(self.theme))

    def take_theme(self, name: str) -> None:
        """Change the colours, and begin with them next time unless the settings say otherwise."""
        self.theme = name
        self._opening.memory.keep_theme(name)

    def keep(self) -> None:
        """Save what is not saved yet."""
        for screen in self.screen_stack:
            if isinstance(screen, ChatScreen):
                screen.keep()

    def action_help_quit(self) -> None:
        """Ctrl+C with nothing to copy."""
        quits = self._keys.first("quit")
        self.notify(f"{f'{quits} quits; ' if quits else ''}Ctrl+C copies what is selected.", markup=False)

    def copy_to_clipboard(self, text: str) -> None:
        """What Textual's own widgets copy goes the same way as ours."""
        from localsteer.tui.clipboard import put

        self._clipboard = text

        async def copy() -> None:
            await put(self, text)

        work_beside(self, copy)

    def send_to_terminal_clipboard(self, text: str) -> None:
        """OSC 52: the terminal is asked to take ``text``; whether it did nobody can tell."""
        super().copy_to_clipboard(text)

    def _push_rich_theme(self) -> None:
        if self._rich_theme_pushed:
            self.console.pop_theme()
        self._rich_theme_pushed = True
        self.console.push_theme(rich_theme(self.theme_variables, own_code=self.theme in OWN_CODE))

    def _repaint(self) -> None:
        self._push_rich_theme()
        for view in self.query("ReplyView, PastPage"):
            if isinstance(view, ReplyView | PastPage):
                view.repaint_for_theme()


def run(model: str | None = None, given: Sequence[str] = (), engine: EngineClient | None = None) -> int:
    """Open the app on ``model`` (a path, a name, ``practice``), else on the last one used, else on the practice model.

    ``given``: settings for this time, ``KEY=VALUE`` each; ``engine``: one that was started beforehand. Returns when the
    app has ended: 0 where the person quit, 128 and the signal where that ended it, 1 for a defect of ours. Raises
    TerminalError where there is no usable terminal, ModelError for an unknown model, SettingsError for what cannot be
    given, StorageError where there is no place for conversations at all.
    """
    check_terminal()
    app = LocalsteerApp(open_with(model, find_places(), given, engine))
    collect_what_is_new()
    # In a browser Textual's own driver takes the signals.
    with nullcontext() if os.environ.get("TEXTUAL_DRIVER") else leaving_well(app):
        app.run()
    return app.return_code or 0
