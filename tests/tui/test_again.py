"""A reply from history, written again by one key on the real engine and compared with its record."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

from localsteer.chat.conversation import StoredMessage
from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.tui.signs import UP
from localsteer.tui.talk import Talk
from tests.tui.conftest import OpenApp, Running, remarks

SHORT = replace(Settings(), max_tokens=120)


async def turned_while_writing(app: Running) -> None:
    """A dial, and a reply during which it is turned up and down again."""
    await app.loaded()
    await app.pilot.press("alt+a")
    await app.until(lambda: "heat" in app.text())
    await app.pilot.press("enter")
    await app.until(lambda: app.screen.dialling.rack.dials)
    await app.say("Tell me about the weather.")
    await app.until(lambda: app.replies() and app.replies()[-1].text)
    await app.pilot.press("alt+up")
    written = len(app.replies()[-1].text)
    await app.until(lambda: len(app.replies()[-1].text) > written)
    await app.pilot.press("alt+left")
    await app.replied()


async def test_a_reply_during_which_dials_were_turned_comes_again_identical(
    open_app: OpenApp, heat_at_hand: Path
) -> None:
    async with open_app(settings=SHORT, temperature=0.9) as app:
        await turned_while_writing(app)
        (reply,) = [message for message in app.screen.talk.messages if message.role == "assistant"]
        assert reply.reply is not None
        assert len({mark.dials for mark in reply.reply.marks}) >= 3
        # What comes between must not matter.
        await app.pilot.press("alt+z")
        await app.say("And tomorrow?")
        await app.replied(2)
        await app.pilot.press("alt+u", "alt+u", "alt+u")
        assert app.screen.revisiting.chosen == reply
        await app.pilot.press("alt+g")
        await app.until(lambda: "came again identical, 120 tokens." in app.notes())
        assert len(app.replies()) == 2
        assert app.screen.talk.store.alternatives(reply.id) == (reply.id,)


async def test_it_comes_again_identical_on_another_day(open_app: OpenApp, heat_at_hand: Path) -> None:
    async with open_app(settings=SHORT, temperature=0.9) as app:
        await turned_while_writing(app)
        await app.until(lambda: UP in app.text())
    async with open_app(settings=replace(SHORT, signs=False)) as app:
        await app.loaded()
        await app.pilot.press("ctrl+o")
        await app.until(lambda: "Tell me about the weather." in app.text())
        await app.pilot.press("enter")
        await app.replied()
        # Without its sign, where the person wants none.
        assert UP not in app.text()
        await app.pilot.press("alt+g")
        await app.until(lambda: "came again identical, 120 tokens." in app.notes())


async def test_one_that_was_broken_off_comes_again_as_far_as_it_came(open_app: OpenApp) -> None:
    async with open_app(temperature=0.9) as app:
        await app.loaded()
        await app.say("Tell me about the weather.")
        await app.until(lambda: app.replies() and len(app.replies()[-1].text) > 20)
        pid = app.screen.link.client.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        await app.until(lambda: "broken off" in "".join(app.feet()))
        broken = app.screen.talk.messages[-1].reply
        assert broken is not None
        await app.pilot.press("alt+g")
        await app.until(lambda: f"came again identical, {len(broken.tokens)} tokens." in app.notes())


async def test_what_is_missing_for_it_is_said(open_app: OpenApp, heat_at_hand: Path, places: Places) -> None:
    async with open_app(settings=SHORT) as app:
        await turned_while_writing(app)
        talk = app.screen.talk
        (reply,) = [message for message in talk.messages if message.role == "assistant"]
        assert reply.reply is not None
        for vector in places.vectors.rglob("heat.gguf"):
            vector.rename(vector.with_suffix(".elsewhere"))
        await app.pilot.press("alt+g")
        await app.until(lambda: "steered by what is gone: heat" in remarks(app))
        for record, said in (
            (replace(reply.reply, model_id="another", model_name="Big One", model_path="/gone.gguf"), "Big One, whose"),
            (replace(reply.reply, seed=None, marks=()), "no seed"),
            (None, "is not known"),
        ):
            talk.replace(replace(reply, reply=record))
            await app.pilot.press("alt+g")
            await app.until(partial(lambda words: words in remarks(app), said))


async def one_that_will_differ(app: Running) -> tuple[Talk, StoredMessage]:
    """A reply whose record here has another seed than it was written with; it, as it is kept."""
    await app.loaded()
    await app.say("Tell me about the weather.")
    await app.replied()
    talk = app.screen.talk
    reply = talk.messages[-1]
    assert reply.reply is not None
    assert reply.reply.seed is not None
    talk.replace(replace(reply, reply=replace(reply.reply, seed=reply.reply.seed + 1)))
    return talk, reply


async def test_one_that_comes_out_differently_is_kept_as_an_alternative(
    open_app: OpenApp,
) -> None:
    async with open_app(settings=SHORT, temperature=0.9) as app:
        talk, reply = await one_that_will_differ(app)
        await app.pilot.press("alt+g")
        await app.until(lambda: "came out differently from token" in app.notes())
        assert len(talk.store.alternatives(reply.id)) == 2
        assert talk.messages[-1].id == reply.id
        await app.pilot.press("alt+full_stop")
        await app.until(lambda: talk.messages[-1].id != reply.id)


async def test_one_that_comes_out_differently_changes_nothing_of_the_path(open_app: OpenApp) -> None:
    async with open_app(settings=SHORT, temperature=0.9) as app:
        talk, reply = await one_that_will_differ(app)
        await app.screen.again.begin(talk.messages[-1])
        # Another reply waits meanwhile; its place is empty on the screen.
        await app.screen.conversing.again()
        assert [message.role for message in talk.messages] == ["user"]
        [job] = app.screen.link._waiting
        app.screen.link._waiting.clear()
        await app.until(lambda: "came out differently from token" in app.notes())
        await app.screen.conversing.forget([job])
        assert len(talk.store.alternatives(reply.id)) == 2
        assert [message.id for message in talk.messages] == [reply.parent_id, reply.id]
        await app.until(lambda: [view.message_id for view in app.replies()] == [reply.id])
