"""What was sent comes back into the input: within a run, and another day."""

from __future__ import annotations

import sys

from localsteer.library.places import Places
from localsteer.library.sent_messages import MOST, read_sent, remember_sent
from localsteer.tui.sent import SentHistory
from localsteer.tui.widgets.composer import Composer
from tests.tui.conftest import OpenApp


def test_going_back_and_forth_keeps_the_draft_and_what_was_changed() -> None:
    history = SentHistory(["one", "two"])
    assert history.go(1, "draft") is None
    assert history.go(-1, "draft") == "two"
    assert history.go(-1, "two, changed") == "one"
    assert history.go(-1, "one") is None
    assert history.go(1, "one") == "two, changed"
    assert history.go(1, "two, changed") == "draft"


def test_what_is_sent_twice_running_stands_there_once_and_sending_begins_anew() -> None:
    history = SentHistory(["one"])
    history.go(-1, "")
    history.add("one")
    history.add("two")
    assert [history.go(-1, ""), history.go(-1, ""), history.go(-1, "")] == ["two", "one", None]


def test_of_a_long_day_as_many_stay_as_come_back_another_day() -> None:
    history = SentHistory(["first"])
    for number in range(MOST):
        history.add(f"{number}")
    back = []
    while (text := history.go(-1, "")) is not None:
        back.append(text)
    assert back == [f"{number}" for number in reversed(range(MOST))]


def test_messages_are_kept_privately_up_to_a_number_and_damaged_ones_passed_over(places: Places) -> None:
    assert read_sent(places) == ()
    for number in range(3):
        remember_sent(places, f"line\n{number} ü")
    with places.sent_messages.open("ab") as file:
        file.write(b'{"no": "text"}\n"half of o')
    remember_sent(places, "after it")
    remember_sent(places, "x" * 30_000)
    assert read_sent(places) == ("line\n0 ü", "line\n1 ü", "line\n2 ü", "after it")
    if sys.platform != "win32":
        assert places.sent_messages.stat().st_mode & 0o777 == 0o600
    places.sent_messages.write_text("".join(f'"{number}"\n' for number in range(2 * MOST + 1)), encoding="utf-8")
    assert read_sent(places)[0] == str(MOST + 1)
    assert len(places.sent_messages.read_bytes().splitlines()) == MOST


async def test_up_and_down_fetch_it_back_from_the_first_and_the_last_line(open_app: OpenApp, places: Places) -> None:
    remember_sent(places, "of yesterday")
    async with open_app(size=(80, 24)) as running:
        await running.loaded()
        composer, pilot = running.screen.query_one(Composer), running.pilot
        await pilot.press(*"one", "ctrl+j", *"two", "enter")
        await running.until(lambda: running.questions() == ["one\ntwo"])
        await pilot.press("escape")
        await running.replied()
        await pilot.press(*"new")
        await pilot.press("up")
        assert composer.text == "one\ntwo"
        # Within a text the arrows move the cursor first.
        await pilot.press("up")
        assert composer.text == "one\ntwo"
        await pilot.press("up")
        assert composer.text == "of yesterday"
        await pilot.press("down", "down")
        assert composer.text == "new"
    assert read_sent(places) == ("of yesterday", "one\ntwo")


async def test_where_it_is_not_wanted_nothing_is_kept(open_app: OpenApp, places: Places) -> None:
    from localsteer.library.settings import Settings

    async with open_app(settings=Settings(remember_messages=False)) as running:
        await running.say("Hello")
        await running.until(running.questions)
    assert not places.sent_messages.exists()
