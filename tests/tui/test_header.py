"""The header: how full the context is, said in time; and what a click on each part does."""

from __future__ import annotations

from functools import partial

from localsteer.tui.context_room import room_colour, room_warning, room_words
from localsteer.tui.widgets.header_line import HeaderLine
from tests.tui.conftest import OpenApp, Running


def test_the_meter_warns_by_colour_before_it_warns_in_words() -> None:
    assert room_colour(0, 0) == room_colour(79, 100) == "$quiet"
    assert room_colour(80, 100) == "$warning"
    assert room_colour(95, 100) == "$error"
    assert room_warning(94, 100) == ""
    assert "50 more tokens fit" in room_warning(950, 1000)
    assert "7,000 more fit" in room_words(1192, 8192)


def warned(running: Running, times: int) -> bool:
    return running.notes().count("nearly full") == times


async def test_a_nearly_full_context_is_said_once_until_there_is_room_again(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.loaded()
        for used, notes in ((7000, 0), (7900, 1), (7950, 1), (100, 1), (8000, 2)):
            running.screen.show_context(used, 8192)
            await running.until(partial(warned, running, notes))
            assert f"{used / 8192:.0%}".rstrip("%") in running.text().splitlines()[0]


async def test_figures_explain_themselves_when_clicked_at(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.loaded()
        running.screen.show_context(7000, 8192)
        running.screen.show_speed(31.4)
        await running.until(lambda: "31 tok/s" in running.text())
        first = running.text().splitlines()[0]
        await running.pilot.click(HeaderLine, offset=(first.index("tok/s"), 0))
        await running.until(lambda: "31.4 tokens per second" in running.remarks())
        await running.pilot.click(HeaderLine, offset=(first.index("context") + 2, 0))
        await running.until(lambda: "1,192 more fit" in running.remarks())
