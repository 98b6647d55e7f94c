"""Every word in the colour of the pole that it leans to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Static

from localsteer.engine.protocol import Reading
from localsteer.tui.dialogs.token_view import TokenView
from localsteer.tui.heat import behind, heated, mean_words, scale_words
from localsteer.tui.plain import plain
from tests.tui.conftest import OpenApp, Running
from tests.tui.test_dials import add_heat


def view(running: Running) -> TokenView:
    assert isinstance(running.app.screen, TokenView)
    return running.app.screen


def shown(running: Running) -> list[str]:
    return [str(text.content) for text in view(running).query(".seen--message").results(Static)]


def seen(running: Running) -> int:
    """How many messages are there, painted."""
    return sum(bool(text) for text in shown(running))


@pytest.mark.usefixtures("heat_at_hand")
async def test_the_conversation_is_seen_along_a_dial_and_closed_again(open_app: OpenApp) -> None:
    async with open_app() as running:
        await add_heat(running)
        await running.pilot.press("alt+right")
        await running.say("the people find the word")
        await running.until(lambda: running.screen.conversing._replies[0].tokens > 8)
        await running.pilot.press("escape")
        await running.replied()
        await running.pilot.press("alt+v")
        await running.until(lambda: isinstance(running.app.screen, TokenView) and seen(running) == 2)
        asked, said = shown(running)
        assert asked.splitlines()[0] == "the people find the word"
        assert said.splitlines()[-1].startswith("heat ")
        reply = plain(running.screen.talk.messages[-1].content)
        assert "".join(said.split())[:20] == "".join(reply.split())[:20]
        for words in ("cold", "warm", "layer", "as written"):
            assert words in running.text()
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.screen)
        # The engine is free again, and the next message finds the cache as it was.
        await running.pilot.press("ctrl+r")
        await running.until(lambda: len(running.screen.conversing._replies) == 1)
        await running.until(lambda: running.screen.conversing._replies[0].tokens > 1)
        running_reply = running.screen.conversing._replies[0].running
        assert running_reply is not None
        assert running_reply.record.prompt_tokens_evaluated == 0


@pytest.mark.usefixtures("heat_at_hand")
async def test_the_person_chooses_among_the_dials(open_app: OpenApp) -> None:
    async with open_app() as running:
        await add_heat(running)
        dial = running.screen.dialling.rack.dials[0]
        await running.screen.dialling.put(running.screen.dialling.rack.with_dial(replace(dial, name="second")))
        await running.say("the people")
        await running.until(lambda: running.screen.conversing._replies[0].tokens > 3)
        await running.pilot.press("escape")
        await running.replied()
        await running.pilot.press("alt+v")
        await running.until(lambda: isinstance(running.app.screen, TokenView) and seen(running) == 2)
        # It opens along the picked one.
        assert "second " in shown(running)[1]
        for key, name in (("left", "heat "), ("right", "second "), ("1", "heat "), ("alt+2", "second ")):
            await running.pilot.press(key)
            await running.until(lambda name=name: name in shown(running)[1])  # type: ignore[misc]


async def test_without_a_dial_or_a_message_it_says_what_is_missing(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("alt+v")
        await running.until(lambda: "Words are seen along" in running.text())
        assert running.app.screen is running.screen


def test_the_further_it_leans_the_deeper_the_colour() -> None:
    assert behind(0.05) == ""
    assert behind(0.5).startswith("on $pole-positive ")
    assert behind(-0.5).startswith("on $pole-negative ")
    depths = [int(behind(value).split()[-1].rstrip("%")) for value in (0.2, 0.5, 1.0, 1.5, 9.0)]
    assert depths == sorted(depths)
    assert depths[-1] == depths[-2]


def test_a_message_is_shown_without_the_space_around_it_and_obeys_nothing() -> None:
    text = heated([("\n\n", 1.0), (" so", 1.0), ("[bold]", 0.0), ("\x1b[31m", 0.5), (" on\nit", -1.0), ("\n", 1.0)])
    assert text.plain == "so[bold] on\nit"
    # A line end between two lines is never coloured.
    assert all(text.plain[span.start : span.end].strip("\n") for span in text.spans)


def test_the_mean_and_the_scale_are_said() -> None:
    assert mean_words("mood", [("a", 1.0), ("b", -0.5)]).plain == "mood +0.25"
    foreign = Reading("theirs", "", "", 4, "spread", ())
    assert "standard deviations" in scale_words(foreign)
