"""A message answered side by side on the real engine, and what is kept of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from localsteer.chat.conversation import ReplyRecord, StoredMessage
from localsteer.chat.replay import replay
from localsteer.chat.store import ConversationStore
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Finished, Load, Loaded
from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.tui import comparing
from localsteer.tui.dialogs.compare import CompareScreen
from localsteer.tui.dialogs.conversations import Opened
from localsteer.tui.dialogs.models import Models
from localsteer.tui.side_by_side import SideBySide
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.messages import ReplyView
from localsteer.tui.widgets.side_column import SideColumn
from localsteer.tui.widgets.transcript import Transcript
from tests.tui.conftest import OpenApp, Running
from tests.tui.test_dials import add_heat, strengths
from tests.tui.test_steady import at_once, quiet

pytestmark = pytest.mark.usefixtures("heat_at_hand")
SHORT = Settings(max_tokens=12)
STEERED = 1.5


@pytest.fixture(autouse=True)
def patient(patient_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patient model writes no faster than a test needs it."""
    monkeypatch.setattr(comparing, "pace_of", lambda card: 60.0 if card.path == str(patient_model) else 0.0)


async def steer(running: Running) -> None:
    """A dial, turned."""
    await add_heat(running)
    await running.screen.dialling.change(lambda rack: rack.set_strength(0, STEERED))


def view(running: Running) -> CompareScreen:
    assert isinstance(running.app.screen, CompareScreen)
    return running.app.screen


def now(running: Running) -> SideBySide:
    found = running.screen.comparing.now
    assert found is not None
    return found


async def compared(running: Running, sides: int) -> None:
    await running.until(lambda: running.screen.comparing.now is not None and len(now(running).replies) == sides)
    await running.until(lambda: not now(running).running)


def record(message: StoredMessage) -> ReplyRecord:
    assert message.reply is not None
    return message.reply


def stored(places: Places) -> tuple[tuple[StoredMessage, ...], list[StoredMessage]]:
    """The chosen path, and everything that stands in its last message's place."""
    store = ConversationStore(places.conversations)
    try:
        conversation = store.latest()
        assert conversation is not None
        last = conversation.messages[-1]
        return conversation.messages, [store.message(one) for one in store.alternatives(last.id)]
    finally:
        store.close()


async def test_both_sides_stream_together_and_the_kept_one_is_the_reply_with_its_dials_and_can_be_had_again(
    open_app: OpenApp, places: Places, patient_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Slow enough that the screen is painted in the middle of it on a busy machine, too.
    monkeypatch.setattr(comparing, "pace_of", lambda _: 4.0)
    async with open_app(temperature=1.0, settings=SHORT) as running:
        await steer(running)
        await running.say("the people find the word")
        await running.replied()
        first = running.screen.talk.messages[-1].id
        await running.pilot.press("alt+c")
        await running.until(lambda: all(0 < len(reply.tokens) < 12 for reply in now(running).replies))
        await running.until(lambda: all(words in running.text() for words in ("steered", "unsteered", "+1.50", "▌")))
        await compared(running, 2)
        steered, unsteered = (reply.finished for reply in now(running).replies)
        assert steered is not None
        assert unsteered is not None
        assert steered.seed == unsteered.seed
        assert steered.tokens != unsteered.tokens
        await running.until(lambda: all(reply.perplexity is not None for reply in now(running).replies))
        await running.until(lambda: running.text().count("perplexity") == 2)
        # Closed without keeping anything, it is as it was, and there to be looked at again.
        before = now(running)
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.screen)
        assert running.screen.talk.messages[-1].id == first
        await running.pilot.press("alt+c")
        await running.until(lambda: isinstance(running.app.screen, CompareScreen) and view(running)._columns)
        assert now(running) is before
        await running.pilot.press("right", "enter")
        await running.until(lambda: running.app.screen is running.screen)
        assert running.feet()[0].startswith("unsteered")
        # The dials stay as they were unless the person takes those of the side.
        assert strengths(running) == {"heat": STEERED}
        await running.pilot.press("alt+c")
        await compared(running, 2)
        await running.pilot.press("1", "enter")
        await running.until(lambda: running.app.screen is running.screen)
        await running.until(lambda: running.feet()[0].startswith("heat +1.5"))
        assert len(running.replies()) == 1
        kept = running.screen.talk.messages[-1]
    path, alternatives = stored(places)
    assert [message.role for message in path] == ["user", "assistant"]
    assert path[-1].id == kept.id
    assert record(alternatives[1]).marks[0].dials == ()
    assert alternatives[0].id == first
    reply = record(path[-1])
    assert [(dial.name, dial.strength) for dial in reply.marks[0].dials] == [("heat", STEERED)]
    assert reply.seconds is not None
    assert reply.seconds_to_first is not None
    assert 0 < reply.seconds_to_first < reply.seconds < 30
    assert written_again(places, path[-1], patient_model) == reply.tokens


def written_again(places: Places, message: StoredMessage, model: Path) -> tuple[int, ...]:
    store = ConversationStore(places.conversations)
    with EngineClient() as client:
        client.send(Load(client.new_request(), str(model)))
        loaded = list(client.events(1))[-1]
        assert isinstance(loaded, Loaded)
        turns = store.turns_again(message.id, loaded.card)
        command = replay(record(message), turns, loaded.card, client.new_request())
        client.send(command)
        finished = list(client.events(command.request))[-1]
    store.close()
    assert isinstance(finished, Finished)
    return finished.tokens


async def test_a_message_is_written_there_answered_as_a_strip_and_all_sides_are_kept(
    open_app: OpenApp, places: Places
) -> None:
    async with open_app(settings=SHORT, size=(80, 24)) as running:
        await add_heat(running)
        await running.pilot.press("alt+c")
        await running.until(lambda: isinstance(running.app.screen, CompareScreen) and view(running).is_mounted)
        await running.until(lambda: view(running).query_one(Input).has_focus)
        await running.pilot.press(*"the word", "enter")
        # No dial is turned, so it is a strip; of its five columns two fit.
        await compared(running, 5)
        await running.until(lambda: "5 heat" in running.text())
        shown = [column for column in view(running).query(SideColumn) if column.display]
        assert len(shown) == 2
        await running.pilot.press("e")
        await running.until(lambda: view(running).query_one(Input).has_focus)
        view(running).query_one(Input).value = "-1 0 +1.5"
        await running.pilot.press("enter")
        await compared(running, 3)
        assert [reply.side.lean for reply in now(running).replies] == [-1.0, 0.0, 1.5]
        for width in (140, 30):
            await running.pilot.resize_terminal(width, 20)
            count = min(3, width // 28)
            await running.until(
                lambda count=count: sum(column.display for column in view(running).query(SideColumn)) == count  # type: ignore[misc]
            )
        await running.pilot.press("3", "a")
        await running.until(lambda: running.app.screen is running.screen)
        assert running.questions() == ["the word"]
        assert running.feet()[0].startswith("heat +1.5")
    path, alternatives = stored(places)
    assert path[0].content == "the word"
    assert path[-1].id == alternatives[-1].id
    marks = [record(message).marks[0].dials for message in alternatives]
    assert [[dial.strength for dial in dials] for dials in marks] == [[-1.0], [], [1.5]]
    assert all(record(message).course is not None for message in alternatives)


async def test_stopped_written_with_another_seed_and_kept_with_its_dials(open_app: OpenApp, places: Places) -> None:
    async with open_app(temperature=1.0) as running:
        await steer(running)
        running.screen.comparing.open("the people")
        await running.until(lambda: all(len(reply.tokens) > 3 for reply in now(running).replies))
        await running.pilot.press("enter")
        await running.until(lambda: "still being written" in running.text())
        await running.pilot.press("escape")
        await compared(running, 2)
        seed = now(running).begun
        assert seed is not None
        await running.pilot.press("r")
        await running.until(lambda: now(running).begun not in (None, seed))
        await running.until(lambda: all(len(reply.tokens) > 3 for reply in now(running).replies))
        assert now(running).begun != seed
        await running.pilot.press("escape")
        await compared(running, 2)
        await running.pilot.press("2", "t")
        await running.until(lambda: running.app.screen is running.screen)
        assert strengths(running) == {}
        assert running.questions() == ["the people"]
        assert "stopped" in running.feet()[0]
        # The conversation goes on from there, and what is being written at the end is not lost.
        running.screen.comparing.open("and then")
        await running.until(lambda: all(len(reply.tokens) > 3 for reply in now(running).replies))
    path, alternatives = stored(places)
    assert [message.role for message in path] == ["user", "assistant", "user", "assistant"]
    assert path[2].content == "and then"
    # With its dials at 0 it was a strip.
    assert [message.id for message in alternatives].index(path[-1].id) == 4
    assert all(len(record(message).tokens) > 3 for message in alternatives)


async def test_what_cannot_be_compared_says_why(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("alt+c")
        await running.until(lambda: "no dial yet" in running.text())
        await steer(running)
        await running.say("the people")
        await running.until(lambda: running.screen.conversing._replies[0].tokens > 1)
        await running.pilot.press("alt+c")
        await running.until(lambda: "A reply is being written" in running.text())
        assert running.app.screen is running.screen
        # While it compares the engine dies: what was written is there to be kept.
        await running.pilot.press("escape")
        await running.replied()
        await running.pilot.press("alt+c")
        await running.until(lambda: all(len(reply.tokens) > 3 for reply in now(running).replies))
        pid = running.screen.link.client.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        await running.until(lambda: not now(running).running)
        await running.until(lambda: "What was" in running.text())
        written = now(running).replies[0].text
        await running.pilot.press("enter")
        await running.until(lambda: running.app.screen is running.screen)
        assert running.screen.query(ReplyView).last().written == written.strip("\n")
        assert "broken off" in running.feet()[0]


async def test_a_second_enter_asks_for_nothing_more(open_app: OpenApp) -> None:
    async with open_app(temperature=1.0, settings=SHORT) as running:
        await steer(running)
        await running.say("the people find the word")
        await running.replied()
        await running.pilot.press("alt+c")
        await compared(running, 2)
        before, field = now(running), view(running).query_one(Input)
        field.post_message(Input.Submitted(field, "and another word"))
        await running.pilot.pause()
        assert now(running) is before
        await running.pilot.press("escape")


@pytest.mark.parametrize("key", ["enter", "t", "a"])
async def test_a_side_that_is_gone_a_moment_later_is_not_kept(key: str, open_app: OpenApp) -> None:
    async with open_app(temperature=1.0, settings=SHORT) as running:
        await steer(running)
        await running.say("the people find the word")
        await running.replied()
        replies = running.replies()
        await running.pilot.press("alt+c")
        await compared(running, 2)
        await running.pilot.press("s")
        await compared(running, 5)
        await running.pilot.press("5")
        await running.until(lambda: view(running).picked == 4)
        # The line-up of two begins, and the key comes before the screen shows it.
        for pressed in ("s", key):
            running.app.post_message(events.Key(pressed, pressed if len(pressed) == 1 else None))
        await compared(running, 2)
        await running.until(lambda: view(running).picked == 1)
        assert running.replies() == replies


async def test_nothing_is_begun_for_nobody_while_a_side_is_kept(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app(settings=SHORT) as running:
        await running.loaded()
        await steer(running)
        await running.say("Hello")
        await running.replied()
        await running.pilot.press("alt+c")
        await compared(running, 2)
        kept = now(running).replies[0].finished
        transcript = running.screen.query_one(Transcript)
        remove = transcript.remove_answer

        async def again_meanwhile() -> None:
            running.screen.comparing.again()
            await remove()

        monkeypatch.setattr(transcript, "remove_answer", again_meanwhile)
        await running.pilot.press("enter")
        await running.until(lambda: running.app.screen is running.screen)
        assert not running.screen.link.has("comparison")
        assert kept is not None
        assert running.screen.talk.messages[-1].content == kept.text


async def test_a_reply_is_not_kept_where_the_conversation_has_gone_on(open_app: OpenApp) -> None:
    async with open_app(settings=SHORT) as running:
        await steer(running)
        await running.say("one")
        await running.replied()
        running.screen.query_one(Composer).text = "two"
        # The second key comes before the screen shows the comparison.
        at_once(running, "alt+c", "enter")
        await compared(running, 2)
        talk = running.screen.talk
        await running.until(lambda: len(talk.messages) == 4 and not running.screen.conversing.writing)
        await running.pilot.press("enter")
        await running.until(lambda: "has gone on since" in running.remarks())
        assert [(one.role, one.alternatives) for one in talk.messages] == [("user", 1), ("assistant", 1)] * 2


async def test_a_comparison_goes_when_another_model_comes(
    open_app: OpenApp, random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app(settings=SHORT) as running:
        await steer(running)
        await running.say("one")
        await running.replied()
        await running.pilot.press("alt+c")
        await compared(running, 2)
        await running.pilot.press("escape", "ctrl+l")
        await running.until(lambda: isinstance(running.app.screen, Models) and running.app.screen.focused)
        window = running.app.screen
        assert isinstance(window, Models)
        # It is never loaded.
        monkeypatch.setattr(running.screen.link, "load", lambda: None)
        # The window of models is just closing.
        running.app.post_message(events.Key("alt+c", None))
        window.dismiss(random_bpe_model)
        await running.until(lambda: running.screen.link.card is None)
        running.app.post_message(events.Key("enter", None))
        await quiet(running)
        assert running.app.screen is running.screen
        assert len(running.screen.talk.messages) == 2


async def test_what_is_kept_stands_at_the_end_though_an_earlier_part_was_shown(
    open_app: OpenApp, places: Places
) -> None:
    messages = tuple(
        TreeMessage(
            number - 1 if number else None, "assistant" if number % 2 else "user", f"word{number}", float(number)
        )
        for number in range(80)
    )
    with ConversationStore(places.conversations) as store:
        long = store.add_tree(ConversationTree("Long", messages=messages))
        early = store.search("word20", 1)[0].message_id
    async with open_app(settings=SHORT) as running:
        await steer(running)
        await running.screen.open_conversation(Opened(long.id, early))
        assert running.screen.query_one(Transcript).more_after
        await running.pilot.press("alt+c")
        await compared(running, 2)
        await running.pilot.press("enter")
        await running.until(lambda: running.app.screen is running.screen)
        shown = running.screen.query_one(Transcript).ids
        assert shown == [one.id for one in running.screen.talk.messages][-len(shown) :]


async def test_sides_are_not_kept_by_quitting_where_the_conversation_has_gone_on(open_app: OpenApp) -> None:
    async with open_app(settings=SHORT) as running:
        await steer(running)
        await running.say("one")
        await running.replied()
        await running.pilot.press("alt+c")
        await compared(running, 2)
        talk = running.screen.talk
        await running.until(lambda: running.screen.comparing.now and not running.screen.comparing.now.running)
        talk.say("two")
        running.screen.comparing.close()
        talk.open(talk.store.open(talk.conversation.id)) if talk.conversation else None
        assert [(one.role, one.alternatives) for one in talk.messages] == [("user", 1), ("assistant", 1), ("user", 1)]
