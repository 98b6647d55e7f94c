"""Quick fingers: messages sent, stopped, written again, edited, deleted, compared, left and come back to, dials added,
moved, undone and taken away, models changed, all before the engine has said a word. After every few keys the screen and
what it shows have to agree: the conversation with its record, the panel with the dials that are in force.

The monkey of ``test_monkey`` presses everything and looks seldom; this one presses what changes something, looks after
each handful, and lets what runs come to its end by itself as often as it stops it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from localsteer.library.models import PRACTICE
from localsteer.library.places import Places
from localsteer.library.remembered import read_remembered
from localsteer.tui import conversing
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.dial_shelf import to_remember
from localsteer.tui.engine_link import EngineState
from localsteer.tui.opening import open_with
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.making import MakingView
from localsteer.tui.widgets.messages import ReplyView
from tests.hardening.coming_back import Quit, check_kept, come_back, shown, until
from tests.hardening.monkey import Monkey, Trouble
from tests.hardening.test_monkey import apart
from tests.random_models import write_random_llama

__all__ = ["apart"]

SECONDS = 150.0
"""A seed of the long run plays at most so long."""

_TALK = (
    *(3 * ("ctrl+r",)),
    *(2 * ("escape", "alt+u", "enter", "alt+comma", "alt+full_stop")),
    *("alt+r", "alt+j", "alt+g", "alt+e", "alt+w", "ctrl+z", "ctrl+n", "ctrl+o", "alt+c", "down", "up", "alt+right"),
    *("alt+left", "alt+v", "tab", "a", "r"),
)
_DIALS = (
    *(3 * ("alt+right", "alt+left")),
    *(2 * ("alt+a", "enter", "down", "escape", "alt+x", "alt+p", "alt+shift+p", "f3", "alt+m")),
    *("alt+s", "alt+z", "alt+0", "alt+up", "alt+shift+up", "alt+shift+down", "alt+q", "alt+l", "alt+i", "alt+n", "f6"),
    *("x", "u", "U", "m", "n", "q", "right", "ctrl+l", "up", "ctrl+r", "alt+c", "t", "tab", "alt+equals_sign", "1"),
)
_LINES = (
    *("/dial mood 1", "/dial register -1", "/dial mood*0.5+register", "/zero", "/model other", "/model practice"),
    *("/dial hot/cold 1", "/dial warmth", "/model broken", "hi", "rain"),
)


class Talker:
    """Presses what changes a conversation; ``dials``: or the dials, and the model."""

    def __init__(self, monkey: Monkey, seed: int, dials: bool) -> None:
        self._monkey = monkey
        self._random = random.Random(seed)
        self._keys = _DIALS if dials else _TALK
        self._lines = _LINES if dials else ("hi", "rain", "sea")

    async def handful(self) -> None:
        """A few keys, most of them before anything is done about the one before."""
        monkey, drawn = self._monkey, self._random
        for _ in range(drawn.randrange(1, 9)):
            kind = drawn.random()
            if kind < 0.22:
                monkey.write(drawn.choice(self._lines), "enter")
            elif kind < 0.25:
                monkey.chat.run_worker(monkey.chat.run_action("continue_here"), exit_on_error=False)
            elif kind < 0.27:
                monkey._kill_engine()
            else:
                monkey.key(drawn.choice(self._keys))
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
            # The screen may be in the middle of something that takes a while.
            through = asyncio.Event()
            monkey.chat.call_later(through.set)
            await until(monkey, through.is_set)
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


def check_dials(monkey: Monkey) -> None:
    """The panel shows the dials that are in force; they are of the loaded model, and will be there next time."""
    chat, story = monkey.chat, monkey.story()
    rack, card = chat.dialling.rack, chat.link.card
    rows = list(chat.query(DialRow))
    assert [(row.dial, row.index) for row in rows] == [(dial, place) for place, dial in enumerate(rack.dials)], story
    assert [row.index for row in rows if row.picked] == ([rack.picked] if rack.dials else []), story
    assert chat.query_one(".panel--hint").display != bool(rows), story
    making = chat.query_one(MakingView)
    assert not making.display, f"{story}\n{shown(monkey)}"
    if card is not None and rack.dials:
        assert all(card.model_id in Path(dial.vector_path).parts for dial in rack.dials), f"{rack}\n{story}"
        chat.memory.write()
        kept = read_remembered(chat.opening.places).dials.get(card.model_id)
        # The dial of the first time is kept when it was touched.
        assert kept == to_remember(rack) or (kept is None and chat.memory.lent), f"{kept} {rack}\n{story}"


async def play(seed: int, places: Places, handfuls: int, seconds: float, *, dials: bool) -> tuple[int, int]:
    """How many handfuls, of how many events."""
    end, done, count, openings = time.monotonic() + seconds, 0, 0, 0
    trouble = Trouble()
    with trouble.watched():
        while done < handfuls and time.monotonic() < end:
            openings += 1
            app = LocalsteerApp(open_with(PRACTICE, places, (f"seed={seed}", "max_tokens=25")))
            monkey = Monkey(app, seed * 1000 + openings)
            talker = Talker(monkey, monkey.seed, dials)
            done += await one_opening(talker, monkey, places, trouble, handfuls - done, end)
            count += monkey.count
    assert trouble.seen == []
    return done, count


async def one_opening(talker: Talker, monkey: Monkey, places: Places, trouble: Trouble, wanted: int, end: float) -> int:
    """So many handfuls, or until ``end``, or until the app is quit; how many it were."""
    done = 0
    async with monkey.app.run_test(size=(100, 30), notifications=True, message_hook=trouble.hear):
        await until(monkey, lambda: monkey.chat.link.card is not None)
        with suppress(Quit):
            while done < wanted and time.monotonic() < end and monkey.running:
                await talker.handful()
                await talker.calm()
                check_kept(monkey, places)
                check_shown(monkey)
                check_dials(monkey)
                assert trouble.seen == [], monkey.story()
                done += 1
    return done


@pytest.fixture
def two_models(apart: Places, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Beside the practice model one whose vectors mean nothing to it; and replies that take a moment."""
    monkeypatch.setattr(conversing, "pace_of", lambda card: 200.0)
    write_random_llama(apart.models / "other.gguf", n_layer=4, n_embd=32, n_head=4, n_kv=4, n_ctx=1024, ends=False)
    return apart


async def test_quick_fingers_leave_the_screen_and_the_record_as_one(two_models: Places) -> None:
    assert (await play(1, two_models, 12, 60.0, dials=False))[0] >= 12


async def test_quick_fingers_leave_the_panel_and_the_dials_as_one(two_models: Places) -> None:
    assert (await play(1, two_models, 12, 60.0, dials=True))[0] >= 12


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 212))
@pytest.mark.parametrize("about", ["talk", "dials"])
async def test_many_quick_fingers_leave_all_that_is_shown_as_it_is_kept(
    seed: int, about: str, two_models: Places
) -> None:
    done, count = await play(seed, two_models, 100_000, SECONDS, dials=about == "dials")
    sys.stdout.write(f"\n{about}, seed {seed}: what is shown was what is kept {done} times, {count} keys\n")
    assert done > 50
