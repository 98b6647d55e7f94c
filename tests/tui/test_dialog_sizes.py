"""Windows and lists over the chat fit every terminal that the app takes."""

from __future__ import annotations

from functools import partial

import pytest
from textual.geometry import Region
from textual.widgets import Button, OptionList

from localsteer.tui.widgets.completions import Completions
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.number_row import NumberRow
from tests.tui.conftest import OpenApp, Running

SIZES = ((60, 20), (80, 24), (100, 30), (140, 45))


def inside(running: Running, size: tuple[int, int]) -> bool:
    """Whether the window on top, and all that is clicked at in it, is on the screen."""
    screen = Region(0, 0, *size)
    box = running.app.screen.query_children("Vertical, VerticalScroll").first()
    parts = [part.region for kind in (Button, NumberRow) for part in running.app.screen.query(kind)]
    return (
        running.app.size == size
        and screen.contains_region(box.region)
        and box.region.area > 0
        and all(box.region.contains_region(part) and part.area > 0 for part in parts)
    )


@pytest.mark.parametrize("key", ["ctrl+l", "ctrl+g", "f1"])
async def test_windows_fit_at_every_size(open_app: OpenApp, alone: None, key: str) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.pilot.press(key)
        await running.until(lambda: running.app.screen is not running.screen)
        if key == "ctrl+l":
            await running.until(lambda: running.app.screen.query_one(OptionList).option_count > 5)
        for size in SIZES:
            await running.pilot.resize_terminal(*size)
            await running.until(partial(inside, running, size))


async def test_the_list_over_the_input_covers_neither_it_nor_the_header(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        offered, composer = running.screen.query_one(Completions), running.screen.query_one(Composer)
        for size in (*SIZES, (50, 14)):
            await running.pilot.resize_terminal(*size)
            composer.text = ""
            await running.pilot.press("slash")
            await running.until(lambda: offered.open and offered.region.area > 0)
            await running.until(partial(over, running, offered, composer, size))


def over(running: Running, offered: Completions, composer: Composer, size: tuple[int, int]) -> bool:
    """Whether the list stands between header and input."""
    screen, header = Region(0, 0, *size), running.screen.query_one(HeaderLine)
    return (
        screen.contains_region(offered.region)
        and header.region.bottom <= offered.region.y
        and offered.region.bottom <= composer.region.y
    )
