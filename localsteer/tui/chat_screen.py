"""The one screen: lays it out, and hands what the person does to those who do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from localsteer.chat.store import ConversationStore
from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Command, DialSetting, Event, Load, ModelCard
from localsteer.errors import EngineError
from localsteer.library.sent_messages import read_sent
from localsteer.tui.again import Again
from localsteer.tui.asides import Asides
from localsteer.tui.beforehand import read_beforehand
from localsteer.tui.commands.comparing import CompareCommands
from localsteer.tui.commands.conversations import ConversationCommands
from localsteer.tui.commands.copying import CopyCommands
from localsteer.tui.commands.dials import DialCommands
from localsteer.tui.commands.explaining import ExplainCommands
from localsteer.tui.commands.models import ModelCommands
from localsteer.tui.commands.revisiting import RevisitCommands
from localsteer.tui.commands.sampling import SamplingCommands
from localsteer.tui.commands.scenes import SceneCommands
from localsteer.tui.commands.slash import SlashTyping
from localsteer.tui.commands.workshop import WorkshopCommands
from localsteer.tui.comparing import Comparing
from localsteer.tui.conversing import Conversing
from localsteer.tui.dialling import Dialling
from localsteer.tui.engine_link import EngineLink
from localsteer.tui.hearing import Hearing
from localsteer.tui.keymap import Keymap, chat_bindings
from localsteer.tui.naming import Naming
from localsteer.tui.needles import NeedleSwitch
from localsteer.tui.opening import Opening
from localsteer.tui.revisiting import Revisiting
from localsteer.tui.seeing import Seeing
from localsteer.tui.sent import SentHistory
from localsteer.tui.slashing import Slashing
from localsteer.tui.steady import SteadyScreen
from localsteer.tui.switching import Switching
from localsteer.tui.talk import Talk, empty_old
from localsteer.tui.widgets.completions import Completions
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dials_panel import DialsPanel
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.key_line import KeyLine
from localsteer.tui.widgets.too_small import TooSmall
from localsteer.tui.widgets.transcript import Transcript
from localsteer.tui.workshop.making import Workshop

_TICK_SECONDS = 0.1
_REMEMBER_SECONDS = 2.0
_TIDY_SECONDS = 20.0


class ChatScreen(
    SceneCommands,
    RevisitCommands,
    ConversationCommands,
    SlashTyping,
    SamplingCommands,
    ModelCommands,
    CompareCommands,
    DialCommands,
    WorkshopCommands,
    CopyCommands,
    ExplainCommands,
    SteadyScreen[None],
):
    """Transcript and input on the left, dials on the right; dials below the transcript where it is narrow.

    What the commands do stands in ``commands/``, a class for each group.
    """

    DEFAULT_CSS = """
    ChatScreen {
        layers: below above;
        background: $background;
        & * { link-color: $primary; link-style: none; link-background: transparent;
              link-color-hover: $background; link-background-hover: $primary; link-style-hover: none; }
        & > #room { layout: horizontal; width: 1fr; height: 1fr; }
        &.-wide DialsPanel { width: 40; }
        &.-stacked > #room { layout: vertical; }
        &.-stacked DialsPanel { width: 1fr; height: auto; max-height: 7; padding: 0; }
        &.-stacked DialsPanel > .panel--head { margin: 0; }
        &.-stacked DialsPanel > #rows { height: auto; max-height: 5; }
        &.-stacked DialRow { margin: 0; }
        &.-stacked.-short DialsPanel { max-height: 5; }
        &.-stacked.-short DialsPanel > #rows { max-height: 3; }
    }
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-stacked"), (72, "-beside"), (112, "-wide")]  # noqa: RUF012 (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = chat_bindings()
    AUTO_FOCUS = "Composer"

    def __init__(
        self, opening: Opening, keymap: Keymap, store: ConversationStore, problems: Sequence[str] = ()
    ) -> None:
        """``store`` is closed with the screen."""
        super().__init__()
        self.memory = opening.memory
        self.opening = opening
        self.settings = settings = opening.settings
        load = Load(0, str(opening.model_path), settings.n_ctx, settings.n_threads, settings.gpu_layers)
        self.link = EngineLink(opening.engine or EngineClient(opening.places.engine_log), load)
        self._problems = (*opening.problems, *problems)
        self.talk = Talk(store, settings.system_prompt)
        self.keymap = keymap

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        with Container(id="room"):
            yield Transcript(id="transcript")
            yield DialsPanel(self.keymap)
        completions = Completions()
        sent = read_sent(self.opening.places) if self.settings.remember_messages else ()
        yield Composer(SentHistory(sent), completions)
        yield completions
        yield KeyLine(self.keymap)
        yield TooSmall()

    def on_mount(self) -> None:
        transcript, panel = self.query_one(Transcript), self.query_one(DialsPanel)
        self.asides = Asides(self.link)
        self.conversing = Conversing(
            self.talk, self.link, transcript, self.settings.sampling, self, self.settings.signs
        )
        self.dialling = Dialling(
            self.link,
            panel,
            self.opening.places,
            self.memory,
            keymap=self.keymap,
            say=self.say,
            turned=self.conversing.dials_turned,
        )
        self.switching = Switching(self)
        self.slashing = Slashing(self)
        self.needles = NeedleSwitch(self.link, panel, self.dialling, self.asides, self.memory, say=self.say)
        self.seeing = Seeing(self)
        self.comparing = Comparing(self)
        self.revisiting = Revisiting(self)
        self.again = Again(self)
        self.naming = Naming(self.talk, self.asides)
        self.workshop = Workshop(
            self.link, self.dialling, self.opening.places, lambda: self.conversing.sampling, self.keymap
        )
        self.hearing = Hearing(self)
        # The first frame comes before the engine does.
        self.call_after_refresh(self._begin)
        self._listening = False
        self.set_interval(_TICK_SECONDS, self._listen)
        self.set_interval(_REMEMBER_SECONDS, self.memory.write)

    async def _begin(self) -> None:
        self.hearing.show_state()
        for problem in self._problems:
            await self.query_one(Transcript).add_note(problem, "warning")
        await self.note_system_prompt()
        try:
            self.link.load()
        except EngineError as error:
            await self.query_one(Transcript).add_note(str(error), "error")
        self.run_worker(read_beforehand, thread=True, exit_on_error=False)
        self.hearing.show_state()
        self.set_timer(_TIDY_SECONDS, self._tidy)

    def _tidy(self) -> None:
        """What was deleted long ago is emptied for good, some time after the start, beside the app."""
        path = self.talk.store.path
        if path == self.opening.places.conversations:
            self.run_worker(partial(empty_old, path), thread=True, exit_on_error=False)

    def _listen(self) -> None:
        # A timer's callback runs beside the screen's messages; what is heard must come between them, one by one.
        if self.app.is_running and not self._listening:
            self._listening = True
            self.call_later(self._heard)

    async def _heard(self) -> None:
        try:
            # While the app is taken down there is nothing left to show it on.
            if self.app.is_running and self.usable:
                await self.hearing.tick()
        finally:
            self._listening = False

    def on_unmount(self) -> None:
        self.keep()
        self.link.close()
        self.talk.store.close()

    def keep(self) -> None:
        """Save what is not saved yet."""
        self.memory.write()
        self.conversing.close()
        self.comparing.close()

    def on_resize(self) -> None:
        self.query_one(TooSmall).check(self.app.size)

    # ------------------------------------------------------------ what Conversing needs

    def dials_in_force(self) -> tuple[DialSetting, ...]:
        """What the engine is to steer with."""
        return self.dialling.settings

    def dials_watched(self) -> tuple[DialSetting, ...]:
        """What a reply is to be watched along."""
        return self.needles.watched

    def when_idle(self, command: Callable[[int, ModelCard], Command], take: Callable[[Event], None]) -> None:
        """Have the engine do this while nobody waits for it."""
        self.asides.ask(command, take)

    # ------------------------------------------------------------ app

    def action_keys_help(self) -> None:
        from localsteer.tui.dialogs.key_help import KeyHelp

        self.app.push_screen(KeyHelp(self.keymap))

    def action_toggle_theme(self) -> None:
        self.app.call_later(self.app.run_action, "toggle_theme")

    def action_next_theme(self) -> None:
        self.app.call_later(self.app.run_action, "next_theme")
