"""The real app in a terminal, killed while it works: with its engine, without it, or the engine alone."""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from localsteer.chat.store import ConversationStore
from localsteer.steering.vector_file import load_vector
from tests.hardening.killing import check_database, ended, leftovers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of Unix")
if sys.platform != "win32":
    from tests.hardening.terminal import AppInTerminal, reply_shown, sights

SETTINGS = ("signs=false", "needles=false", "seed=3")
TURNS = ("alt+right", "alt+left", "alt+up", "alt+down")
ASKED = "Tell me about gardens."


def loaded(screen: str) -> bool:
    return "practice model:" in screen and "context" in screen


def database(home: Path) -> Path:
    return home / "conversations.sqlite3"


def kept_reply(home: Path) -> str | None:
    """The last reply in the record without its spaces, None where there is none; and all is whole."""
    check_database(database(home))
    with ConversationStore(database(home)) as store:
        assert store.damage() is None
        talk = store.latest()
        assert talk is not None, "the message that was on the screen is not in the record"
        assert [message.damage for message in talk.messages] == [""] * len(talk.messages)
        assert talk.messages[0].content.endswith(ASKED)
        last = talk.messages[-1]
    return "".join(last.content.split()) if last.role == "assistant" else None


def missing_seconds(app: AppInTerminal, kept: str) -> tuple[float, float]:
    """For how long what is not in the record had been on the screen at the end, and the longest pause between two
    sights of the reply, before which nothing can have been saved.
    """
    seen = list(sights(app, ASKED))
    if not seen:
        return 0.0, 0.0
    first = seen[0][1]
    # Two tokens may have been painted at once, of which the first was saved when it came and the other a moment later.
    assert kept.startswith(first) or first.startswith(kept), f"{kept} is not {first}"
    moments = [moment for moment, _ in seen]
    pause = max((after - before for before, after in pairwise(moments)), default=0.0)
    unsaved = [moment for moment, text in seen if not kept.startswith(text)]
    return (moments[-1] - unsaved[0] if unsaved else 0.0), pause


@pytest.mark.parametrize(
    ("seed", "kills"), [(0, 1), *(pytest.param(seed, 12, marks=pytest.mark.soak) for seed in range(1, 5))]
)
def test_of_a_running_reply_at_most_half_a_second_is_missing(seed: int, kills: int, tmp_path: Path) -> None:
    draw, longest, tokens = random.Random(seed), 0.0, 0
    counts = {"app": 0, "both": 0, "engine, then app": 0}
    for kill in range(kills):
        home = tmp_path / str(kill)
        home.mkdir()
        whom = tuple(counts)[kill % 3]
        counts[whom] += 1
        with AppInTerminal(home, *SETTINGS) as app:
            app.until(loaded)
            app.type(ASKED)
            app.press("enter")
            app.until(lambda screen: reply_shown(screen.splitlines(), ASKED))
            until = time.monotonic() + 2.5 * draw.random()
            while time.monotonic() < until:
                app.press(draw.choice(TURNS))
                time.sleep(0.02 + 0.3 * draw.random())
            engines = app.children()
            if whom != "app":
                for engine in engines:
                    psutil.Process(engine).kill()
            if whom.startswith("engine"):
                app.until(lambda screen: "was killed" in screen)
                shown = reply_shown(app.lines, ASKED)
                app.kill()
                kept = kept_reply(home)
                assert kept is not None
                assert shown.startswith(kept[: len(kept) - 1]) or kept in shown
            else:
                app.kill()
                kept = kept_reply(home)
                missing, pause = missing_seconds(app, kept or "")
                longest = max(longest, missing)
                assert missing <= 0.5 + pause, f"{missing:.2f} s are missing, the longest pause was {pause:.2f} s"
            tokens += len(kept or "")
            assert all(ended(engine) for engine in engines)
            assert len(leftovers(home)) <= 1
    sys.stdout.write(
        f"\nchatting in the app: {sum(counts.values())} kills ({counts}), {tokens} characters kept, "
        f"at most {longest:.2f} s of a reply missing\n"
    )


def kill_app(app: AppInTerminal, *, and_engine: bool) -> None:
    """And no engine is left, whether it was killed itself or not."""
    engines = app.children()
    if and_engine:
        for engine in engines:
            psutil.Process(engine).kill()
    app.kill()
    assert all(ended(engine) for engine in engines)


EDITS: tuple[tuple[str, ...], ...] = (
    ("escape", "Why is that?", "enter"),
    ("alt+u", "alt+e", " And rain?", "enter"),
    ("alt+e", " Please.", "enter"),
    ("ctrl+r",),
    ("alt+r",),
    ("escape",),
    ("alt+u", "alt+,"),
    ("alt+u", "alt+."),
    ("alt+w",),
    ("alt+u", "alt+w"),
    ("ctrl+z",),
    ("alt+g",),
)


def messages(home: Path) -> dict[int, str]:
    """What is in the record of every message, deleted ones and other branches included."""
    with closing(sqlite3.connect(f"{database(home).as_uri()}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT id, content FROM messages"))


@pytest.mark.soak
def test_what_was_edited_in_the_app_stays(tmp_path: Path) -> None:
    draw, kills, edits = random.Random(80), 24, 0
    before: dict[int, str] = {}
    for kill in range(kills):
        with AppInTerminal(tmp_path, *SETTINGS) as app:
            app.until(loaded)
            if kill:
                app.press("ctrl+o")
                app.until(lambda screen: "Enter open" in screen and ASKED in screen.partition("Search")[2])
                app.press("enter")
                app.until(lambda screen: "Enter open" not in screen)
            app.type(ASKED)
            app.press("enter")
            many = len(before) + 2
            app.until(lambda _, many=many: len(messages(tmp_path)) >= many)  # type: ignore[misc]
            end = time.monotonic() + 4 * draw.random()
            while time.monotonic() < end:
                for one in draw.choice(EDITS):
                    app.type(one) if " " in one else app.press(one)
                    time.sleep(0.2 * draw.random())
                edits += 1
                before |= messages(tmp_path)
            kill_app(app, and_engine=kill % 2 == 1)
        check_database(database(tmp_path))
        after = messages(tmp_path)
        assert [one for one, content in before.items() if not after[one].startswith(content)] == []
        with ConversationStore(database(tmp_path)) as store:
            assert store.damage() is None
            talk = store.latest()
            assert talk is not None
            assert [message.damage for message in talk.messages] == [""] * len(talk.messages)
        before = after
        assert len(leftovers(tmp_path)) <= 1
    sys.stdout.write(f"\nediting in the app: {kills} kills, {edits} edits, {len(before)} messages kept\n")


@pytest.mark.soak
def test_a_vector_that_is_being_made_is_whole_or_not_there(tmp_path: Path) -> None:
    draw, kills, made = random.Random(70), 15, 0
    for kill in range(kills):
        home = tmp_path / str(kill)
        home.mkdir()
        with AppInTerminal(home, *SETTINGS) as app:
            app.until(loaded)
            app.press("alt+a")
            app.until(lambda screen: "warmth" in screen)
            app.type(draw.choice(("register", "warmth", "candour")))
            time.sleep(0.3)
            app.press("enter")
            time.sleep(3 * draw.random())
            kill_app(app, and_engine=kill % 2 == 1)
        for path in (home / "vectors").rglob("*.gguf") if (home / "vectors").exists() else ():
            assert load_vector(path).directions
            made += 1
        assert len(leftovers(home)) <= 1
        if database(home).exists():
            check_database(database(home))
    sys.stdout.write(f"\nmaking a vector in the app: {kills} kills, {made} vectors were there, each whole\n")
