"""A number typed, undo and redo, another order: by key and by mouse, on the real engine."""

from __future__ import annotations

import pytest
from textual import events

from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.strength_field import StrengthField
from tests.tui.conftest import OpenApp, Running
from tests.tui.dials_at_hand import add_three, dial, rack
from tests.tui.test_steady import at_once, quiet

pytestmark = pytest.mark.usefixtures("heat_at_hand")


def fields(running: Running) -> list[StrengthField]:
    return list(running.screen.query(StrengthField))


def focus(running: Running) -> str | None:
    return running.screen.focused.id if running.screen.focused else None


async def open_field(running: Running, *keys: str) -> None:
    await running.pilot.press(*keys)
    await running.until(lambda: fields(running) and fields(running)[0].has_focus)


async def test_a_typed_number_is_the_strength_and_esc_leaves_it_as_it_was(open_app: OpenApp) -> None:
    async with open_app() as running:
        await add_three(running)
        await open_field(running, "alt+equals_sign")
        # What it was is selected: typing replaces it, even digits that pick dials elsewhere.
        await running.pilot.press(*"-1,25", "enter")
        await running.until(lambda: dial(running, "lake").strength == -1.25 and not fields(running))
        assert focus(running) == "composer"
        await running.until(lambda: "−1.25" in running.text())

        await open_field(running, "alt+1", "alt+equals_sign")
        await running.pilot.press("2", "escape")
        await running.until(lambda: not fields(running))
        assert dial(running, "heat").strength == 0.0
        assert focus(running) == "composer"

        # What is no number is said, and can be mended.
        await open_field(running, "alt+equals_sign")
        await running.pilot.press(*"hot", "enter")
        await running.until(lambda: '"hot" is no strength' in running.text())
        field = fields(running)[0]
        field.value = "1e999"
        await running.pilot.press("enter")
        await running.until(lambda: '"1e999" is no strength' in running.text())
        field.value = "0.5"
        await running.pilot.press("enter")
        await running.until(lambda: dial(running, "heat").strength == 0.5 and not fields(running))

        # From the panel, and back to it.
        await running.pilot.press("f6")
        await open_field(running, "=")
        await running.pilot.press("up", *"0.7", "enter")
        await running.until(lambda: dial(running, "heat").strength == 0.7 and not fields(running))
        assert focus(running) == "dials"

        # By mouse: on the number.
        row = running.screen.query(DialRow).first()
        await running.pilot.click(row, offset=(2 + row.content_size.width - 1, 0))
        await running.until(lambda: fields(running) and fields(running)[0].has_focus)
        assert fields(running)[0].parent is row
        await running.pilot.click(Composer)
        await running.until(lambda: not fields(running))
        assert focus(running) == "composer"


async def test_dials_are_undone_redone_and_put_in_another_order_that_is_there_next_time(open_app: OpenApp) -> None:
    async with open_app() as running:
        await add_three(running)

        async def press(*keys: str) -> None:
            await running.pilot.press(*keys)

        await press("alt+right", "alt+right", "alt+shift+left")
        step = dial(running, "lake").step
        await running.until(lambda: dial(running, "lake").strength == pytest.approx(1.8 * step))
        await press("alt+1", "alt+left")
        await running.until(lambda: dial(running, "heat").strength == pytest.approx(-step))
        await press("alt+z")
        await running.until(lambda: not rack(running).settings())
        await press("alt+p")
        await running.until(lambda: len(rack(running).settings()) == 2)
        await press("alt+p")
        await running.until(lambda: dial(running, "heat").strength == 0.0)
        assert dial(running, "lake").strength == pytest.approx(1.8 * step)
        # Three turns were one change.
        await press("alt+p")
        await running.until(lambda: dial(running, "lake").strength == 0.0)
        await press("alt+shift+p", "alt+shift+p")
        await running.until(lambda: dial(running, "heat").strength == pytest.approx(-step))
        await press("f6", "u")
        await running.until(lambda: dial(running, "heat").strength == 0.0)
        await press("U", "U")
        await running.until(lambda: not rack(running).settings())
        await press("U")
        await running.until(lambda: "No change of a dial was undone" in running.text())
        await press("u", "u")
        await running.until(lambda: [one.name for one in rack(running).settings()] == ["lake"])

        await press("3", "x")
        await running.until(lambda: rack(running).names() == ("heat", "stream"))
        await press("u")
        await running.until(lambda: rack(running).names() == ("heat", "stream", "lake"))
        assert dial(running, "lake").strength == pytest.approx(1.8 * step)

        await press("shift+up")
        await running.until(lambda: rack(running).names() == ("heat", "lake", "stream"))
        await press("shift+down", "escape", "alt+shift+up", "alt+shift+up")
        await running.until(lambda: rack(running).names() == ("lake", "heat", "stream"))
        assert rack(running).picked == 0
        await press("alt+shift+down")
        await running.until(lambda: rack(running).names() == ("heat", "lake", "stream"))

        # By mouse, taken by its name.
        rows = list(running.screen.query(DialRow))
        await running.pilot.mouse_down(rows[0], offset=(4, 0))
        await running.pilot.hover(rows[1], offset=(4, 1))
        await running.until(lambda: rack(running).names() == ("lake", "heat", "stream"))
        await running.pilot.hover(rows[2], offset=(4, 1))
        await running.until(lambda: rack(running).names() == ("lake", "stream", "heat"))
        await running.pilot.mouse_up(rows[2], offset=(4, 1))
        await running.pilot.hover(rows[0], offset=(4, 1))
        assert rack(running).names() == ("lake", "stream", "heat")
    async with open_app() as running:
        await running.loaded()
        await running.until(lambda: rack(running).names() == ("lake", "stream", "heat"))
        assert dial(running, "lake").strength == pytest.approx(1.8 * step)
        await running.pilot.press("alt+p")
        await running.until(lambda: "no change of a dial to undo" in running.text())


def click(running: Running, x: int, y: int) -> None:
    """A click that is not waited for."""
    driver = running.app._driver
    assert driver is not None
    for kind in (events.MouseDown, events.MouseUp):
        driver.process_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))


async def far_right(running: Running, index: int) -> tuple[int, int]:
    """The end of this dial's bar."""
    row = list(running.screen.query(DialRow))[index]
    await running.until(lambda: row.region.area)
    face = row._face()
    return row.content_region.x + face.bar_column + face.bar_width - 1, row.content_region.y + face.bar_row


async def test_a_dial_that_was_clicked_is_set_though_its_place_is_another_by_then(open_app: OpenApp) -> None:
    async with open_app(size=(100, 30)) as running:
        await add_three(running)
        await running.pilot.press("alt+1")
        at = await far_right(running, 1)
        # The key takes the first dial away before the click is heard of.
        at_once(running, "alt+x")
        click(running, *at)
        await running.until(lambda: dial(running, "stream").strength > 0)
        await quiet(running)
        assert rack(running).names() == ("stream", "lake")
        assert dial(running, "lake").strength == 0


async def test_a_key_right_behind_a_click_on_a_dial_means_that_dial(open_app: OpenApp) -> None:
    async with open_app(size=(100, 30)) as running:
        await add_three(running)
        await running.pilot.press("alt+1")
        click(running, *await far_right(running, 1))
        at_once(running, "alt+x")
        await running.until(lambda: rack(running).names() == ("heat", "lake"))
        await quiet(running)
        assert [one.strength for one in rack(running).dials] == [0, 0]
