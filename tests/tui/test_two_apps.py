"""Two copies of the app at once, as in two tabs of a browser; and what a browser needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from localsteer.chat.store import ConversationStore
from localsteer.library.places import Places
from localsteer.library.remembered import read_remembered
from localsteer.tui.terminal import check_terminal
from localsteer.tui.widgets.composer import Composer
from tests.tui.conftest import OpenApp
from tests.tui.test_dials import add_heat


async def test_two_apps_share_one_database_and_neither_loses_anything(open_app: OpenApp, places: Places) -> None:
    async with open_app() as one, open_app() as other:
        await one.loaded()
        await other.loaded()
        await one.say("From the first")
        await other.say("From the second")
        await one.writing()
        await other.writing()
        await one.pilot.press("escape")
        await other.pilot.press("escape")
        await one.replied()
        await other.replied()
        assert "Saving failed" not in one.notes() + other.notes()
    with ConversationStore(places.conversations) as store:
        titles = {summary.title: summary.message_count for summary in store.summaries()}
        assert store.damage() is None
    assert titles == {"From the first": 2, "From the second": 2}


@pytest.mark.usefixtures("heat_at_hand")
async def test_each_app_remembers_what_was_done_in_it_and_forgets_nothing_of_the_other(
    open_app: OpenApp, places: Places, random_bpe_model: Path
) -> None:
    async with open_app() as one:
        await one.loaded()
        async with open_app(random_bpe_model) as other:
            await other.loaded()
            await other.screen.dialling.add("heat")
            await other.until(lambda: other.screen.dialling.rack.names() == ("heat",))
            other.app.take_theme("localsteer-light")
        await add_heat(one)
    remembered = read_remembered(places)
    assert [[dial.name for dial in dials] for dials in remembered.dials.values()] == [["heat"], ["heat"]]
    assert remembered.theme == "localsteer-light"


async def test_in_a_browser_no_terminal_is_asked_for_and_the_page_gives_the_focus_to_the_input(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
    check_terminal()
    async with open_app() as running:
        running.screen.set_focus(None)
        running.app.post_message(events.AppFocus())
        await running.until(lambda: running.screen.query_one(Composer).has_focus)
