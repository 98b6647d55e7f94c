"""Another model without starting again: found, chosen, loaded, or not loaded; and downloaded."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from localsteer.library.places import Places, practice_model
from localsteer.library.remembered import read_remembered
from localsteer.library.settings import Settings
from localsteer.tui.dialogs.models import Models
from localsteer.tui.engine_link import EngineState
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.making import MakingView
from localsteer.tui.workshop.way import Words
from tests.library.hub_server import Hub, running_hub
from tests.tui.conftest import OpenApp, Running

SMALL = "org/Small-GGUF:small.Q8_0.gguf"


@pytest.fixture
def models(alone: None, places: Places, random_bpe_model: Path, patient_model: Path) -> Path:
    """A folder with two models that load and a damaged one."""
    places.models.mkdir(parents=True)
    shutil.copy(random_bpe_model, places.models / "little.gguf")
    os.link(patient_model, places.models / "patient.gguf")
    (places.models / "torn.gguf").write_bytes(random_bpe_model.read_bytes()[:200])
    return places.models


@pytest.fixture
def hub(random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with running_hub() as hub:
        hub.files["org/Small-GGUF"] = {"small.Q8_0.gguf": random_bpe_model.read_bytes(), "small.F16.gguf": b"GGUF"}
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        yield hub


async def open_models(running: Running) -> Models:
    await running.pilot.press("ctrl+l")
    await running.until(lambda: isinstance(running.app.screen, Models) and "On this disk" in running.text())
    screen = running.app.screen
    assert isinstance(screen, Models)
    return screen


async def search(running: Running, text: str) -> None:
    running.app.screen.query_one(Input).value = text
    await running.pilot.pause()


async def loaded(running: Running, stem: str) -> None:
    await running.until(lambda: running.screen.link.card and Path(running.screen.link.card.path).stem == stem)


async def test_a_model_is_found_and_replaces_the_present_one_while_conversation_and_dials_stay(
    open_app: OpenApp, models: Path, heat_at_hand: Path, places: Places
) -> None:
    async with open_app(models / "patient.gguf", size=(100, 40)) as running:
        await running.loaded()
        process = running.screen.link.client.pid
        await running.screen.dialling.set_strength("heat", 0.5)
        await running.say("Hello")
        await running.writing()
        await open_models(running)
        # What is known of each, and why a damaged one cannot be had.
        for words in ("patient   loaded", "little", "512 tokens", "fits", "can be steered", "torn", "practice"):
            assert words in running.text(), words
        assert "cut off" in running.text() or "ends" in running.text()
        await search(running, "litt")
        await running.until(lambda: "practice" not in running.text().split("Models")[1])
        await running.pilot.press("enter")
        await loaded(running, "little")
        assert running.screen.link.client.pid == process
        await running.until(lambda: "stopped" in running.feet()[0])
        assert running.questions() == ["Hello"]
        assert running.screen.dialling.rack.names() == ()
        await running.until(lambda: "4 layers" in running.notes())
        assert running.screen.query_one(HeaderLine).model == "Random bpe 0 F32"
        await running.say("And you?")
        await running.replied(2)
        # And back, by its name; the dial stands where it was left with this model.
        await running.say("/model patient")
        await loaded(running, "patient")
        await running.until(lambda: [dial.strength for dial in running.screen.dialling.rack.dials] == [0.5])
        await running.say("Once more")
        await running.until(lambda: len(running.replies()) == 3)
        await running.writing()
        await running.pilot.press("escape")
        await running.replied(3)
        assert "heat +0.5" in running.feet()[2]
    assert read_remembered(places).last_model == str(models / "patient.gguf")


async def test_a_model_that_does_not_load_says_why_and_the_old_one_is_back(open_app: OpenApp, models: Path) -> None:
    async with open_app(models / "little.gguf", size=(100, 40)) as running:
        await running.loaded()
        await running.screen.switching.to(models / "torn.gguf")
        await running.say("Is anybody there?")
        await running.until(lambda: "torn could not be loaded" in running.notes())
        assert "little is loaded again" in running.notes()
        # What was said meanwhile is answered by the model that is there.
        await running.replied()
        assert running.questions() == ["Is anybody there?"]
        await running.say("/model nothing like it")
        await running.until(lambda: "There is no model named" in running.text())


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
async def test_an_engine_that_dies_of_the_new_model_comes_back_with_the_old_one(
    open_app: OpenApp, models: Path
) -> None:
    async with open_app(models / "little.gguf", size=(100, 40)) as running:
        await running.loaded()
        process = running.screen.link.client.pid
        assert process is not None
        os.kill(process, signal.SIGSTOP)
        await running.screen.switching.to(models / "patient.gguf")
        os.kill(process, signal.SIGKILL)
        await running.until(lambda: "patient could not be loaded" in running.notes())
        await loaded(running, "little")
        await running.say("Hello")
        await running.replied()


async def test_after_a_model_that_never_loaded_another_one_is_chosen(open_app: OpenApp, models: Path) -> None:
    async with open_app(models / "torn.gguf", size=(100, 40)) as running:
        await running.until(lambda: "Ctrl+L chooses another" in running.notes())
        await open_models(running)
        await search(running, "litt")
        await running.pilot.press("enter")
        await loaded(running, "little")
        await running.say("Hello")
        await running.replied()


async def test_a_model_is_downloaded_stopped_resumed_and_opened(open_app: OpenApp, models: Path, hub: Hub) -> None:
    async with open_app(models / "little.gguf", size=(100, 40)) as running:
        await running.loaded()
        await open_models(running)
        assert "smollm2-135m" in running.text()
        await search(running, "org/Small-GGUF")
        assert hub.requests == []
        # A repository alone is looked at first.
        await running.pilot.press("enter")
        await running.until(lambda: "has 2 GGUF files" in running.text() and "small.F16.gguf" in running.text())
        await search(running, SMALL)
        await running.until(lambda: "Downloads it" in running.text())
        hub.pause = threading.Event()
        await running.pilot.press("enter")
        await running.until(lambda: " kB of " in running.text() and "Esc stops" in running.text())
        await running.pilot.press("escape")
        await running.until(lambda: "stopping" in running.text())
        hub.pause.set()
        hub.pause = None
        await running.until(lambda: "What has come is kept" in running.text())
        assert isinstance(running.app.screen, Models)
        await running.pilot.press("enter")
        await running.until(lambda: "Enter opens it" in running.text())
        assert hub.bodies_asked_for()[-1].startswith("bytes=")
        options = running.app.screen.query_one(OptionList)
        await running.until(lambda: options.highlighted is not None and "small.Q8_0" in running.text())
        await running.pilot.press("enter")
        await loaded(running, "small.Q8_0")


async def test_a_download_that_fails_says_why(open_app: OpenApp, models: Path, hub: Hub) -> None:
    async with open_app(models / "little.gguf", size=(100, 40)) as running:
        await open_models(running)
        await search(running, "org/Nothing:x.gguf")
        await running.pilot.press("enter")
        await running.until(lambda: "org/Nothing" in running.text() and "no " in running.text())
        await running.until(lambda: running.app.screen.query_one("FetchLine Static").has_class("-wrong"))
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.screen)


async def test_models_are_in_the_palette_and_behind_the_models_name(open_app: OpenApp, models: Path) -> None:
    async with open_app(models / "little.gguf", size=(100, 40)) as running:
        await running.loaded()
        await running.pilot.click(HeaderLine, offset=(running.text().index("Random") + 1, 0))
        await running.until(lambda: isinstance(running.app.screen, Models))
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.screen)
        await running.pilot.press("ctrl+p", *"model: practice")
        await running.until(lambda: "Model: practice" in running.text())
        await running.pilot.press("down", "enter")
        await loaded(running, practice_model().stem)
        assert running.screen.query_one(Composer).has_focus


async def test_a_vector_that_is_made_as_another_model_comes_is_no_dial_for_that_one(
    open_app: OpenApp, random_bpe_model: Path, patient_model: Path, warm_recipe: Path
) -> None:
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        screen = running.screen
        card = screen.link.card
        assert card is not None
        # Nothing is heard meanwhile: what the engine says of it comes when the other model is chosen already.
        async with running.nothing_heard():
            await screen.dialling.add("heat")
            path = screen.dialling.places.vectors / card.model_id / "heat.gguf"
            await running.until(path.exists)
            await asyncio.sleep(0.5)
            await screen.switching.to(patient_model)
            await screen.hearing.tick()
        await loaded(running, patient_model.stem)
        assert screen.dialling.rack.names() == ()


async def test_a_dial_of_the_model_before_cannot_be_had_back_while_another_one_loads(
    open_app: OpenApp, patient_model: Path, random_bpe_model: Path, heat_at_hand: Path
) -> None:
    async with open_app() as running:
        await running.loaded()
        dialling = running.screen.dialling
        await dialling.add("heat")
        await dialling.change(lambda rack: rack.set_strength(0, 1.0))
        rack = dialling.rack
        await running.screen.switching.to(random_bpe_model)
        assert running.screen.link.card is None
        await dialling.undo()
        await dialling.put(rack)
        assert dialling.rack.names() == ()
        await loaded(running, random_bpe_model.stem)
        await running.pilot.pause()
        assert dialling.rack.names() == ()


async def test_whoever_waits_for_the_engine_hears_that_it_does_something_else(
    open_app: OpenApp, patient_model: Path, random_bpe_model: Path, heat_at_hand: Path
) -> None:
    async with open_app(settings=replace(Settings(), max_tokens=8)) as running:
        await running.loaded()
        await running.say("Hello")
        await running.replied()
        screen = running.screen
        message = screen.talk.messages[-1]
        for turn_away in (screen._stop, partial(screen.switching.to, random_bpe_model)):
            await loaded(running, patient_model.stem)
            async with running.nothing_heard():
                await screen.dialling.add_words("sea", "day")
                await screen.again.begin(message)
                screen.workshop.make(Words("old", "new"), "old-new")
                assert screen.link.waiting == 2
                await turn_away()
                assert not screen.again.running
                assert not screen.workshop.busy
            await running.until(lambda: screen.link.card is not None and screen.link.running is None)
        await running.until(lambda: not screen.query_one(MakingView).display)


async def test_whoever_waits_for_a_model_hears_that_it_does_not_load(open_app: OpenApp, models: Path) -> None:
    async with open_app(models / "patient.gguf", settings=replace(Settings(), max_tokens=8)) as running:
        await running.loaded()
        await running.say("Hello")
        await running.replied()
        screen, message = running.screen, running.screen.talk.messages[-1]
        client = screen.link.client
        client.kill()
        await running.until(lambda: not client.alive and screen.link.state is EngineState.OFF)
        (models / "patient.gguf").unlink()
        await screen.again.begin(message)
        await screen.dialling.add_words("sea", "day")
        assert screen.again.running
        assert screen.query_one(MakingView).display
        await running.until(lambda: "could not be loaded" in running.notes())
        await running.until(lambda: not screen.again.running)
        await running.until(lambda: not screen.query_one(MakingView).display)
