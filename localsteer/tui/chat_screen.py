"""The one screen: lays it out, and hands what the person does to those who do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen

from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Command, DialSetting, Event, Load, ModelCard, Sampling
from localsteer.errors import EngineError, StorageError
from localsteer.tui.asides import Asides
from localsteer.tui.conversing import Conversing
from localsteer.tui.dialling import Dialling
from localsteer.tui.dialogs.add_dial import AddDial
from localsteer.tui.dialogs.key_help import KeyHelp
from localsteer.tui.dialogs.system_prompt import SystemPrompt
from localsteer.tui.engine_link import EngineLink
from localsteer.tui.hearing import Hearing
from localsteer.tui.keys import chat_bindings
from localsteer.tui.needles import NeedleSwitch
from localsteer.tui.opening import Opening
from localsteer.tui.plain import plain
from localsteer.tui.rack import Rack
from localsteer.tui.seeing import Seeing
from localsteer.tui.talk import Talk, open_store
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.dials_panel import DialsPanel
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.key_line import KeyLine
from localsteer.tui.widgets.too_small import TooSmall
from localsteer.tui.widgets.transcript import Transcript

_TICK_SECONDS = 0.1
_REMEMBER_SECONDS = 2.0


class ChatScreen(Screen[None]):
    """Transcript and input on the left, dials on the right; dials below the transcript where it is narrow."""

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

    def __init__(self, opening: Opening) -> None:
        super().__init__()
        self.memory = opening.memory
        self._opening = opening
        settings = opening.settings
        load = Load(0, str(opening.model_path), settings.n_ctx, settings.n_threads, settings.gpu_layers)
        self.link = EngineLink(EngineClient(opening.places.engine_log), load)
        store, store_problem = open_store(opening.places.conversations)
        self._problems = (*opening.problems, *([store_problem] if store_problem else []))
        self.talk = Talk(store)
        self._sampling = Sampling(temperature=settings.temperature)

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        with Container(id="room"):
            yield Transcript(id="transcript")
            yield DialsPanel()
        yield Composer()
        yield KeyLine()
        yield TooSmall()

    def on_mount(self) -> None:
        transcript, panel = self.query_one(Transcript), self.query_one(DialsPanel)
        self.asides = Asides(self.link)
        self.conversing = Conversing(self.talk, self.link, transcript, self._sampling, self)
        self.dialling = Dialling(
            self.link, panel, self._opening.places, self.memory, say=self.say, turned=self.conversing.dials_turned
        )
        self.needles = NeedleSwitch(self.link, panel, self.dialling, self.asides, self.memory, say=self.say)
        self.seeing = Seeing(self)
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
        try:
            self.link.load()
        except EngineError as error:
            await self.query_one(Transcript).add_note(str(error), "error")
        self.hearing.show_state()

    def _listen(self) -> None:
        # A timer's callback runs beside the screen's messages; what is heard must come between them, one by one.
        if not self._listening:
            self._listening = True
            self.call_later(self._heard)

    async def _heard(self) -> None:
        try:
            await self.hearing.tick()
        finally:
            self._listening = False

    def on_unmount(self) -> None:
        self.memory.write()
        self.conversing.close()
        self.link.close()
        self.talk.store.close()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(TooSmall).check(event.size.width, event.size.height)

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

    def show_speed(self, tokens_per_second: float) -> None:
        """Into the header."""
        self.query_one(HeaderLine).speed = tokens_per_second

    def show_context(self, used: int, size: int) -> None:
        """Into the header."""
        header = self.query_one(HeaderLine)
        header.context_used, header.context_size = used, size

    def give_back(self, text: str) -> None:
        """A message that was not sent goes back into the input, before what was written there meanwhile."""
        composer = self.query_one(Composer)
        composer.text = f"{text}\n{composer.text}" if composer.text else text
        composer.move_cursor(composer.document.end)

    def say(self, text: str, wrong: bool = False) -> None:
        """A short remark that goes away by itself."""
        self.notify(plain(text), severity="error" if wrong else "information", timeout=10 if wrong else 6, markup=False)

    # ------------------------------------------------------------ talking

    @on(Composer.Sent)
    async def _sent(self, event: Composer.Sent) -> None:
        if self.conversing.writing:
            self.give_back(event.text)
            self.say("A reply is being written; Esc stops it.")
        else:
            await self.conversing.send(event.text)

    def action_send(self) -> None:
        self.query_one(Composer).send()

    def action_new_line(self) -> None:
        self.query_one(Composer).insert("\n")

    def action_stop(self) -> None:
        self.call_later(self._stop)

    async def _stop(self) -> None:
        forgotten = self.link.stop()
        await self.conversing.forget(forgotten)
        self.dialling.forget(forgotten)

    def action_again(self) -> None:
        self.call_later(self.conversing.again)

    def action_again_afresh(self) -> None:
        self.call_later(self.conversing.again, afresh=True)

    def action_new_chat(self) -> None:
        self.call_later(self._new_chat)

    async def _new_chat(self) -> None:
        await self.conversing.begin_anew()
        await self._note_system_prompt()
        self.query_one(Composer).focus()

    def action_system_prompt(self) -> None:
        def answered(text: str | None) -> None:
            self.call_later(self._set_system_prompt, text)

        self.app.push_screen(SystemPrompt(self.talk.system_prompt), answered)

    async def _set_system_prompt(self, text: str | None) -> None:
        if text is None:
            return
        try:
            self.talk.set_system_prompt(text)
        except StorageError as error:
            self.say(str(error), True)
        if text:
            await self._note_system_prompt()
        else:
            await self.query_one(Transcript).add_note("From here on there is no system prompt.")

    async def _note_system_prompt(self) -> None:
        if self.talk.system_prompt:
            await self.query_one(Transcript).add_note(f"System prompt: {self.talk.system_prompt}")

    def action_see_tokens(self) -> None:
        self.call_later(self.seeing.open)

    def action_scroll_back(self) -> None:
        self.query_one(Transcript).page(-1)

    def action_scroll_on(self) -> None:
        self.query_one(Transcript).page(1)

    # ------------------------------------------------------------ dials

    def _rack(self, change: Callable[[Rack], Rack]) -> None:
        self.call_later(self.dialling.change, change)

    def action_pick(self, index: int) -> None:
        self._rack(lambda rack: rack.pick(index))

    def action_pick_next(self, by: int) -> None:
        self._rack(lambda rack: rack.pick_next(by))

    def action_turn(self, steps: float) -> None:
        self._rack(lambda rack: rack.turn(steps))

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
        self._rack(lambda rack: rack.pick(event.index).turn(event.steps))

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

    # ------------------------------------------------------------ app

    def action_keys_help(self) -> None:
        self.app.push_screen(KeyHelp())

    def action_toggle_theme(self) -> None:
        self.app.call_later(self.app.run_action, "toggle_theme")
