"""Whatever is pressed, clicked, pasted and resized: the app neither breaks nor tangles what it keeps."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import webbrowser
from contextlib import closing
from pathlib import Path

import pytest

from localsteer.chat.store import ConversationStore
from localsteer.library.models import PRACTICE
from localsteer.library.places import Places, practice_model
from localsteer.tui import conversing
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.engine_link import EngineState
from localsteer.tui.opening import open_with
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.messages import ReplyView, UserView
from tests.hardening.monkey import PATIENCE, Monkey, Reached, Trouble
from tests.library.hub_server import running_hub

SECONDS = 200.0
"""A seed of the long run plays at most so long."""
ROUND = 1000


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """Nothing outside this test is read, written or opened: home, working folder, hub, browser and clipboard are its
    own.
    """
    person = tmp_path / "person"
    person.mkdir()
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(name, str(person))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "HF_HUB_CACHE", "LLAMA_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    # Far away from the machine's own clipboard: the terminal is asked instead, and this one is none.
    monkeypatch.setenv("SSH_CONNECTION", "127.0.0.1 1 127.0.0.1 1")
    monkeypatch.chdir(person)
    monkeypatch.setattr(webbrowser, "open", lambda *_: True)
    monkeypatch.setattr(conversing, "pace_of", lambda card: 120.0)
    home = tmp_path / "home"
    places = Places(data=home, config=home, logs=home / "logs")
    places.models.mkdir(parents=True)
    (places.models / "broken.gguf").write_bytes(practice_model().read_bytes()[:4000])
    (places.models / "other.gguf").write_bytes(practice_model().read_bytes())
    return places


async def until(monkey: Monkey, true: object) -> None:
    end = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert monkey.running, f"the app is gone\n{monkey.story()}"
        assert time.monotonic() < end, f"waited in vain\n{monkey.story()}\n{shown(monkey)}"
        await asyncio.sleep(0.02)


def shown(monkey: Monkey) -> str:
    size = monkey.app.size
    return "\n".join(strip.text.rstrip() for strip in monkey.app.screen._compositor.render_strips(size))


async def come_back(monkey: Monkey) -> None:
    """Out of all dialogs with Esc, into the input, until nothing is on its way."""
    app = monkey.app
    monkey.resize(100, 30)
    await monkey.settle()
    for _ in range(80):
        if len(app.screen_stack) == 1:
            break
        monkey.key("escape")
        await monkey.settle()
        await asyncio.sleep(0.05)
    assert len(app.screen_stack) == 1, f"Esc does not lead out of {app.screen}\n{monkey.story()}\n{shown(monkey)}"
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
    assert on_screen == ids[len(ids) - len(on_screen) :], f"{on_screen} of {here}\n{story}\n{shown(monkey)}"
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


async def play(
    seed: int, places: Places, patch: pytest.MonkeyPatch, wanted: int, seconds: float
) -> tuple[int, Reached]:
    """One seed, from as many openings of the app as it takes. Gives the number of events."""
    end, count, reached, openings = time.monotonic() + seconds, 0, Reached(), 0
    reached.watch(patch)
    trouble = Trouble()
    with running_hub() as hub, trouble.watched():
        hub.files["org/tiny"] = {"tiny.Q4_K_M.gguf": bytes(300_000)}
        patch.setenv("HF_ENDPOINT", hub.address)
        while count < wanted and time.monotonic() < end:
            openings += 1
            app = LocalsteerApp(open_with(PRACTICE, places, (f"seed={seed}",)))
            monkey = Monkey(app, seed * 1000 + openings)
            try:
                async with app.run_test(size=(100, 30), notifications=True, message_hook=trouble.hear):
                    await until(monkey, lambda: monkey.chat.link.card is not None)
                    while count + monkey.count < wanted and time.monotonic() < end and monkey.running:
                        await monkey.play(min(ROUND, wanted - count - monkey.count), end)
                        if monkey.running:
                            await come_back(monkey)
                            check_kept(monkey, places)
                            await say_something_plain(monkey)
                            check_kept(monkey, places)
                        assert trouble.seen == [], f"{trouble.seen}\n{monkey.story()}"
            except BaseException as error:
                error.add_note(monkey.story())
                raise
            assert trouble.seen == [], f"{trouble.seen}\n{monkey.story()}"
            count += monkey.count
    assert trouble.seen == []
    log = places.engine_log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log, log[-3000:]
    print(f"\nseed {seed}: {count} events, {openings} openings, never reached: {reached.never() or 'nothing'}")
    print(f"screens: {dict(reached.screens)}")
    return count, reached


async def test_a_few_hundred_random_events_leave_the_app_whole(apart: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    count, _ = await play(1, apart, monkeypatch, 300, 60.0)
    assert count >= 300


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 124))
async def test_many_random_events_leave_the_app_whole(
    seed: int, apart: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play(seed, apart, monkeypatch, 100_000, SECONDS)
