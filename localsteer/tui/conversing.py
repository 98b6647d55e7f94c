"""Talking: from what the person sends, through the engine, to the transcript and the record."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from localsteer.chat.conversation import StoredMessage
from localsteer.chat.running import RunningReply
from localsteer.engine.protocol import (
    Command,
    DialSetting,
    Died,
    Event,
    Failed,
    Finished,
    Generate,
    ModelCard,
    PromptProgress,
    RateReply,
    ReplyRated,
    Sampling,
    Started,
    TokenText,
)
from localsteer.errors import EngineError, StorageError
from localsteer.tui.engine_link import EngineLink, EngineState, Job
from localsteer.tui.foot import foot_words, perplexity_words
from localsteer.tui.on_its_way import OnItsWay
from localsteer.tui.pace import pace_of
from localsteer.tui.signs import signs_of, turned_glyph
from localsteer.tui.strengths import courses
from localsteer.tui.talk import Talk
from localsteer.tui.widgets.messages import ReplyView
from localsteer.tui.widgets.transcript import Transcript


class Surroundings(Protocol):
    """What talking needs of the screen around it."""

    def dials_in_force(self) -> tuple[DialSetting, ...]: ...

    def dials_watched(self) -> tuple[DialSetting, ...]: ...

    def when_idle(self, command: Callable[[int, ModelCard], Command], take: Callable[[Event], None]) -> None: ...

    def show_speed(self, tokens_per_second: float) -> None: ...

    def show_context(self, used: int, size: int) -> None: ...

    def give_back(self, text: str) -> None: ...

    async def show_record(self) -> None: ...

    def say(self, text: str, wrong: bool = False) -> None: ...


class Conversing:
    """One conversation on the screen. Its coroutines are to be awaited one after the other."""

    def __init__(
        self,
        talk: Talk,
        link: EngineLink,
        transcript: Transcript,
        sampling: Sampling,
        screen: Surroundings,
        signs: bool = True,
    ) -> None:
        """``signs``: whether they show in the text where dials were turned."""
        self._talk = talk
        self._link = link
        self._transcript = transcript
        self.sampling = sampling
        """In force from the next reply on."""
        self._screen = screen
        self._signs = signs
        self._replies: list[OnItsWay] = []
        self._save_failed = False
        self._nameless: list[tuple[ReplyView, RunningReply]] = []

    @property
    def writing(self) -> bool:
        """Whether a reply is on its way to the screen."""
        return any(reply.view is not None for reply in self._replies)

    async def send(self, text: str) -> None:
        """The person's message, and the model's reply to it."""
        from localsteer.tui.stored import asked_words

        try:
            said = self._talk.say(text)
        except StorageError as error:
            self._screen.give_back(text)
            await self._transcript.add_note(f"{error} The message was not sent.", "error")
            return
        await self._transcript.add_user(text, said.id, asked_words(said))
        self._talk.forget_before(self._transcript.ids[0])
        await self._ask()

    async def answer(self, *, afresh: bool = False) -> None:
        """A reply to the last message that is shown."""
        if afresh:
            await self._read_afresh()
        await self._ask(afresh=afresh)

    async def again(self, *, afresh: bool = False) -> None:
        """The last reply once more; ``afresh``: earlier replies are read under the present dials from now on."""
        if not self._talk.can_write_again:
            self._screen.say("Nothing was said yet that could be answered again.")
            return
        self._turn_away()
        self._talk.take_back_reply()
        await self._transcript.remove_answer()
        await self.answer(afresh=afresh)

    async def _read_afresh(self) -> None:
        self._talk.read_all_as(self._screen.dials_in_force())
        await self._transcript.add_note("All earlier replies are now read under the present dials.")

    async def open(self, show: Callable[[], Awaitable[None]]) -> None:
        """Turn away from this conversation, as ``show`` brings another one onto the screen."""
        self._turn_away()
        await show()

    async def begin_anew(self) -> None:
        """Another conversation."""
        self._turn_away()
        self._talk.begin_anew()
        await self._transcript.clear()
        self._screen.show_context(0, self._link.card.n_ctx if self._link.card else 0)

    def dials_turned(self) -> None:
        """New dials are in force for the tokens to come."""
        dials = self._screen.dials_in_force()
        for reply in self._replies:
            if reply.running is not None:
                before = reply.running.record.marks
                reply.running.turned(dials)
                self._show_strengths(reply)
                if reply.view is not None and before and self._signs:
                    reply.view.sign(turned_glyph(before[-1].dials, dials))

    async def take(self, events: list[Event]) -> None:
        """What the engine said. Text is collected and painted once."""
        for event in events:
            match event:
                case Died():
                    await self._break_off_all(event.reason)
                case _:
                    reply = self._reply_of(event)
                    if reply is not None:
                        await self._take_one(reply, event)
        for reply in list(self._replies):
            await self._paint(reply)
            if reply.running is not None:
                await self._saving(reply.running, reply.running.save_if_due)
        self._save_left_over()

    def _save_left_over(self) -> None:
        """Try again what could not be saved; what has its place in the record now can be picked."""
        with contextlib.suppress(StorageError):
            self._talk.save_left_over(due=True)
        for view, running in self._nameless:
            view.message_id = running.message_id
        self._nameless = [(view, running) for view, running in self._nameless if not running.saved and view.is_attached]

    async def _end_unseen(self, running: RunningReply) -> None:
        """A reply that was turned away from has come to its end. Where it is on the screen again since, there too."""
        if not running.saved:
            self._talk.keep(running, running.message_id or 0)
        message = self._talk.find(running.message_id)
        if message is None:
            return
        message = replace(message, content=running.text, reply=running.record)
        self._talk.replace(message)
        view = self._transcript.reply_view(message.id)
        if view is not None:
            await self._show_as(view, message)
        elif message.id in self._transcript.ids and not self.writing:
            # It is folded already.
            await self._screen.show_record()

    async def load_failed(self) -> None:
        """The model did not load: nobody is going to reply."""
        for reply in list(self._replies):
            await self._drop(reply)

    def close(self) -> None:
        """The app ends: keep what there is of a reply."""
        for reply in self._replies:
            if reply.running is not None and reply.tokens:
                with contextlib.suppress(StorageError):
                    reply.running.break_off()
        with contextlib.suppress(StorageError):
            self._talk.save_left_over()

    async def adopt(self, running: RunningReply, event: Finished | None) -> None:
        """A reply that was written elsewhere comes after the last message; ``event`` None: it was broken off."""
        reply = OnItsWay(await self._transcript.add_reply(), running=running, tokens=len(running.record.tokens))
        self._replies.append(reply)
        if event is None:
            await self._drop(reply)
        else:
            await self._finish(reply, event)

    async def forget(self, jobs: list[Job]) -> None:
        """Replies that were stopped before their turn came: the question goes back where it came from."""
        for reply in [reply for reply in self._replies if reply.job in jobs]:
            seen = reply.view is not None
            await self._paint(reply)
            await self._drop(reply)
            if seen:
                await self._take_back_question()

    # ------------------------------------------------------------ asking

    async def _ask(self, *, afresh: bool = False) -> None:
        view = await self._transcript.add_reply()
        reply = OnItsWay(view)

        def command(request: int, card: ModelCard) -> Command:
            dials = self._screen.dials_in_force()
            reply.running = self._talk.begin_reply(card, self.sampling, dials)
            turns = self._talk.turns(card)
            watched = self._screen.dials_watched()
            return Generate(request, turns, dials, self.sampling, afresh=afresh, pace=pace_of(card), watched=watched)

        reply.job = Job("reply", command)
        self._replies.append(reply)
        view.show_waiting(self._waiting_words())
        try:
            self._link.submit(reply.job)
        except EngineError as error:
            await self._drop(reply)
            await self._transcript.add_note(str(error), "error")

    def _waiting_words(self) -> str:
        if self._link.state in {EngineState.OFF, EngineState.LOADING}:
            return "waiting for the model…"
        if self._link.has("vector"):
            return "waiting until the vector is made…"
        return "…"

    def _turn_away(self) -> None:
        """Let what was written of the replies that are on their way come into the record, but not onto the screen.

        One that has no place in the record yet gets none: it would become the end of a path that goes on without it.
        """
        for reply in self._replies:
            # Nothing else that waits for the engine has to do with this conversation.
            if reply.view is not None and reply.job is not None:
                self._link.withdraw(reply.job)
            reply.view = None
        self.give_places()
        self._replies = [reply for reply in self._replies if reply.running and reply.running.message_id is not None]

    def give_places(self) -> None:
        """A reply whose saving failed so far is tried once more, while it still is the end of the chosen path."""
        for reply in self._replies:
            if reply.running is not None and reply.tokens and reply.running.message_id is None:
                with contextlib.suppress(StorageError):
                    reply.running.save()

    # ------------------------------------------------------------ hearing

    def _reply_of(self, event: Event) -> OnItsWay | None:
        if isinstance(event, Died):
            return None
        return next((reply for reply in self._replies if reply.job and reply.job.request == event.request), None)

    async def _take_one(self, reply: OnItsWay, event: Event) -> None:
        match event:
            case PromptProgress(done=done, total=total):
                if reply.view is not None and total:
                    reply.view.show_waiting(f"reading {done} of {total} tokens…")
            case Started():
                if reply.running is not None:
                    reply.running.started(event)
                if event.dropped and reply.view is not None:
                    await self._note_dropped(event.dropped)
            case TokenText():
                await self._add_token(reply, event)
            case Finished():
                await self._paint(reply)
                await self._finish(reply, event)
            case Failed():
                await self._fail(reply, event.message)

    async def _add_token(self, reply: OnItsWay, event: TokenText) -> None:
        fresh, running = reply.add(event), reply.running
        if running is not None and fresh:
            await self._saving(running, lambda: running.add(event.token, event.text))

    async def _paint(self, reply: OnItsWay) -> None:
        text = reply.taken()
        if text and reply.view is not None:
            self._show_strengths(reply)
            if speed := reply.tokens_per_second:
                self._screen.show_speed(speed)
            await reply.view.feed(text)

    def _show_strengths(self, reply: OnItsWay) -> None:
        if reply.view is not None and reply.running is not None and reply.tokens:
            reply.view.show_foot(foot_words(courses(reply.running.record.marks), steerable=self._steerable))

    @property
    def _steerable(self) -> bool:
        return self._link.card is None or self._link.card.steerable

    async def _finish(self, reply: OnItsWay, event: Finished) -> None:
        from localsteer.tui.stored import reply_words

        self._replies.remove(reply)
        running, view = reply.running, reply.view
        assert running is not None
        await self._saving(running, lambda: running.finish(event))
        if view is None:
            await self._end_unseen(running)
            return
        await self._show_whole(reply)
        message = self._talk.messages[-1]
        self._rate(
            event,
            lambda rated: view.show_foot(
                reply_words(
                    self._talk.find(message.id) or message,
                    perplexity_words(rated.perplexity),
                    steerable=self._steerable,
                )
            ),
        )
        self._screen.show_speed(event.tokens_per_second)
        self._screen.show_context(event.context_used, event.context_size)

    def _rate(self, event: Finished, show: Callable[[ReplyRated], None]) -> None:
        """Have it said how natural the reply is, some time when nobody waits."""
        if event.tokens and self._link.card is not None:
            try:
                turns = self._talk.turns(self._link.card)
            except StorageError:
                return
            self._screen.when_idle(
                lambda request, _: RateReply(request, turns),
                lambda answer: show(answer) if isinstance(answer, ReplyRated) else None,
            )

    async def _fail(self, reply: OnItsWay, message: str) -> None:
        """The engine could not do it: the question goes back where it can be changed."""
        view = reply.view
        await self._drop(reply)
        if view is not None:
            await self._transcript.add_note(message, "error")
            if not reply.tokens:
                await self._take_back_question()

    async def _take_back_question(self) -> None:
        if question := self._talk.take_back_question():
            await self._transcript.remove_last_question()
            self._screen.give_back(question)

    async def _break_off_all(self, reason: str) -> None:
        # One that was asked since waits for the next engine, which is being started.
        gone = [reply for reply in self._replies if reply.job is None or not self._link.holds(reply.job)]
        for reply in gone:
            await self._paint(reply)
            await self._drop(reply)
        starts = "" if len(self._replies) else "; your next message starts the engine again"
        await self._transcript.add_note(f"{reason} Nothing of the conversation is lost{starts}.", "error")

    async def _drop(self, reply: OnItsWay) -> None:
        """An end before the end: what was written stays, an empty reply goes."""
        if reply in self._replies:
            self._replies.remove(reply)
        running, view = reply.running, reply.view
        if running is not None and reply.tokens:
            await self._saving(running, running.break_off)
        if view is None:
            if running is not None:
                await self._end_unseen(running)
            return
        if running is None or not reply.tokens:
            await view.remove()
            # Where it was to take another one's place, that one is still there.
            if self._talk.was_answered:
                await self._screen.show_record()
            return
        await self._show_whole(reply)

    async def _show_whole(self, reply: OnItsWay) -> None:
        """Into the talk, and onto the screen as it is in the record."""
        assert reply.running is not None
        assert reply.view is not None
        self._talk.add_reply(reply.running)
        message = self._talk.messages[-1]
        reply.view.message_id = message.id if message.id > 0 else None
        if message.id < 0:
            self._nameless.append((reply.view, reply.running))
        await self._show_as(reply.view, message)

    async def _show_as(self, view: ReplyView, message: StoredMessage) -> None:
        from localsteer.tui.stored import reply_words

        record = message.reply
        shown = signs_of(record.marks, record.mark_places) if record is not None and self._signs else ()
        await view.finish(message.content, shown)
        view.show_foot(reply_words(message, steerable=self._steerable))

    async def _note_dropped(self, turns: int) -> None:
        await self._transcript.add_note(
            f"The context is full: the model no longer reads the oldest {turns} messages. You still can.",
            "warning",
            at=-1,
        )

    async def _saving(self, running: RunningReply, save: Callable[[], object]) -> None:
        """Save, or say once that it did not work; what was written stays on the screen and in memory."""
        try:
            save()
        except StorageError as error:
            if not self._save_failed:
                self._save_failed = True
                await self._transcript.add_note(f"Saving failed: {error} It is tried again.", "error")
        else:
            # Often nothing was due.
            self._save_failed = self._save_failed and not running.saved
