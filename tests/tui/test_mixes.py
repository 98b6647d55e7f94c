"""Expressions in the dialog that adds dials, on the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from localsteer.library.places import Places
from localsteer.library.vectors import VectorLibrary
from localsteer.tui.dialogs.add_dial import AddDial
from tests.tui.conftest import OpenApp, Running
from tests.tui.dials_at_hand import rack


async def open_dialog(running: Running) -> None:
    await running.pilot.press("alt+a")
    await running.until(lambda: isinstance(running.app.screen, AddDial))


@pytest.mark.usefixtures("heat_at_hand")
async def test_an_expression_is_offered_while_it_is_typed_and_can_be_kept_under_a_name(
    open_app: OpenApp, places: Places
) -> None:
    async with open_app() as running:
        await running.loaded()
        await open_dialog(running)
        await running.pilot.press(*"2*haet - 0.5*heat")
        await running.until(lambda: 'no dial named "haet"' in running.text() and "mix" in running.text())
        # What is wrong cannot be added.
        await running.pilot.press("enter")
        assert isinstance(running.app.screen, AddDial)
        search, name = (running.app.screen.query_one(one, Input) for one in ("#search", "#name"))
        assert not name.display
        search.value = "2*heat - 0.5*heat"
        await running.until(lambda: name.display and "One dial from several" in running.text())
        await running.pilot.press("enter")
        await running.until(lambda: rack(running).names() == ("2*heat - 0.5*heat",))
        await running.pilot.press("alt+right")
        await running.until(lambda: rack(running).settings())

        await open_dialog(running)
        await running.pilot.press(*"3*heat @scope everything")
        await running.until(lambda: "One dial from several" in running.text())
        await running.pilot.press("tab", *"heat", "enter")
        await running.until(lambda: '"heat" cannot be made of itself' in running.text())
        await running.pilot.press("s", "enter")
        await running.until(lambda: rack(running).names() == ("2*heat - 0.5*heat", "heats"))
        assert rack(running).dials[1].scope == "everything"
        card = running.screen.link.card
        assert card is not None
        stored = VectorLibrary.at(places).find("heats", card.model_id)
        assert stored is not None
        assert stored.expression == "3*heat @scope everything"

        # From now on it is one of those that can be added.
        await open_dialog(running)
        await running.pilot.press(*"heats")
        options = running.app.screen.query_one(OptionList)
        await running.until(lambda: options.option_count == 1 and "in use" in running.text())


@pytest.mark.usefixtures("warm_recipe")
async def test_a_named_mix_has_its_parts_made_first(open_app: OpenApp, random_bpe_model: Path) -> None:
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        await open_dialog(running)
        await running.pilot.press(*"2*heat")
        await running.until(lambda: "Makes heat first" in running.text())
        running.app.screen.query_one("#name", Input).value = "hot"
        await running.pilot.press("enter")
        await running.until(lambda: "Making hot" in running.text())
        await running.until(lambda: rack(running).names() == ("hot",))
