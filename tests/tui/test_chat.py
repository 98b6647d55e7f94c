"""Talking to a real (if senseless) model."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from textual.widgets import Static, TextArea

from localsteer.chat.conversation import Conversation
from localsteer.chat.running import RunningReply
from localsteer.chat.store import ConversationStore
from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.tui import engine_link
from localsteer.tui.dialogs.system_prompt import SystemPrompt
from localsteer.tui.engine_link import EngineState
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.growing_reply import GrowingReply
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.transcript import Transcript
from tests.random_hybrid import write_random_hybrid
from tests.tui.conftest import OpenApp
from tests.tui.test_steady import at_once, quiet

NASTY = "[bold red]hi[/] **stars** <b>tag</b> \x1b[31mred\x1b]0;title\x07 <|eot_id|>"


def saved(places: Places) -> Conversation:
    with ConversationStore(places.conversations) as store:
        conversation = store.latest()
    assert conversation is not None
    return conversation


async def test_it_paints_before_the_model_is_there_and_answers_what_was_sent_meanwhile(open_app: OpenApp) -> None:
    async with open_app() as running:
        assert "localsteer" in running.text()
        assert running.screen.link.card is None
        await running.say("Hello")
        assert running.questions() == ["Hello"]
        await running.loaded()
        assert "8 layers" in running.notes()
        assert running.screen.query_one(HeaderLine).model == "Random bpe 0 F32"
        await running.writing()


async def test_enter_sends_ctrl_j_makes_a_line_and_a_message_during_a_reply_stays_in_the_input(
    open_app: OpenApp,
) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("space", "enter")
        assert running.questions() == []
        await running.pilot.press("a", "ctrl+j", "b", "enter")
        await running.until(lambda: running.questions() == ["a\nb"])
        assert running.screen.query_one(Composer).text == ""
        await running.writing()
        await running.say("Two")
        await running.until(lambda: running.screen.query_one(Composer).text == "Two")
        assert running.questions() == ["a\nb"]


async def test_what_people_and_models_write_is_shown_and_never_obeyed(open_app: OpenApp) -> None:
    async with open_app() as running:
        transcript = running.screen.query_one(Transcript)
        await transcript.add_user(NASTY)
        await running.until(lambda: "[bold red]hi[/] **stars** <b>tag</b> red <|eot_id|>" in running.text())
        # Model text is Markdown and nothing else, while it streams and afterwards.
        view = await transcript.add_reply()
        for start in range(0, len(NASTY), 7):
            await view.feed(NASTY[start : start + 7])
        await running.until(lambda: "[bold red]hi[/] stars <b>tag</b> red <|eot_id|>" in running.text())
        await view.finish(NASTY)
        await running.until(lambda: not view.query(GrowingReply))
        await running.until(lambda: "[bold red]hi[/] stars <b>tag</b> red <|eot_id|>" in running.text())
        # The same on the way from the input.
        await running.say(NASTY)
        await running.until(lambda: len(running.questions()) == 2)
        assert running.questions()[1] == "[bold red]hi[/] **stars** <b>tag</b> red <|eot_id|>"


async def test_a_reply_streams_stops_at_once_and_is_saved_with_what_it_was_written_with(
    open_app: OpenApp, places: Places
) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello there")
        await running.writing()
        assert running.replies()[0].query(GrowingReply)
        with ConversationStore(places.conversations) as store:
            growing = store.latest()
        assert growing is not None
        assert [message.role for message in growing.messages] == ["user", "assistant"]
        await running.pilot.press("escape")
        await running.replied()
        await running.until(lambda: not running.replies()[0].query(GrowingReply))
        await running.until(lambda: "stopped" in running.feet()[0])
        assert "unsteered" in running.feet()[0]
        assert running.screen.query_one(HeaderLine).context_used > 0
    question, reply = saved(places).messages
    assert (question.role, question.content) == ("user", "Hello there")
    assert reply.reply is not None
    assert reply.reply.finish_reason == "stopped"
    assert reply.reply.tokens
    assert reply.reply.seed is not None


async def test_again_writes_an_alternative_in_the_same_place(open_app: OpenApp, places: Places) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        # Also in the middle of a reply; what was written of it is kept in the record.
        await running.pilot.press("ctrl+r")
        await running.until(lambda: len(running.screen.conversing._replies) == 1)
        await running.writing()
        await running.pilot.press("escape")
        await running.replied()
        assert running.questions() == ["Hello"]
    assert [message.role for message in saved(places).messages] == ["user", "assistant"]
    assert saved(places).messages[-1].alternatives == 2


async def test_reading_all_again_says_so_and_leaves_the_record_alone(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        await running.pilot.press("escape")
        await running.replied()
        await running.pilot.press("alt+r")
        await running.until(lambda: "present dials" in running.notes())
        await running.writing()
        await running.pilot.press("escape")
        await running.replied()


async def test_a_new_chat_is_empty_and_the_old_one_stays_saved(open_app: OpenApp, places: Places) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("First")
        await running.writing()
        await running.pilot.press("ctrl+n")
        await running.until(lambda: not running.questions())
        await running.say("Second")
        await running.until(lambda: running.questions() == ["Second"])
        await running.writing()
    with ConversationStore(places.conversations) as store:
        titles = {summary.title: summary.message_count for summary in store.summaries()}
    assert titles == {"First": 2, "Second": 2}


async def test_the_system_prompt_is_told_to_the_model_and_shown(open_app: OpenApp, places: Places) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("ctrl+s")
        await running.until(lambda: len(running.app.screen_stack) == 2)
        running.app.screen.query_one(TextArea).text = "You are a lighthouse."
        await running.pilot.press("ctrl+s")
        await running.until(lambda: "You are a lighthouse." in running.notes())
        await running.say("Hello")
        await running.writing()
        assert running.screen.talk.turns(running.screen.link.card)[0].content == "You are a lighthouse."  # type: ignore[arg-type]
    assert saved(places).system_prompt == "You are a lighthouse."


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
async def test_when_the_engine_is_killed_nothing_is_lost_and_the_next_message_works(
    open_app: OpenApp, places: Places
) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        first_pid = running.screen.link.client.pid
        assert first_pid is not None
        os.kill(first_pid, signal.SIGKILL)
        await running.until(lambda: "was killed" in running.notes())
        assert "broken off" in running.feet()[0]
        before = running.replies()[0].text
        assert before
        assert running.screen.link.state is EngineState.OFF
        await running.say("Still there?")
        await running.until(lambda: len(running.replies()) == 2)
        await running.writing()
        assert running.screen.link.client.pid != first_pid
        assert running.questions() == ["Hello", "Still there?"]
        await running.pilot.press("escape")
        await running.until(lambda: not running.screen.conversing.writing)
    kept = saved(places).messages
    assert [message.role for message in kept] == ["user", "assistant", "user", "assistant"]
    assert kept[1].content.strip()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
async def test_an_engine_that_never_answers_can_be_ended_from_the_chat(
    open_app: OpenApp, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_link, "DEAF_SECONDS", 0.3)
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        link = running.screen.link
        first_pid = link.client.pid
        assert first_pid is not None
        os.kill(first_pid, signal.SIGSTOP)
        await asyncio.sleep(0.5)
        assert not link.deaf, "nobody has asked it to stop"
        await running.pilot.press("escape")
        await running.until(lambda: "does not answer. Esc ends it." in running.remarks())
        assert "does not answer" in running.text().splitlines()[0]
        await running.pilot.press("escape")
        await running.until(lambda: "did not answer and was ended" in running.notes())
        assert not psutil.pid_exists(first_pid)
        assert not link.deaf
        assert "broken off" in running.feet()[0]
        await running.say("Still there?")
        await running.until(lambda: len(running.replies()) == 2)
        await running.writing()
        await running.pilot.press("escape")
        await running.until(lambda: not running.screen.conversing.writing)
        await asyncio.sleep(0.5)
        assert not link.deaf, "it has answered"
    assert [message.role for message in saved(places).messages] == ["user", "assistant", "user", "assistant"]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
async def test_so_can_one_that_never_finishes_loading(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_link, "DEAF_SECONDS", 0.3)
    async with open_app() as running:
        await running.loaded()
        link = running.screen.link
        first_pid = link.client.pid
        assert first_pid is not None
        os.kill(first_pid, signal.SIGSTOP)
        link.load()
        await running.pilot.press("escape")
        await running.until(lambda: "does not answer. Esc ends it." in running.remarks())
        await running.pilot.press("escape")
        await running.until(lambda: link.state is EngineState.OFF)
        await running.say("Hello")
        await running.writing()
        assert link.client.pid != first_pid


async def test_when_nothing_can_be_saved_a_message_stays_in_the_input_and_a_reply_on_the_screen(
    open_app: OpenApp,
) -> None:
    async with open_app() as running:
        await running.loaded()
        store = running.screen.talk.store
        await running.say("Hello")
        await running.writing()
        store._connection.execute("PRAGMA query_only = ON")
        await running.until(lambda: "Saving failed" in running.notes())
        await running.pilot.press("escape")
        await running.replied()
        assert running.replies()[0].text
        await running.say("One more")
        await running.until(lambda: "was not sent" in running.notes())
        assert running.screen.query_one(Composer).text == "One more"
        store._connection.execute("PRAGMA query_only = OFF")
        await running.say("Better?")
        await running.until(lambda: running.questions() == ["Hello", "Better?"])


async def test_a_message_longer_than_the_context_goes_back_into_the_input(
    open_app: OpenApp, random_bpe_model: Path
) -> None:
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        long = "word " * 600
        await running.say(long)
        await running.until(lambda: "context" in running.notes().splitlines()[-1])
        await running.until(lambda: running.screen.query_one(Composer).text == long.strip())
        assert running.questions() == []
        await running.say("short")
        await running.replied()


async def test_a_model_without_a_template_says_how_it_is_talked_to(
    open_app: OpenApp, random_bpe_model_without_template: Path
) -> None:
    async with open_app(random_bpe_model_without_template) as running:
        await running.loaded()
        await running.until(lambda: "no chat template" in running.notes())
        await running.say("Hello")
        await running.replied()


async def test_a_model_that_cannot_be_steered_says_so_and_chats(open_app: OpenApp, tmp_path: Path) -> None:
    async with open_app(write_random_hybrid(tmp_path / "hybrid.gguf")) as running:
        await running.loaded()
        await running.until(lambda: "cannot be steered" in running.notes())
        hint = running.screen.query_one(".panel--hint", Static)
        await running.until(lambda: "cannot be steered" in str(hint.content))
        await running.pilot.press("alt+a")
        await running.until(lambda: "This model cannot be steered" in running.text())
        assert running.app.screen is running.screen
        await running.say("Hello")
        await running.replied()
        assert "unsteered" not in running.feet()[0]


async def test_a_model_that_does_not_load_says_why(open_app: OpenApp, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")
    async with open_app(broken) as running:
        await running.until(lambda: "could not be loaded" in running.notes())
        await running.until(lambda: "broken  not loaded" in running.text())
        await running.say("Hello?")
        await running.until(lambda: running.notes().count("could not be loaded") == 2)
        assert running.questions() == ["Hello?"]
        assert running.replies() == []


async def test_a_reply_that_could_not_be_saved_has_its_place_as_soon_as_it_can_be(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app(settings=Settings(max_tokens=12)) as running:
        await running.loaded()
        talk = running.screen.talk
        begin = talk.begin_reply

        def begin_where_nothing_can_be_written(*given: Any) -> RunningReply:
            talk.store._connection.execute("PRAGMA query_only = ON")
            return begin(*given)

        monkeypatch.setattr(talk, "begin_reply", begin_where_nothing_can_be_written)
        await running.say("Hello")
        await running.replied()
        await running.until(lambda: "Saving failed: Not allowed to write" in " ".join(running.notes().split()))
        assert talk.messages[-1].id < 0
        (view,) = running.replies()
        assert view.message_id is None
        talk.store._connection.execute("PRAGMA query_only = OFF")
        await running.until(lambda: view.message_id)
        assert talk.messages[-1] == talk.store.message(view.message_id or 0)
        assert talk.messages[-1].content == view.written
        await running.pilot.press("alt+u")
        assert running.screen.query_one(Transcript).picked == view.message_id


async def test_a_command_right_behind_enter_finds_the_message_sent(open_app: OpenApp) -> None:
    async with open_app(settings=Settings(max_tokens=4)) as running:
        await running.loaded()
        await running.say("one")
        await running.replied()
        talk = running.screen.talk
        first = talk.conversation
        assert first is not None
        running.screen.query_one(Composer).text = "two"
        at_once(running, "enter", "ctrl+n")
        await running.until(lambda: talk.conversation is None)
        await quiet(running)
        assert talk.messages == []
        assert [one.content for one in talk.store.open(first.id).messages if one.role == "user"] == ["one", "two"]


async def test_what_is_typed_right_before_saving_is_in_the_system_prompt(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+s")
        await running.until(lambda: isinstance(running.app.screen, SystemPrompt) and running.app.screen.focused)
        at_once(running, *"Rhyme", "ctrl+s")
        await running.until(lambda: running.app.screen is running.screen)
        await running.until(lambda: running.screen.talk.system_prompt == "Rhyme")
