"""Whatever is pressed, clicked, pasted and resized: the app neither breaks nor tangles what it keeps."""

from __future__ import annotations

import sys
import time
import webbrowser
from contextlib import suppress
from pathlib import Path

import pytest

from localsteer.library.models import PRACTICE
from localsteer.library.places import Places, practice_model
from localsteer.tui import conversing
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.opening import open_with
from tests.hardening.coming_back import Quit, check_kept, come_back, say_something_plain, until
from tests.hardening.monkey import Monkey, Reached, Trouble
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


async def play(
    seed: int, places: Places, patch: pytest.MonkeyPatch, wanted: int, seconds: float
) -> tuple[int, Reached]:
    """One seed, from as many openings of the app as it takes. Gives the number of events, and what was reached."""
    end, count, reached, openings = time.monotonic() + seconds, 0, Reached(), 0
    reached.watch(patch)
    trouble = Trouble()
    with running_hub() as hub, trouble.watched():
        hub.files["org/tiny"] = {"tiny.Q4_K_M.gguf": bytes(300_000)}
        patch.setenv("HF_ENDPOINT", hub.address)
        while count < wanted and time.monotonic() < end:
            openings += 1
            monkey = Monkey(LocalsteerApp(open_with(PRACTICE, places, (f"seed={seed}",))), seed * 1000 + openings)
            await one_opening(monkey, places, trouble, wanted - count, end)
            count += monkey.count
    assert trouble.seen == []
    log = places.engine_log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log, log[-3000:]
    sys.stdout.write(
        f"\nseed {seed}: {count} events, {openings} openings, never reached: {reached.never() or 'nothing'}\n"
        f"screens: {dict(reached.screens)}\n"
    )
    return count, reached


async def one_opening(monkey: Monkey, places: Places, trouble: Trouble, wanted: int, end: float) -> None:
    """So many events, or until ``end``, or until the app is quit; every now and then it has to be in order."""
    try:
        async with monkey.app.run_test(size=(100, 30), notifications=True, message_hook=trouble.hear):
            await until(monkey, lambda: monkey.chat.link.card is not None)
            with suppress(Quit):
                while monkey.count < wanted and time.monotonic() < end and monkey.running:
                    await monkey.play(min(ROUND, wanted - monkey.count), end)
                    if monkey.running:
                        await come_back(monkey)
                        check_kept(monkey, places)
                        await say_something_plain(monkey)
                        check_kept(monkey, places)
                    assert trouble.seen == []
    except BaseException as error:
        error.add_note(monkey.story())
        raise
    assert trouble.seen == [], monkey.story()


async def test_some_random_events_leave_the_app_whole(apart: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    count, _ = await play(1, apart, monkeypatch, 150, 60.0)
    assert count >= 150


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 124))
async def test_many_random_events_leave_the_app_whole(
    seed: int, apart: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play(seed, apart, monkeypatch, 100_000, SECONDS)
