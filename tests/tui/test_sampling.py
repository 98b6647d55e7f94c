"""The sampling panel: by arrows, by typing, by mouse; in force from the next reply on; kept where that is wanted."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Static

from localsteer.engine.protocol import Sampling
from localsteer.errors import SettingsError
from localsteer.library.places import Places
from localsteer.library.settings_sources import read_settings
from localsteer.tui.dialogs.sampling import SamplingPanel
from localsteer.tui.sampling_values import SAMPLING_VALUES, keep_as_defaults
from localsteer.tui.widgets.number_row import NumberRow
from tests.tui.conftest import OpenApp, Running

BY_NAME = {value.name: value for value in SAMPLING_VALUES}


def test_every_value_of_a_sampling_is_on_the_panel() -> None:
    assert {value.name for value in SAMPLING_VALUES} == set(Sampling.__dataclass_fields__)
    assert all(value.of(Sampling()) == value.default for value in SAMPLING_VALUES)


def test_steps_are_round_and_stay_where_the_value_can_be() -> None:
    assert BY_NAME["temperature"].stepped(0.8, 1) == 0.9
    assert BY_NAME["temperature"].stepped(0.0, -1) == 0.0
    assert BY_NAME["top_p"].stepped(1.0, 1) == 1.0
    assert BY_NAME["top_k"].stepped(3, -1) == 3
    assert BY_NAME["max_tokens"].stepped(None, 1) == 64
    assert BY_NAME["max_tokens"].stepped(None, -1) is None
    assert BY_NAME["max_tokens"].stepped(64, -1) is None
    assert BY_NAME["seed"].stepped(0, -1) is None


def test_what_is_typed_is_read_or_refused_in_a_sentence() -> None:
    assert BY_NAME["seed"].read("random") is None
    assert BY_NAME["max_tokens"].read("none") is None
    assert BY_NAME["min_p"].read("0.1") == 0.1
    with pytest.raises(SettingsError, match="top_k"):
        BY_NAME["top_k"].read("1.5")


def test_defaults_are_written_into_the_settings_file_and_taken_out_again(places: Places) -> None:
    keep_as_defaults(places, Sampling(temperature=0.3, seed=5, max_tokens=100))
    assert read_settings(places, environment={})[0].sampling == Sampling(temperature=0.3, seed=5, max_tokens=100)
    keep_as_defaults(places, Sampling(top_k=0))
    assert tomllib.loads(places.settings.read_text(encoding="utf-8")) == {"keys": {}, "top_k": 0}


def said(running: Running) -> str:
    return str(running.app.screen.query_one("#says", Static).content)


async def test_values_are_changed_by_every_way_and_the_next_reply_is_drawn_so(
    open_app: OpenApp, random_bpe_model: Path, places: Places
) -> None:
    async with open_app(random_bpe_model, size=(80, 24)) as running:
        await running.loaded()
        conversing, pilot = running.screen.conversing, running.pilot
        await pilot.press("ctrl+g")
        await running.until(lambda: isinstance(running.app.screen, SamplingPanel) and "always takes" in running.text())
        panel = running.app.screen
        # Arrows; typing; a value that cannot be; the mouse.
        await pilot.press("right", "right")
        await running.until(lambda: conversing.sampling.temperature == 0.2)
        await pilot.press("down", "1", "2")
        await running.until(lambda: conversing.sampling.top_k == 12)
        await pilot.press("backspace")
        await running.until(lambda: conversing.sampling.top_k == 1)
        await pilot.press("down", "5")
        await running.until(lambda: "must be a number above 0 and up to 1" in said(running))
        assert conversing.sampling.top_p == 0.95
        await pilot.press("up", "delete")
        await running.until(lambda: conversing.sampling.top_k == 40)
        await pilot.click("#row-max_tokens", offset=(33, 0))
        await running.until(lambda: conversing.sampling.max_tokens == 64)
        await pilot.click("#row-max_tokens", offset=(17, 0))
        await running.until(lambda: conversing.sampling.max_tokens is None)
        panel.query_one("#row-max_tokens", NumberRow).put(9)
        await pilot.press("enter")
        await running.until(lambda: running.app.screen is running.screen)
        await running.say("Hello")
        await running.replied()
        record = running.screen.talk.messages[-1].reply
        assert record is not None
        assert record.sampling == replace(Sampling(), temperature=0.2, max_tokens=9)
        # The seed that was drawn is kept, so that the same reply is drawn again.
        await pilot.press("ctrl+g", "k")
        await running.until(lambda: conversing.sampling.seed == record.seed)
        await pilot.click("#make-default")
        await running.until(places.settings.exists)
        assert read_settings(places, environment={})[0].sampling == conversing.sampling
        await pilot.press("escape", "ctrl+r")
        await running.until(lambda: running.screen.talk.messages[-1].reply not in (None, record))
        await running.replied()
        again = running.screen.talk.messages[-1].reply
        assert again is not None
        assert again.tokens == record.tokens
        await pilot.press("ctrl+g", "r", "d", "escape")
        await running.until(lambda: conversing.sampling == Sampling())


async def test_a_settings_file_that_cannot_be_read_is_left_alone_and_said(open_app: OpenApp, places: Places) -> None:
    async with open_app(size=(80, 24)) as running:
        places.config.mkdir(parents=True, exist_ok=True)
        places.settings.write_text("temperature = = 1", encoding="utf-8")
        await running.pilot.press("ctrl+g", "right", "s")
        await running.until(lambda: "cannot be read" in said(running))
        assert places.settings.read_text(encoding="utf-8") == "temperature = = 1"
