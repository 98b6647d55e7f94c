"""Commands on the conversation: send, stop, again, anew, the system prompt."""

from __future__ import annotations

from functools import partial

from textual import on

from localsteer.errors import StorageError
from localsteer.library.sent_messages import remember_sent
from localsteer.library.settings import Settings
from localsteer.tui.again import Again
from localsteer.tui.commands.in_turn import InTurn
from localsteer.tui.comparing import Comparing
from localsteer.tui.conversing import Conversing
from localsteer.tui.dialling import Dialling
from localsteer.tui.engine_link import EngineLink, Job
from localsteer.tui.keymap import Keymap
from localsteer.tui.opening import Opening
from localsteer.tui.plain import plain
from localsteer.tui.revisiting import Revisiting
from localsteer.tui.seeing import Seeing
from localsteer.tui.slash import as_message, is_slash
from localsteer.tui.slashing import Slashing
from localsteer.tui.talk import Talk
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.transcript import Transcript
from localsteer.tui.workshop.making import Workshop


class TalkCommands(InTurn):
    """A part of the chat screen, which makes what is named here."""

    opening: Opening
    settings: Settings
    keymap: Keymap
    talk: Talk
    link: EngineLink
    conversing: Conversing
    dialling: Dialling
    seeing: Seeing
    slashing: Slashing
    revisiting: Revisiting
    again: Again
    comparing: Comparing
    workshop: Workshop

    def give_back(self, text: str) -> None:
        """A message that was not sent goes back into the input, before what was written there meanwhile."""
        composer = self.query_one(Composer)
        if composer.text != text:
            composer.put(f"{text}\n{composer.text}" if composer.text else text)

    def say(self, text: str, wrong: bool = False) -> None:
        """A short remark that goes away by itself."""
        self.notify(plain(text), severity="error" if wrong else "information", timeout=10 if wrong else 6, markup=False)

    def say_writing(self) -> None:
        """That something else has to wait for the reply, and what ends that."""
        self.say(f"A reply is being written. {self.keymap.hint('stop', 'stops it')}".rstrip())

    @on(Composer.Sent)
    async def _sent(self, event: Composer.Sent) -> None:
        editing = self.revisiting.editing is not None
        if is_slash(event.text) and not editing:
            await self.all_at_once(partial(self.slashing.run, event.text))
        elif self.conversing.writing or self.again.running:
            self.give_back(event.text)
            self.say_writing()
        elif editing:
            await self.revisiting.send_edit(as_message(event.text))
        else:
            text = as_message(event.text)
            if self.settings.remember_messages:
                remember_sent(self.opening.places, text)
            await self.revisiting.to_the_end()
            self.query_one(Transcript).pick(None)
            await self.conversing.send(text)

    def action_send(self) -> None:
        self.query_one(Composer).send()

    def action_new_line(self) -> None:
        self.query_one(Composer).insert("\n")

    def action_stop(self) -> None:
        self.call_later(self._stop)

    async def _stop(self) -> None:
        self.app.clear_notifications()
        if self.link.deaf:
            self.link.give_up()
            return
        if self.link.running is None and not self.link.waiting and self.revisiting.let_go():
            return
        await self.forget(self.link.stop())

    async def forget(self, jobs: list[Job]) -> None:
        """They were stopped or given up before their turn came: whoever waits for one waits no longer."""
        await self.conversing.forget(jobs)
        await self.again.forget(jobs)
        self.dialling.forget(jobs)
        self.comparing.forget(jobs)
        self.seeing.forget(jobs)
        self.workshop.forget(jobs)

    def action_again(self) -> None:
        self.in_turn(self.revisiting.write_again)

    def action_again_afresh(self) -> None:
        self.in_turn(self.revisiting.write_again, afresh=True)

    def action_new_chat(self) -> None:
        self.in_turn(self._new_chat)

    async def _new_chat(self) -> None:
        self.revisiting.leave_edit()
        await self.again.turn_away()
        await self.conversing.begin_anew()
        await self.note_system_prompt()
        self.query_one(Composer).focus()

    def action_system_prompt(self) -> None:
        from localsteer.tui.dialogs.system_prompt import SystemPrompt

        def answered(text: str | None) -> None:
            if text is not None:
                self.call_later(self.set_system_prompt, text)

        self.app.push_screen(SystemPrompt(self.talk.system_prompt), answered)

    async def set_system_prompt(self, text: str) -> None:
        """For the replies from now on; the transcript says so."""
        try:
            self.talk.set_system_prompt(text)
        except StorageError as error:
            self.say(str(error), True)
        if text:
            await self.note_system_prompt()
        else:
            await self.query_one(Transcript).add_note("From here on there is no system prompt.")

    async def note_system_prompt(self, *, at: int | None = None) -> None:
        """In the transcript, where there is one; ``at``: before the message at this place."""
        if self.talk.system_prompt:
            await self.query_one(Transcript).add_note(f"System prompt: {self.talk.system_prompt}", at=at)

    def action_see_tokens(self) -> None:
        self.in_turn(self.seeing.open)

    def action_scroll_back(self) -> None:
        self.query_one(Transcript).page(-1)

    def action_scroll_on(self) -> None:
        self.query_one(Transcript).page(1)
