"""Back to where everything stands after a monkey was at the keys, and whether all is well there."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from localsteer.chat.store import ConversationStore
from localsteer.library.places import Places
from localsteer.tui.engine_link import EngineState
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.messages import ReplyView, UserView
from localsteer.tui.widgets.transcript import Transcript
from tests.hardening.monkey import PATIENCE, Monkey


class Quit(Exception):
    """What the monkey did last was to quit, and the app has come to it."""


async def until(monkey: Monkey, true: Callable[[], object]) -> None:
    """Go on as soon as ``true()`` is. Raises Quit."""
    end = time.monotonic() + PATIENCE
    while not true():
        if monkey.has_quit:
            raise Quit
        assert monkey.running, f"the app is gone\n{monkey.story()}"
        assert time.monotonic() < end, f"waited in vain\n{monkey.story()}\n{shown(monkey)}"
        await asyncio.sleep(0.02)


def shown(monkey: Monkey) -> str:
    """Every character on the terminal."""
    size = monkey.app.size
    return "\n".join(strip.text.rstrip() for strip in monkey.app.screen._compositor.render_strips(size))


def standing(monkey: Monkey) -> str:
    """Each screen from below: what has its keys, and which of its parts hear nothing."""
    return "\n".join(
        f"{screen} is_mounted={screen.is_mounted} is_running={screen.is_running} focused={screen.focused} "
        f"deaf={[one for one in screen.walk_children() if not one.is_running or one.message_queue_size]}"
        for screen in monkey.app.screen_stack
    )


async def come_back(monkey: Monkey) -> None:
    """Out of all dialogs with Esc, into the input, until nothing is on its way. Raises Quit."""
    app = monkey.app
    monkey.resize(100, 30)
    await monkey.settle()
    for _ in range(80):
        if len(app.screen_stack) == 1:
            break
        monkey.key("escape")
        await monkey.settle()
        await asyncio.sleep(0.05)
        if monkey.has_quit:
            raise Quit
    assert len(app.screen_stack) == 1, f"Esc does not lead out\n{standing(monkey)}\n{monkey.story()}\n{shown(monkey)}"
    link = monkey.chat.link
    for _ in range(5):
        monkey.key("escape")
        await monkey.settle()
    await until(monkey, lambda: link.state in {EngineState.READY, EngineState.OFF} and not link.waiting)
    await until(monkey, lambda: not monkey.chat.conversing.writing)
    monkey.chat.query_one(Composer).focus()
    await monkey.settle()


def check_kept(monkey: Monkey, places: Places) -> None:
    """The database is whole, its trees are trees, and what is on the screen is what it says."""
    story = monkey.story()
    with closing(sqlite3.connect(places.conversations)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], story
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == [], story
        torn = connection.execute(
            "SELECT m.id FROM messages m LEFT JOIN messages p ON p.id = m.parent_id WHERE m.parent_id IS NOT NULL "
            "AND (p.id IS NULL OR p.conversation_id != m.conversation_id OR p.id >= m.id "
            "OR (p.deletion_id IS NOT NULL AND m.deletion_id IS NULL))"
        ).fetchall()
        assert torn == [], story
    talk = monkey.chat.talk
    on_screen = [
        view.message_id for view in monkey.chat.query("UserView, ReplyView") if isinstance(view, UserView | ReplyView)
    ]
    here = [(message.id, message.role, message.content) for message in talk.messages]
    ids = [one[0] for one in here]
    # A conversation may be open in its middle.
    first, middle = on_screen[0] if on_screen else None, monkey.chat.query_one(Transcript).more_after
    begin = ids.index(first) if middle and first in ids else len(ids) - len(on_screen)
    assert on_screen == ids[begin : begin + len(on_screen)], f"{on_screen} of {here}\n{story}\n{shown(monkey)}"
    if talk.conversation is not None:
        with ConversationStore(places.conversations) as store:
            path = store.open(talk.conversation.id, last=None).messages
        kept = [(message.id, message.role, message.content) for message in path]
        # Messages that could not be answered are back in the input, and in the record still.
        while kept and kept[-1] not in here and kept[-1][1] == "user":
            kept.pop()
        assert here == kept[len(kept) - len(here) :], f"{here}\n{kept}\n{story}"


async def say_something_plain(monkey: Monkey) -> None:
    """A new conversation, a message, an answer."""
    chat = monkey.chat
    monkey.key("ctrl+n")
    await monkey.settle()
    await until(monkey, lambda: not chat.talk.messages)
    await chat.set_system_prompt("")
    chat.query_one(Composer).text = "Tell me about gardens."
    monkey.key("enter")
    await until(monkey, lambda: len(chat.talk.messages) == 2 and not chat.conversing.writing)
    assert chat.talk.messages[-1].role == "assistant"
