"""Messages that were said before: picked, edited, answered again, left for a branch, deleted and had back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from localsteer.chat.store import ConversationStore
from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.tui.dialogs.conversations import Opened
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.past_page import PastPage
from localsteer.tui.widgets.transcript import Transcript
from tests.benchmarks.conversations import conversation
from tests.tui.conftest import OpenApp, Running, remarks
from tests.tui.test_steady import at_once, quiet

BRIEF = replace(Settings(), max_tokens=3, n_ctx=512)


def shown(app: Running) -> list[str]:
    return [message.content for message in app.screen.talk.messages if message.role == "user"]


def picked(app: Running) -> str:
    message = app.screen.talk.find(app.screen.query_one(Transcript).picked)
    return message.content if message else ""


async def said(app: Running, *texts: str) -> None:
    await app.loaded()
    for number, text in enumerate(texts, 1):
        await app.say(text)
        await app.replied(number)


async def test_editing_picked_messages_begins_branches_that_are_stepped_through(open_app: OpenApp) -> None:
    async with open_app(settings=BRIEF) as app:
        await said(app, "One", "Two")
        await app.pilot.press("alt+u", "alt+u")
        await app.until(lambda: picked(app) == "Two")
        await app.pilot.press("alt+e")
        composer = app.screen.query_one(Composer)
        await app.until(lambda: composer.text == "Two")
        assert "editing" in app.text()
        # Esc leaves it, and gives the draft back.
        await app.pilot.press("escape")
        await app.until(lambda: composer.text == "")
        await app.pilot.press("alt+e")
        await app.until(lambda: composer.text == "Two")
        await app.pilot.press(*"!", "enter")
        await app.until(lambda: shown(app) == ["One", "Two!"] and not app.screen.conversing.writing)
        await app.until(lambda: "‹ 2/2 ›" in app.text())
        await app.pilot.press("alt+u", "alt+u", "alt+comma")
        await app.until(lambda: shown(app) == ["One", "Two"])
        assert picked(app) == "Two"
        assert len(app.screen.talk.messages) == 4
        await app.pilot.press("alt+full_stop")
        await app.until(lambda: shown(app) == ["One", "Two!"])
        await app.pilot.press("alt+full_stop")
        await app.until(lambda: "last of 2" in remarks(app))


async def test_another_reply_to_a_picked_question_is_an_alternative_with_buttons(open_app: OpenApp) -> None:
    async with open_app(settings=BRIEF) as app:
        await said(app, "One", "Two")
        await app.pilot.press("alt+u", "alt+u", "alt+u")
        await app.until(lambda: app.screen.revisiting.chosen == app.screen.talk.messages[1])
        await app.pilot.press("ctrl+r")
        await app.until(lambda: shown(app) == ["One"] and not app.screen.conversing.writing)
        # With its perplexity, which comes a moment later, the line may be two.
        await app.until(lambda: "perplexity" in app.feet()[-1] and "2/2" in app.feet()[-1])
        await app.pilot.pause()
        first, second = app.screen.talk.store.alternatives(app.screen.talk.messages[1].id)
        foot = app.replies()[-1].query_one(".reply--foot")
        lines = [foot.render_line(y).text for y in range(foot.region.height)]
        (y,) = (y for y, line in enumerate(lines) if "‹" in line)
        await app.pilot.click(foot, offset=(lines[y].index("‹"), y))
        await app.until(lambda: app.screen.talk.messages[1].id == first)
        assert shown(app) == ["One", "Two"]
        assert second in app.screen.talk.store.alternatives(first)


async def test_deleting_and_going_on_elsewhere_are_undone(open_app: OpenApp) -> None:
    async with open_app(settings=BRIEF) as app:
        await said(app, "One", "Two")
        await app.pilot.press("alt+u", "alt+u", "alt+w")
        await app.until(lambda: shown(app) == ["One"])
        await app.until(lambda: "Ctrl+Z has it back" in remarks(app))
        await app.pilot.press("escape")
        await app.until(lambda: not remarks(app))
        await app.pilot.press("ctrl+z")
        await app.until(lambda: shown(app) == ["One", "Two"])
        # Enter in an empty input goes on from the picked message.
        await app.pilot.press("alt+u", "alt+u", "alt+u")
        await app.pilot.press("enter")
        await app.until(lambda: shown(app) == ["One"] and len(app.screen.talk.messages) == 2)
        await app.pilot.press("ctrl+z")
        await app.until(lambda: shown(app) == ["One", "Two"])
        await app.pilot.press("alt+u", "alt+u", "alt+u", "enter")
        await app.until(lambda: shown(app) == ["One"])
        await app.say("Three")
        await app.until(lambda: shown(app) == ["One", "Three"] and not app.screen.conversing.writing)
        await app.until(lambda: "2/2" in app.text())
        await app.pilot.press("ctrl+z")
        await app.until(lambda: shown(app) == ["One", "Two"])
        await app.pilot.press("ctrl+z")
        await app.until(lambda: "nothing to undo" in remarks(app))


async def test_a_click_picks_and_copying_takes_the_picked_message(open_app: OpenApp) -> None:
    async with open_app(settings=BRIEF) as app:
        await said(app, "One", "Two")
        await app.pilot.click("UserView")
        await app.until(lambda: picked(app) == "One")
        await app.until(lambda: "go on here" in app.text() or "edit" in app.text())
        await app.pilot.press("alt+y")
        await app.until(lambda: "Copied “One”" in remarks(app))
        await app.pilot.press("alt+j", "alt+j")
        await app.until(lambda: picked(app) == "Two")
        await app.pilot.press("escape")
        await app.until(lambda: not picked(app))


async def test_of_a_long_conversation_the_end_is_mounted_and_the_rest_comes_as_one_scrolls(
    open_app: OpenApp, places: Places
) -> None:
    with ConversationStore(places.conversations) as store:
        long = store.add_tree(conversation(120)).id
        ids = [message.id for message in store.open(long, last=None).messages]
    async with open_app(settings=BRIEF) as app:
        await app.loaded()
        await app.screen.open_conversation(Opened(long))
        transcript = app.screen.query_one(Transcript)
        assert transcript.ids == ids[-24:]
        await app.until(lambda: "number119" in app.text())
        while len(transcript.ids) < 120:
            many = len(transcript.ids)
            top = next(view for view in transcript.query(PastPage))
            transcript.scroll_home(animate=False)
            await app.until(partial(lambda before: len(transcript.ids) > before, many))
            # What was at the top still is.
            await app.until(partial(lambda view: view.region.y == transcript.scrollable_content_region.y, top))
        assert transcript.ids == ids
        # From a search in the middle of it both ways are open.
        await app.screen.open_conversation(Opened(long, ids[30]))
        assert transcript.picked == ids[30]
        await app.until(lambda: "number30 " in app.text())
        transcript.scroll_end(animate=False)
        await app.until(lambda: ids[60] in transcript.ids)
        await app.say("And now?")
        await app.until(lambda: "And now?" in app.text() and not app.screen.conversing.writing)
        assert app.screen.talk.messages[-2].parent_id == ids[-1]


async def test_of_a_conversation_that_grows_long_the_first_messages_go_and_come_again(open_app: OpenApp) -> None:
    async with open_app(settings=BRIEF, size=(80, 24)) as app:
        await app.loaded()
        app.screen.talk.set_system_prompt("You are a gardener.")
        transcript = app.screen.query_one(Transcript)

        async def say(numbers: range) -> None:
            for number in numbers:
                message = app.screen.talk.say(f"number{number} of them")
                await transcript.add_user(message.content, message.id)

        await say(range(40))
        await transcript.add_note("The system prompt is this.", at=0)
        await say(range(40, 300))
        ids = [message.id for message in app.screen.talk.messages]
        assert len(ids) == 300
        assert transcript.ids == ids[-len(transcript.ids) :]
        assert len(transcript.query(PastPage)) <= 13
        assert transcript.more_before
        await app.until(lambda: "number299" in app.text())
        while len(transcript.ids) < 300:
            many = len(transcript.ids)
            transcript.scroll_home(animate=False)
            await app.until(partial(lambda before: len(transcript.ids) > before, many))
        assert transcript.ids == ids
        transcript.scroll_home(animate=False)
        await app.until(lambda: "number0 " in app.text() and "gardener" in app.text())
        # At the end again the first ones go, whichever way they came.
        transcript.pick(ids[0])
        await say(range(300, 315))
        ids = [message.id for message in app.screen.talk.messages]
        assert transcript.ids == ids[-len(transcript.ids) :]
        assert len(transcript.ids) < 200
        assert transcript.picked is None


async def test_what_is_damaged_in_a_record_is_said_at_its_message(open_app: OpenApp, places: Places) -> None:
    with ConversationStore(places.conversations) as store:
        long = store.add_tree(conversation(4)).id
        store._connection.execute("UPDATE replies SET marks = 'nonsense'")
    async with open_app(settings=BRIEF) as app:
        await app.loaded()
        await app.screen.open_conversation(Opened(long))
        await app.until(lambda: "Damaged in this record: marks" in " ".join(app.text().split()))


@pytest.mark.parametrize("key", ["alt+w", "alt+e"])
async def test_a_command_right_behind_enter_leaves_what_was_said_before_alone(key: str, open_app: OpenApp) -> None:
    async with open_app(settings=Settings(max_tokens=4)) as running:
        await running.loaded()
        await running.say("one")
        await running.replied()
        before = [(one.id, one.alternatives) for one in running.screen.talk.messages]
        running.screen.query_one(Composer).text = "two"
        at_once(running, "enter", key)
        await running.replied(2)
        await quiet(running)
        messages = running.screen.talk.messages
        assert [(one.id, one.alternatives) for one in messages[:2]] == before
        assert messages[2].content == "two"


async def test_a_deletion_that_cannot_be_undone_now_can_be_undone_later(open_app: OpenApp) -> None:
    async with open_app(settings=Settings(max_tokens=4)) as running:
        await running.loaded()
        await running.say("one")
        await running.replied()
        before = [one.id for one in running.screen.talk.messages]
        await running.pilot.press("alt+w")
        await running.until(lambda: [one.id for one in running.screen.talk.messages] == before[:1])
        connection = running.screen.talk.store._connection
        connection.execute("PRAGMA query_only = ON")
        await running.screen.revisiting.undo()
        assert running.screen.revisiting.can_undo
        connection.execute("PRAGMA query_only = OFF")
        await running.screen.revisiting.undo()
        assert [one.id for one in running.screen.talk.messages] == before
        assert not running.screen.revisiting.can_undo
