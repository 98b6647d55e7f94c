"""Comparing: has a message answered side by side, shows it, and takes what the person keeps into the conversation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from localsteer.chat.running import RunningReply
from localsteer.engine.protocol import (
    Command,
    Compare,
    Died,
    Event,
    Failed,
    ModelCard,
    RateReply,
    ReplyRated,
    Sampling,
)
from localsteer.errors import DialError, EngineError, StorageError
from localsteer.tui.engine_link import EngineState, Job
from localsteer.tui.greeting import shown_name
from localsteer.tui.pace import pace_of
from localsteer.tui.stored import asked_words
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.tui.chat_screen import ChatScreen
    from localsteer.tui.dialogs.compare import CompareScreen
    from localsteer.tui.lineup import Lineup
    from localsteer.tui.side_by_side import SideBySide


class Comparing:
    """For a :class:`ChatScreen`. What was written last can be looked at again until the conversation goes on."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._view: CompareScreen | None = None
        self._job: Job | None = None
        self.now: SideBySide | None = None

    def open(self, said: str = "") -> None:
        """Answer the last message side by side, or ``said``; without either the person writes one there first.

        Says what is missing where there is nothing to compare.
        """
        from localsteer.tui.lineup import first_lineup

        screen, link = self._screen, self._screen.link
        rack = screen.dialling.rack
        if self._view is not None or not screen.on_top:
            return
        if link.card is None:
            screen.say("Replies can be compared once the model is loaded.")
        elif not link.card.steerable:
            screen.say("This model cannot be steered, so there is nothing to compare.", True)
        elif screen.conversing.writing or screen.again.running:
            screen.say_writing()
        else:
            try:
                lineup = first_lineup(rack)
            except DialError as error:
                screen.say(f"{error} {screen.keymap.hint('add_dial', 'adds one')}".rstrip())
                return
            self._open(lineup, said, shown_name(link.card))

    def _open(self, lineup: Lineup, said: str, model: str) -> None:
        from localsteer.tui.dialogs.compare import CompareScreen

        talk = self._screen.talk
        before = self.now
        still_holds = before is not None and before.standing == talk.standing and before.lineup.rack == lineup.rack
        if said or not still_holds:
            self._forget()
        self._view = CompareScreen(self, lineup, talk.last_question, model)
        self._screen.app.push_screen(self._view, self._closed)
        if self.now is None and (said or talk.last_question):
            self.begin(lineup, said)

    def begin(self, lineup: Lineup, said: str = "", sampling: Sampling | None = None) -> None:
        """Write this line-up; what was being written for another one is let go."""
        from localsteer.tui.side_by_side import SideBySide

        self._forget()
        screen = self._screen
        sampling = screen.conversing.sampling if sampling is None else sampling
        self.now = now = SideBySide(lineup, said, sampling, screen.talk.standing)
        now.state = "waiting for the model…" if screen.link.state is not EngineState.READY else "…"

        def command(request: int, card: ModelCard) -> Command:
            now.turns = screen.talk.turns_to_answer(card, now.said)
            dials = tuple(side.dials for side in lineup.sides)
            return Compare(request, now.turns, dials, sampling, pace=pace_of(card))

        self._job = Job("comparison", command)
        try:
            screen.link.submit(self._job)
        except EngineError as error:
            now.end(str(error))
        self._show()

    def again(self) -> None:
        """The same once more, with another seed."""
        if self.now is not None:
            self.begin(self.now.lineup, self.now.said, self.now.other_seed)

    def stop(self) -> None:
        """Write no further; what there is stays."""
        if self._job is not None and self.now is not None:
            waits = self._job.request == 0
            self._screen.link.withdraw(self._job)
            if waits:
                self.now.end()

    def forget(self, jobs: Sequence[Job]) -> None:
        """These were stopped before their turn came."""
        if self.now is not None and self.now.running and self._job in jobs:
            self.now.end()
            self._show()

    async def keep(self, shown: SideBySide | None, place: int, *, take_dials: bool = False) -> None:
        """The reply at ``place`` becomes the conversation's, an alternative to the one that was there.

        ``shown``: the comparison that the person saw; nothing happens where another one has begun by now.
        """
        if shown is self.now:
            await self._keep((place,), place, take_dials=take_dials)

    async def keep_all(self, shown: SideBySide | None, place: int) -> None:
        """All of them become alternatives; the conversation goes on with the one at ``place``. ``shown`` as above."""
        if shown is None or shown is not self.now:
            return
        if shown.running:
            self._screen.say("They are still being written; Esc stops them.")
        else:
            await self._keep(shown.written, place)

    def turn_away(self) -> None:
        """Another model comes, which would be taken for the one that wrote what is on the screen."""
        if self._view is not None:
            self._forget()
            self._view.dismiss()

    def take(self, events: list[Event]) -> None:
        """What the engine said about it."""
        now, job = self.now, self._job
        if now is None or job is None:
            return
        for event in events:
            match event:
                case Died(reason=reason) if now.running and not self._screen.link.holds(job):
                    now.end(f"{reason} What was written can be kept.")
                case Failed(request=request, message=message) if request == self._screen.link.load_request:
                    now.end(f"The model could not be loaded: {message}")
                case _ if not isinstance(event, Died) and job.request and event.request == job.request:
                    ran = now.running
                    now.take(event)
                    if ran and not now.running:
                        self._rate(now, list(now.written))
        now.measure()
        self._show()

    def close(self) -> None:
        """The app ends: what is on the screen or still comes is kept, as alternatives; the path stays as it was."""
        now = self.now
        if now is None or not now.written or not (now.running or self._view is not None):
            return
        if now.standing != self._screen.talk.standing:
            return
        picked = self._view.picked if self._view is not None else now.lineup.base
        with contextlib.suppress(StorageError):
            talk = self._screen.talk
            replied = self._make_room(now)
            for place in self._last(now.written, picked):
                self._save(now, place)
            if replied is not None:
                talk.store.choose(replied)

    # ------------------------------------------------------------ keeping

    async def _keep(self, places: Sequence[int], shown: int, *, take_dials: bool = False) -> None:
        now, screen = self.now, self._screen
        if now is None:
            return
        reply = now.replies[shown]
        if now.running and reply.finished is None:
            screen.say("It is still being written; Esc stops it, and then it can be kept.")
            return
        if not reply.tokens:
            screen.say("There is nothing written on this side that could be kept.")
            return
        await screen.revisiting.to_the_end()
        if now is not self.now:
            return
        if now.standing != screen.talk.standing:
            screen.say("The conversation has gone on since, and these replies answer what it was before.")
            return
        transcript = screen.query_one(Transcript)
        try:
            self._make_room(now)
        except StorageError as error:
            screen.say(f"{error} Nothing was kept; try again.", True)
            return
        # From here on there is nothing that could be written once more, or kept once more.
        self._forget()
        if now.said:
            said = screen.talk.messages[-1]
            await transcript.add_user(now.said, said.id, asked_words(said))
        else:
            await transcript.remove_answer()
        for place in self._last(places, shown)[:-1]:
            try:
                self._save(now, place)
            except StorageError as error:
                screen.say(f"{now.replies[place].side.title} could not be kept: {error}", True)
        if take_dials:
            await screen.dialling.put(reply.side.rack)
        running: list[RunningReply] = []

        def begin(clock: Callable[[], float]) -> RunningReply:
            running.append(self._begin(now, shown, clock))
            return running[0]

        # Where it cannot be saved it goes on in memory, as every other reply does.
        with contextlib.suppress(StorageError):
            now.into(shown, begin)
        await screen.conversing.adopt(running[0], reply.finished)
        # What was begun meanwhile closes with the rest.
        self._forget()
        if self._view is not None:
            self._view.dismiss()

    def _make_room(self, now: SideBySide) -> int | None:
        """Have the conversation end with the message that is answered; the id of the reply that it had."""
        talk = self._screen.talk
        if now.said:
            talk.say(now.said)
            return None
        taken = talk.take_back_reply()
        return None if taken is None or taken.id < 0 else taken.id

    def _begin(self, now: SideBySide, place: int, clock: Callable[[], float]) -> RunningReply:
        card = self._screen.link.card
        assert card is not None
        return self._screen.talk.begin_reply(card, now.sampling, now.lineup.sides[place].dials, clock=clock)

    def _save(self, now: SideBySide, place: int) -> None:
        running = now.into(place, lambda clock: self._begin(now, place, clock))
        finished = now.replies[place].finished
        if finished is None:
            running.break_off()
        else:
            running.finish(finished)

    @staticmethod
    def _last(places: Sequence[int], last: int) -> tuple[int, ...]:
        """What is stored last is what the conversation goes on with."""
        return (*(place for place in places if place != last), *((last,) if last in places else ()))

    # ------------------------------------------------------------ the rest

    def _rate(self, now: SideBySide, places: list[int]) -> None:
        """Have it said how natural each of them is, one after the other, while nobody waits."""
        places = [place for place in places if now.replies[place].finished is not None]
        if not places or now is not self.now:
            return
        place, *others = places
        turn = now.replies[place].turn

        def take(answer: Event) -> None:
            if isinstance(answer, ReplyRated):
                now.rated(place, answer.perplexity)
            self._rate(now, others)

        self._screen.when_idle(lambda request, _: RateReply(request, (*now.turns, turn)), take)

    def _forget(self) -> None:
        if self._job is not None and self.now is not None and self.now.running:
            self._screen.link.withdraw(self._job)
        self._job = self.now = None

    def _closed(self, _: None) -> None:
        self._view = None

    def _show(self) -> None:
        if self._view is not None and self.now is not None:
            self._view.show(self.now)
