"""Needles on the dials, and how natural a reply is: what the engine reads beside its work, shown quietly."""

from __future__ import annotations

import pytest

from localsteer.engine.protocol import MeasureNeedles
from localsteer.library.places import Places
from localsteer.library.remembered import Remembered, read_remembered, write_remembered
from localsteer.tui.needle import FULL, NEEDLE, with_needle
from localsteer.tui.rack import Dial
from localsteer.tui.widgets.dial_face import face
from localsteer.tui.widgets.dial_row import DialRow
from tests.tui.conftest import OpenApp, Running
from tests.tui.test_dials import add_heat


def bar_line(running: Running) -> str:
    row = running.screen.query_one(DialRow)
    return row._face().lines[1].plain


async def write_some(running: Running, tokens: int = 12) -> None:
    await running.say("the people find the word")
    await running.until(lambda: any(reply.tokens >= tokens for reply in running.screen.conversing._replies))
    await running.pilot.press("escape")
    await running.until(lambda: not running.screen.conversing.writing)


@pytest.mark.usefixtures("heat_at_hand")
async def test_switched_on_they_move_with_the_text_say_what_they_cost_and_are_remembered(
    open_app: OpenApp, places: Places
) -> None:
    async with open_app() as running:
        await add_heat(running)
        await write_some(running)
        assert NEEDLE not in bar_line(running)
        await running.pilot.press("alt+n")
        await running.until(lambda: "how far the" in running.text())
        await running.until(lambda: "needles −" in running.text() and "%" in running.text())
        # The dial stands at 0: it is watched all the same.
        await write_some(running)
        await running.until(lambda: NEEDLE in bar_line(running))
        model_id = running.screen.link.card.model_id if running.screen.link.card else ""
    kept = read_remembered(places)
    assert kept.needles
    assert 0 <= kept.needles_cost[model_id] <= 1
    async with open_app() as running:
        await running.loaded()
        await running.until(lambda: "needles −" in running.text())
        await running.pilot.press("alt+n")
        await write_some(running)
        assert NEEDLE not in bar_line(running)
    assert not read_remembered(places).needles


async def test_below_a_reply_stands_how_natural_it_is_once_nobody_waits(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await write_some(running)
        assert "perplexity" not in running.feet()[0]
        await running.until(lambda: "perplexity " in running.feet()[0])
        # The next reply is asked for at once, and both are rated in the end.
        await write_some(running, tokens=3)
        await write_some(running, tokens=3)
        await running.until(lambda: all("perplexity " in foot for foot in running.feet()))
        assert len(running.feet()) == 3


async def test_what_had_to_give_way_is_done_later(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        answers: list[object] = []
        running.screen.when_idle(lambda request, _: MeasureNeedles(request), answers.append)
        await running.until(lambda: running.screen.asides._running is not None)
        await write_some(running)
        await running.until(lambda: len(answers) == 1)


class TestDrawing:
    BAR = (
        *((" ", "mark", "track"),) * 3,
        ("│", "zero", "track"),
        ("█", "positive", "track"),
        ("▎", "positive", "track"),
        (" ", "mark", "track"),
    )

    @pytest.mark.parametrize(
        ("reading", "at", "behind"),
        [
            (0.0, 3, "track"),
            (FULL / 3, 4, "positive"),
            (FULL * 2 / 3, 5, "track"),
            (FULL, 6, "track"),
            (9.0, 6, "track"),
            (-9.0, 0, "track"),
        ],
    )
    def test_the_needle_stands_over_the_bar_and_shows_what_is_behind(
        self, reading: float, at: int, behind: str
    ) -> None:
        drawn = with_needle(self.BAR, reading, "needle")
        assert drawn[at] == (NEEDLE, "needle", behind)
        assert drawn[:at] + drawn[at + 1 :] == [*self.BAR[:at], *self.BAR[at + 1 :]]

    def test_without_a_reading_there_is_none(self) -> None:
        assert with_needle(self.BAR, None, "needle") == list(self.BAR)

    @pytest.mark.parametrize("width", [25, 36, 80])
    def test_at_every_width_the_face_keeps_its_size(self, width: int) -> None:
        dial = Dial("mood", "/mood.gguf", "sad", "happy", -0.75, 0.8, layers=(4,), strength=0.6)
        still = face(dial, number=1, picked=True, solo=False, silenced=False, width=width)
        moved = face(dial, number=1, picked=True, solo=False, silenced=False, width=width, needle=-1.0)
        assert [line.cell_length for line in still.lines] == [line.cell_length for line in moved.lines]
        assert sum(line.plain.count(NEEDLE) for line in moved.lines) == 1


def test_nonsense_among_what_is_remembered_costs_only_itself(places: Places) -> None:
    write_remembered(places, Remembered(needles=True, needles_cost={"a": 0.1, "b": 7.0}))
    assert read_remembered(places).needles_cost == {"a": 0.1}
    assert read_remembered(places).needles
