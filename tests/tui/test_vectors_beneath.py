"""The file of a dial's vector is spoilt or taken away while a reply is steered by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from localsteer.library.places import Places
from localsteer.tui.widgets.composer import Composer
from tests.tui.conftest import OpenApp, Running
from tests.tui.dials_at_hand import rack

pytestmark = pytest.mark.usefixtures("heat_at_hand")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


async def begin_a_warm_reply(running: Running) -> None:
    await running.loaded()
    await running.screen.dialling.add("heat")
    await running.until(lambda: rack(running).dials)
    await running.pilot.press("alt+right")
    await running.say("Hello")
    await further(running)


async def further(running: Running) -> None:
    """A few more tokens come."""
    last = running.screen.conversing._replies[-1]
    before = last.tokens
    await running.until(lambda: last.tokens > before + 3)


async def stop(running: Running, replies: int) -> None:
    await running.pilot.press("escape")
    await running.replied(replies)


def strengths(running: Running) -> list[float]:
    """The dial's, in the order in which the record of the last reply has them."""
    reply = running.screen.talk.messages[-1].reply
    assert reply is not None
    return [dial.strength for mark in reply.marks for dial in mark.dials]


@pytest.mark.parametrize(("spoil", "said"), [(cut_off, "is cut off"), (Path.unlink, "is not there any more")])
async def test_a_spoilt_or_lost_one_costs_a_sentence_and_neither_the_reply_nor_the_next_message(
    spoil: Callable[[Path], None], said: str, open_app: OpenApp, places: Places
) -> None:
    (path,) = places.vectors.glob("*/heat.gguf")
    whole = path.read_bytes()
    async with open_app() as running:
        await begin_a_warm_reply(running)
        spoil(path)
        await running.pilot.press("alt+right")
        await running.until(lambda: said in running.notes())
        await further(running)
        await stop(running, 1)
        step = rack(running).dials[0].step
        # The record says what steered, not what the panel shows.
        assert strengths(running) == [step]
        assert rack(running).dials[0].strength == pytest.approx(2 * step)
        await running.say("Again")
        await running.until(lambda: running.screen.query_one(Composer).text == "Again")
        assert len(running.replies()) == 1
        path.write_bytes(whole)
        await running.pilot.press("enter")
        await running.until(lambda: len(running.replies()) == 2)
        await further(running)
        await stop(running, 2)
        assert strengths(running) == [pytest.approx(2 * step)]
