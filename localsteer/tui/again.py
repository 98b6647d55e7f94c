"""A reply from history written again exactly as it was, and compared with its record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from localsteer import __version__
from localsteer.chat.conversation import ReplyRecord, StoredMessage
from localsteer.engine.protocol import Command, Died, Event, Failed, Finished, ModelCard, Started, TokenText
from localsteer.errors import EngineError, LocalsteerError
from localsteer.file_reading import is_file
from localsteer.tui.engine_link import EngineState, Job
from localsteer.tui.foot import foot_words
from localsteer.tui.pace import pace_of
from localsteer.tui.strengths import courses
from localsteer.tui.widgets.messages import ReplyView
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.tui.chat_screen import ChatScreen


class Again:
    """For a :class:`ChatScreen`; one reply at a time. What comes is shown below the conversation until it is whole."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._job: Job | None = None
        self._message: StoredMessage | None = None
        self._view: ReplyView | None = None
        self._pieces: list[str] = []

    @property
    def running(self) -> bool:
        """Whether one is on its way."""
        return self._job is not None

    async def begin(self, message: StoredMessage | None) -> None:
        """Write this reply again, or say what is missing for it."""
        screen = self._screen
        record = message.reply if message is not None else None
        if self.running or screen.conversing.writing:
            screen.say_writing()
        elif message is None or message.role != "assistant" or message.id < 1:
            picks = screen.keymap.hint("previous_message", "picks one")
            screen.say(f"There is no reply there that could be written again. {picks}".rstrip())
        elif record is None:
            screen.say("How this reply was written is not known: it was imported, or its record is damaged.", True)
        elif problem := _missing(record, screen.link.card, screen.link.state):
            screen.say(problem, True)
        else:
            await self._begin(message, record)

    async def _begin(self, message: StoredMessage, record: ReplyRecord) -> None:
        from localsteer.chat.replay import replay
        from localsteer.tui.copying import first_words

        screen = self._screen
        await screen.revisiting.to_the_end()
        transcript = screen.query_one(Transcript)
        transcript.pick(None)

        def command(request: int, card: ModelCard) -> Command:
            turns = screen.talk.store.turns_again(message.id, card)
            return replay(record, turns, card, request, pace=pace_of(card))

        self._message, self._pieces = message, []
        self._view = await transcript.add_reply()
        self._view.show_waiting(f"again exactly: “{first_words(message.content)}”…")
        transcript.anchor()
        job = self._job = Job("reply", command)
        try:
            screen.link.submit(job)
        except EngineError as error:
            await self._end(str(error), wrong=True)

    async def take(self, events: Sequence[Event]) -> None:
        """What the engine said about it. Text is painted once."""
        for event in events:
            if self._job is None or self._view is None:
                return
            if isinstance(event, Died) and not self._screen.link.holds(self._job):
                await self._end(event.reason, wrong=True)
            elif not isinstance(event, Died) and event.request == self._job.request:
                await self._take_one(event, self._view)
        if self._view is not None and self._pieces:
            pieces, self._pieces = self._pieces, []
            await self._view.feed("".join(pieces))

    async def forget(self, jobs: Sequence[Job]) -> None:
        """It was stopped before its turn came."""
        if self._job in jobs:
            await self._end("")

    async def turn_away(self) -> None:
        """Another conversation comes onto the screen."""
        if self._job is not None:
            self._screen.link.withdraw(self._job)
            await self._end("")

    async def _take_one(self, event: Event, view: ReplyView) -> None:
        match event:
            case Started():
                assert self._message is not None
                record = self._message.reply
                assert record is not None
                view.show_foot(foot_words(courses(record.marks), "again exactly as it was…"))
            case TokenText(text=text):
                self._pieces.append(text)
            case Failed(message=message):
                await self._end(message, wrong=True)
            case Finished():
                await self._compare(event)

    async def _compare(self, event: Finished) -> None:
        """Say whether it is the same; one that differs is kept as an alternative."""
        from localsteer.chat.replay import differs_at
        from localsteer.tui.copying import first_words

        message = self._message
        assert message is not None
        record = message.reply
        assert record is not None
        words = f"“{first_words(message.content)}”"
        place = differs_at(record, event.tokens)
        if place is None and event.marks == record.marks:
            await self._end(f"{words} came again identical, {len(event.tokens)} tokens.")
        elif event.reason == "stopped" and place == len(event.tokens):
            await self._end(
                f"{words} was stopped; identical as far as it came, {place} of {len(record.tokens)} tokens."
            )
        elif place is None:
            await self._end(
                f"{words} came again identical, {len(event.tokens)} tokens, although dials were turned meanwhile."
            )
        else:
            kept = self._keep(message, record, event)
            why = _why(record, event, self._screen.link.card)
            await self._end(
                f"{words} came out differently from token {place + 1} of {len(record.tokens)} on. {why}{kept}"
            )

    def _keep(self, message: StoredMessage, record: ReplyRecord, event: Finished) -> str:
        talk = self._screen.talk
        store, card = talk.store, self._screen.link.card
        if card is None or message.parent_id is None:
            return ""
        try:
            # Not what is the last one here: a reply that is about to be written again is missing here only.
            path = store.open(message.conversation_id, last=1).messages
            running = store.begin_reply(
                message.conversation_id,
                message.parent_id,
                ReplyRecord.begun(
                    card,
                    system_prompt=record.system_prompt,
                    sampling=record.sampling,
                    marks=event.marks,
                    read_as=record.read_as,
                ),
            )
            running.finish(event)
            # The path stays what it was, in the record and on the screen.
            store.continue_from(path[-1].id if path else message.id)
            talk.replace(store.message(message.id))
        except LocalsteerError as error:
            return f" {error}"
        shows = self._screen.keymap.hint("next_alternative", "shows it")
        return f" The other one is kept as an alternative. {shows}".rstrip()

    async def _end(self, words: str, *, wrong: bool = False) -> None:
        view, self._view, self._job, self._message = self._view, None, None, None
        self._pieces = []
        if view is not None and view.is_attached:
            await view.remove()
        if words:
            await self._screen.query_one(Transcript).add_note(words, "error" if wrong else "quiet")


def _missing(record: ReplyRecord, card: ModelCard | None, state: EngineState) -> str:
    """One sentence about what of its time is not here any more; nothing where all is."""
    if card is None:
        return "It can be written again once the model is loaded."
    if card.model_id != record.model_id:
        where = Path(record.model_path)
        name = record.model_name or where.name
        if record.model_path and not is_file(where):
            return f"This reply was written by {name}, whose file is gone: {where}."
        return f"This reply was written by {name} ({where}); load that model to have it again."
    gone = {
        dial.name: dial.vector_path
        for mark in record.marks
        for dial in mark.dials
        if dial.strength and not is_file(Path(dial.vector_path))
    }
    if gone:
        which = ", ".join(f"{name} ({path})" for name, path in gone.items())
        return (
            f"It was steered by what is gone: {which}. Adding the dial makes such a vector again, perhaps not the same."
        )
    if record.seed is None:
        return "This reply was never begun, so that there is no seed to write it again from."
    return ""


def _why(record: ReplyRecord, event: Finished, card: ModelCard | None) -> str:
    """What may be behind a difference."""
    if event.marks != record.marks:
        return "Dials were turned meanwhile, or stood otherwise."
    if record.course is None and record.finish_reason is None:
        return "It was broken off before it was noted how the conversation was cut for the model."
    if record.course is None:
        return "An older localsteer wrote it and did not note how the conversation was cut for the model."
    if record.written_with and record.written_with != __version__:
        return f"localsteer {record.written_with} wrote it, this is {__version__}."
    if record.context_size and card is not None and record.context_size != card.n_ctx:
        return f"It was written with a context of {record.context_size} tokens, this one has {card.n_ctx}."
    if record.course.n_threads and card is not None and record.course.n_threads != card.n_threads:
        return f"It was written with {record.course.n_threads} threads, now there are {card.n_threads}."
    return "A vector was made anew since, or another llama.cpp or processor rounds otherwise."
