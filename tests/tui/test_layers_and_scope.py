"""Layers and scope of a dial, chosen in the app on the real engine."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from localsteer.tui.dialogs.layers_and_scope import LayersAndScope
from localsteer.tui.widgets.layer_bars import LayerBars
from tests.tui.conftest import OpenApp, Running
from tests.tui.dials_at_hand import add_three, dial
from tests.tui.test_steady import at_once

pytestmark = pytest.mark.usefixtures("heat_at_hand")


async def open_dialog(running: Running, *keys: str) -> None:
    await running.pilot.press(*keys)
    await running.until(lambda: isinstance(running.app.screen, LayersAndScope))
    await running.until(lambda: running.app.screen.focused is not None)


async def closed(running: Running) -> None:
    await running.until(lambda: len(running.app.screen_stack) == 1)


async def test_layers_and_scope_are_chosen_by_key_and_mouse_undone_and_remembered(open_app: OpenApp) -> None:
    async with open_app(size=(100, 30)) as running:
        await add_three(running)
        usual = dial(running, "heat").layers
        await running.pilot.press("alt+1", "alt+right")
        await open_dialog(running, "alt+l")
        # The model has seven steerable layers, and the vector a direction for each.
        await running.until(lambda: f"as the vector says: {usual[0]}" in running.text() and "AUC" in running.text())
        await running.pilot.press(*"2, 9")
        await running.until(lambda: "no direction for layer 9" in running.text())
        await running.pilot.press("enter")
        assert isinstance(running.app.screen, LayersAndScope)
        await running.pilot.press("backspace", "backspace", "backspace", *"-4", "down", "enter")
        await closed(running)
        await running.until(lambda: dial(running, "heat").own_layers == (2, 3, 4))
        (setting,) = running.screen.dialling.settings
        assert (setting.layers, setting.scope) == ((2, 3, 4), "everything")
        await running.until(lambda: "2–4 · everything" in running.text())
        # The engine takes it.
        await running.say("Hello")
        await running.until(lambda: running.screen.conversing._replies[0].tokens > 3)
        await running.pilot.press("escape")
        await running.replied()

        # A click on a bar takes its layer, or leaves it.
        await open_dialog(running, "f6", "l")
        bars = running.app.screen.query_one(LayerBars)
        await running.until(lambda: bars.chosen == (2, 3, 4) and bars.region.width > 20)
        await running.pilot.click(bars, offset=(4 * 5, 0))
        await running.pilot.click(bars, offset=(4 * 2, 0))
        await running.until(lambda: running.app.screen.query_one(Input).value == "2,4,6")
        await running.pilot.press("ctrl+s")
        await closed(running)
        await running.until(lambda: dial(running, "heat").own_layers == (2, 4, 6))

        # Esc leaves all as it was, and undo takes back what was saved.
        await open_dialog(running, "alt+l")
        await running.pilot.press("up", "escape")
        await closed(running)
        assert dial(running, "heat").scope == "everything"
        await running.pilot.press("alt+p")
        await running.until(lambda: dial(running, "heat").own_layers == (2, 3, 4))
    async with open_app() as running:
        await running.loaded()
        await running.until(lambda: running.screen.dialling.rack.dials)
        assert dial(running, "heat").own_layers == (2, 3, 4)
        assert dial(running, "heat").scope == "everything"
        # Nothing typed: as the vector says.
        await running.pilot.press("alt+1")
        await open_dialog(running, "alt+l")
        running.app.screen.query_one(Input).value = ""
        await running.pilot.press("enter")
        await closed(running)
        await running.until(lambda: dial(running, "heat").own_layers is None)


async def test_it_is_done_to_the_dial_that_was_shown_though_another_one_came_meanwhile(open_app: OpenApp) -> None:
    async with open_app(size=(100, 30)) as running:
        await add_three(running)
        await running.pilot.press("alt+1")
        await open_dialog(running, "alt+l")
        # As when its vector has just been made.
        await running.screen.dialling.add("lake")
        at_once(running, "2", "ctrl+s")
        await closed(running)
        await running.until(lambda: dial(running, "heat").own_layers == (2,))
        assert dial(running, "lake").own_layers is None
