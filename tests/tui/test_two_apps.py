"""Two copies of the app at once, as in two tabs of a browser; and what a browser needs."""

from __future__ import annotations

import pytest
from textual import events

from localsteer.chat.store import ConversationStore
from localsteer.library.places import Places
from localsteer.tui.terminal import check_terminal
from localsteer.tui.widgets.composer import Composer
from tests.tui.conftest import OpenApp, Running


async def writing(running: Running) -> None:
    await running.until(lambda: any(reply.tokens > 3 for reply in running.screen.conversing._replies))


async def test_two_apps_share_one_database_and_neither_loses_anything(open_app: OpenApp, places: Places) -> None:
    async with open_app() as one, open_app() as other:
        await one.loaded()
        await other.loaded()
        await one.say("From the first")
        await other.say("From the second")
        await writing(one)
        await writing(other)
        await one.pilot.press("escape")
        await other.pilot.press("escape")
        await one.replied()
        await other.replied()
        assert "Saving failed" not in one.notes() + other.notes()
    with ConversationStore(places.conversations) as store:
        titles = {summary.title: summary.message_count for summary in store.summaries()}
        assert store.damage() is None
    assert titles == {"From the first": 2, "From the second": 2}


async def test_in_a_browser_no_terminal_is_asked_for_and_the_page_gives_the_focus_to_the_input(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
    check_terminal()
    async with open_app() as running:
        running.screen.set_focus(None)
        running.app.post_message(events.AppFocus())
        await running.until(lambda: running.screen.query_one(Composer).has_focus)
