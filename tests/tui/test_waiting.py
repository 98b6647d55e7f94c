"""Nobody waits for what does not come: an engine that dies or changes its model in between, work that cannot begin."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from localsteer.chat.running import RunningReply
from localsteer.engine.protocol import Failed, Load, SideToken
from localsteer.errors import EngineError, StorageError
from localsteer.library.settings import Settings
from localsteer.tui.dialogs.token_view import TokenView
from localsteer.tui.engine_link import EngineState, Job
from localsteer.tui.lineup import Lineup, Side
from localsteer.tui.rack import Rack
from localsteer.tui.side_by_side import SideBySide
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.workshop.way import Words
from tests.tui.conftest import OpenApp, Running, remarks
from tests.tui.test_dials import add_heat
from tests.tui.test_steady import path_here, path_in_record, quiet, stopped_reply

SHORT = replace(Settings(), max_tokens=8)


async def at_rest(running: Running) -> None:
    link = running.screen.link
    await running.until(lambda: link.state in {EngineState.READY, EngineState.OFF} and not link.waiting)
    await running.until(lambda: not running.screen.conversing._replies and not running.screen.again.running)
    await quiet(running)


async def test_an_engine_that_dies_as_another_model_comes_ends_the_reply_that_it_wrote(
    open_app: OpenApp, random_bpe_model: Path
) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        async with running.nothing_heard():
            await running.screen.switching.to(random_bpe_model)
            client = running.screen.link.client
            client.kill()
            await running.until(lambda: not client.alive)
        await running.until(lambda: "is loaded again" in running.notes())
        await at_rest(running)
        assert [role for role, _ in path_here(running)] == ["user", "assistant"]
        assert path_here(running) == path_in_record(running)
        await running.say("And now?")
        await running.until(lambda: running.questions() == ["Hello", "And now?"])


async def test_what_is_asked_of_a_dead_engine_waits_for_the_next_one(open_app: OpenApp) -> None:
    async with open_app(settings=SHORT) as running:
        await running.loaded()
        async with running.nothing_heard():
            client = running.screen.link.client
            client.kill()
            await running.until(lambda: not client.alive)
            await running.say("Hello")
            await running.until(lambda: running.screen.conversing.writing)
        await running.replied()
        await at_rest(running)
        assert [role for role, _ in path_here(running)] == ["user", "assistant"]
        assert path_here(running) == path_in_record(running)
        message = running.screen.talk.messages[-1]
        async with running.nothing_heard():
            client.kill()
            await running.until(lambda: not client.alive)
            await running.screen.again.begin(message)
        await running.until(lambda: "came again identical" in running.notes())


async def test_a_question_that_was_given_back_is_not_given_back_again(open_app: OpenApp) -> None:
    async with open_app() as running:
        await stopped_reply(running)
        for name in ("sea/day", "old/new"):
            async with running.nothing_heard():
                await running.screen.dialling.add_words(*name.split("/"))
                if name == "sea/day":
                    await running.say("And now?")
                else:
                    await running.screen.conversing.again()
                await running.until(lambda: running.screen.link.waiting == 1)
                await running.screen._stop()
            await at_rest(running)
            assert running.screen.query_one(Composer).text == "And now?"
            assert running.questions() == ["Hello"]
            assert [role for role, _ in path_here(running)] == ["user", "assistant"]


async def test_work_that_cannot_begin_says_why_and_the_next_begins(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object, **__: object) -> NoReturn:
        raise StorageError("The conversations cannot be read.")

    async with open_app(settings=SHORT) as running:
        await running.loaded()
        await running.say("Hello")
        await running.replied()
        screen = running.screen
        message = screen.talk.messages[-1]
        with monkeypatch.context() as patch:
            # What was said long before is read when it is needed.
            patch.setattr(screen.talk, "turns", damaged)
            patch.setattr(screen.talk.store, "turns_again", damaged)
            patch.setattr(screen.talk.store, "older", damaged)
            await running.say("And now?")
            await running.until(lambda: "cannot be read" in running.notes())
            assert screen.query_one(Composer).text == "And now?"
            assert screen.link.running is None
            await at_rest(running)
            await screen.again.begin(message)
            await running.until(lambda: running.notes().count("cannot be read") == 2)
            assert not screen.again.running
            await screen.revisiting.show_more(-1)
            await running.until(lambda: "cannot be read" in remarks(running))
        await running.pilot.press("enter")
        await running.replied(2)


async def test_where_no_process_can_be_started_nothing_waits(
    open_app: OpenApp, random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> NoReturn:
        raise EngineError("The engine could not be started.")

    async with open_app() as running:
        await stopped_reply(running)
        screen = running.screen
        async with running.nothing_heard():
            await screen.dialling.add_words("sea", "day")
            await screen.again.begin(screen.talk.messages[-1])
            with monkeypatch.context() as patch:
                patch.setattr(screen.link.client, "start", none)
                await screen.switching.to(random_bpe_model)
            assert screen.again.running
        await running.until(lambda: not screen.again.running)


async def test_a_window_that_a_typed_command_opened_gives_commands_long_after(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        later, done, inherited = asyncio.Event(), asyncio.Event(), []

        async def open_something() -> None:
            async def pressed() -> None:
                await later.wait()
                running.screen.in_turn(done.set)

            inherited.append(asyncio.create_task(pressed()))

        await running.screen.all_at_once(open_something)
        later.set()
        await running.until(done.is_set)


async def test_what_the_workshop_was_to_write_is_forgotten_with_its_job(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("alt+h")
        shop = running.screen.workshop
        await running.until(lambda: shop._screen is not None and shop._screen.query("#word"))
        async with running.nothing_heard():
            await running.screen.dialling.add_words("sea", "day")
            shop.ask("glad", "sad")
            assert shop._asked is not None
            shop.stop()
            assert shop._asked is None
            shop.ask("glad", "sad")
            shop.make(Words("old", "new"), "old-new")
            assert shop._asked is None
        await running.until(lambda: shop.made is not None)
        assert not shop.busy


async def test_a_dial_that_was_not_made_is_made_when_it_is_asked_for_again(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        dialling = running.screen.dialling
        async with running.nothing_heard():
            await dialling.set_strength("sea/day", 1.0)
            await dialling.undo()
            await running.screen._stop()
        await running.until(lambda: "was not made" in remarks(running))
        await dialling.set_strength("sea/day", 0.5)
        await running.until(lambda: [row.dial.strength for row in running.screen.query(DialRow)] == [0.5])


async def test_a_side_that_cannot_be_saved_yet_keeps_all_of_its_tokens(open_app: OpenApp) -> None:
    async with open_app(settings=SHORT) as running:
        await running.loaded()
        await running.say("Hello")
        await running.replied()
        talk, card = running.screen.talk, running.screen.link.card
        assert card is not None
        talk.take_back_reply()
        now = SideBySide(Lineup(Rack(), (Side("unsteered", Rack()),), 0), "", SHORT.sampling, talk.standing)
        for index, text in enumerate(("The", " sea", " is")):
            now.take(SideToken(1, 0, index, 10 + index, text))
        assert talk.store._connection.execute("PRAGMA query_only = ON") is not None
        begun: list[RunningReply] = []

        def begin(clock: Callable[[], float]) -> RunningReply:
            begun.append(talk.begin_reply(card, SHORT.sampling, (), clock=clock))
            return begun[0]

        with pytest.raises(StorageError):
            now.into(0, begin)
        talk.store._connection.execute("PRAGMA query_only = OFF")
        [running_reply] = begun
        assert (running_reply.text, running_reply.record.tokens) == ("The sea is", (10, 11, 12))


async def test_a_model_that_is_loaded_into_a_new_engine_ends_what_the_dead_one_wrote(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        link = running.screen.link
        async with running.nothing_heard():
            link.client.kill()
            await running.until(lambda: not link.client.alive)
            link.load()
        await running.until(lambda: not running.screen.conversing.writing)
        await at_rest(running)
        assert [role for role, _ in path_here(running)] == ["user", "assistant"]
        assert path_here(running) == path_in_record(running)


async def test_a_reply_that_cannot_be_rated_for_what_was_said_long_before_ends_as_every_other(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object, **__: object) -> NoReturn:
        raise StorageError("The conversations cannot be read.")

    async with open_app(settings=SHORT) as running:
        await running.loaded()
        async with running.nothing_heard():
            await running.say("Hello")
            await running.until(lambda: running.screen.link.running)
            monkeypatch.setattr(running.screen.talk, "turns", damaged)
        await running.replied()
        await running.until(lambda: "tok/s" in running.feet()[0])
        assert path_here(running) == path_in_record(running)


@pytest.mark.usefixtures("heat_at_hand")
async def test_nothing_is_read_for_a_view_that_was_closed_as_it_opened(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app(settings=SHORT) as running:
        await add_heat(running)
        await running.say("Hello")
        await running.replied()
        await at_rest(running)
        push = running.app.push_screen
        submitted: list[Job] = []

        async def closed_at_once(window: TokenView, closed: Callable[[object], None]) -> None:
            await push(window, closed)
            window.dismiss()
            await running.until(lambda: running.screen.seeing._job is None)

        monkeypatch.setattr(running.app, "push_screen", closed_at_once)
        monkeypatch.setattr(running.screen.link, "submit", submitted.append)
        await running.screen.seeing.open()
        assert submitted == []


async def test_a_job_that_cannot_be_sent_leaves_the_engine_free(open_app: OpenApp) -> None:
    async with open_app(settings=SHORT) as running:
        await running.loaded()
        link = running.screen.link
        job = Job("trial", lambda request, _: Load(request, threading.Lock()))  # type: ignore[arg-type]
        async with running.nothing_heard():
            link.submit(job)
            assert not link.holds(job)
            (event,) = link.poll()
            assert isinstance(event, Failed)
            assert event.request == job.request
        await running.say("Hello")
        await running.replied()
