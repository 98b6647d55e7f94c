"""Quick fingers in a conversation: sent, stopped, written again, edited, deleted, compared, left and come back to, all
before the engine has said a word. After every few keys the screen and the record have to agree.

The monkey of ``test_monkey`` presses everything and looks seldom; this one presses what changes a conversation, looks
after each handful, and lets what runs come to its end by itself as often as it stops it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import suppress

import pytest

from localsteer.library.models import PRACTICE
from localsteer.library.places import Places
from localsteer.tui import conversing
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.engine_link import EngineState
from localsteer.tui.opening import open_with
from localsteer.tui.widgets.messages import ReplyView
from tests.hardening.coming_back import Quit, check_kept, come_back, shown, until
from tests.hardening.monkey import Monkey, Trouble
from tests.hardening.test_monkey import apart

__all__ = ["apart"]

SECONDS = 150.0
"""A seed of the long run plays at most so long."""

_KEYS = (
    *(3 * ("ctrl+r",)),
    *(2 * ("escape", "alt+u", "enter", "alt+comma", "alt+full_stop")),
    *("alt+r", "alt+j", "alt+g", "alt+e", "alt+w", "ctrl+z", "ctrl+n", "ctrl+o", "alt+c", "down", "up", "alt+right"),
    *("alt+left", "alt+v", "tab", "a", "r"),
)


class Talker:
    """Presses what changes a conversation."""

    def __init__(self, monkey: Monkey, seed: int) -> None:
        self._monkey = monkey
        self._random = random.Random(seed)

    async def handful(self) -> None:
        """A few keys, most of them before anything is done about the one before."""
        monkey, drawn = self._monkey, self._random
        for _ in range(drawn.randrange(1, 9)):
            kind = drawn.random()
            if kind < 0.22:
                monkey.write(drawn.choice(("hi", "rain", "sea")), "enter")
            elif kind < 0.25:
                monkey.chat.run_worker(monkey.chat.run_action("continue_here"), exit_on_error=False)
            elif kind < 0.26:
                monkey._kill_engine()
            else:
                monkey.key(drawn.choice(_KEYS))
            pause = drawn.choice((None, None, None, None, 0.0, 0.0, 0.01, 0.05, 0.2))
            if pause is not None:
                await asyncio.sleep(pause)
            if not monkey.running:
                raise Quit

    async def calm(self) -> None:
        """Until nothing is on its way; what runs is stopped, or comes to its end."""
        monkey = self._monkey
        if self._random.random() < 0.5:
            await come_back(monkey)
        while len(monkey.app.screen_stack) > 1:
            monkey.key("escape")
            await monkey.settle()
            await asyncio.sleep(0.02)
        # A message is handed on from one part to the next, and nothing says that one is under way.
        still = 0
        while still < 4:
            await until(monkey, lambda: self._rests)
            still = still + 1 if self._rests else 0
            await monkey.settle()
            await asyncio.sleep(0.03)

    @property
    def _rests(self) -> bool:
        chat = self._monkey.chat
        return (
            chat.link.state in {EngineState.READY, EngineState.OFF}
            and not chat.link.waiting
            and not chat.conversing._replies
            and not chat.again.running
            and not any(part.message_queue_size for part in chat.walk_children())
        )


def check_shown(monkey: Monkey) -> None:
    """Each reply on the screen has the words that the record has."""
    talk = monkey.chat.talk
    for view in monkey.chat.query(ReplyView):
        message = talk.find(view.message_id)
        assert message is not None, f"{view.message_id}\n{monkey.story()}\n{shown(monkey)}"
        assert view.written == message.content.strip("\n"), f"{message}\n{monkey.story()}\n{shown(monkey)}"
    for message in talk.messages:
        if message.id > 0:
            kept = talk.store.message(message.id)
            assert kept.content == message.content, f"{message}\n{kept}\n{monkey.story()}"


async def play(seed: int, places: Places, handfuls: int, seconds: float) -> tuple[int, int]:
    """How many handfuls, of how many events."""
    end, done, count, openings = time.monotonic() + seconds, 0, 0, 0
    trouble = Trouble()
    with trouble.watched():
        while done < handfuls and time.monotonic() < end:
            openings += 1
            app = LocalsteerApp(open_with(PRACTICE, places, (f"seed={seed}", "max_tokens=25")))
            monkey = Monkey(app, seed * 1000 + openings)
            done += await one_opening(monkey, places, trouble, handfuls - done, end)
            count += monkey.count
    assert trouble.seen == []
    return done, count


async def one_opening(monkey: Monkey, places: Places, trouble: Trouble, wanted: int, end: float) -> int:
    """So many handfuls, or until ``end``, or until the app is quit; how many it were."""
    talker, done = Talker(monkey, monkey.seed), 0
    async with monkey.app.run_test(size=(100, 30), notifications=True, message_hook=trouble.hear):
        await until(monkey, lambda: monkey.chat.link.card is not None)
        with suppress(Quit):
            while done < wanted and time.monotonic() < end and monkey.running:
                await talker.handful()
                await talker.calm()
                check_kept(monkey, places)
                check_shown(monkey)
                assert trouble.seen == [], monkey.story()
                done += 1
    return done


def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversing, "pace_of", lambda card: 200.0)


async def test_quick_fingers_leave_the_screen_and_the_record_as_one(
    apart: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quick(monkeypatch)
    assert (await play(1, apart, 12, 60.0))[0] >= 12


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 212))
async def test_many_quick_fingers_leave_the_screen_and_the_record_as_one(
    seed: int, apart: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quick(monkeypatch)
    done, count = await play(seed, apart, 100_000, SECONDS)
    sys.stdout.write(f"\nseed {seed}: the screen and the record agreed {done} times, {count} keys\n")
    assert done > 50
