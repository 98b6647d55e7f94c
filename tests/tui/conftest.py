"""The real app on a real engine process with a random-weight model; nothing is played by a stand-in."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Extract, Extracted, Load, Loaded
from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.tui import conversing
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.memory import Memory
from localsteer.tui.opening import Opening
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.messages import NoteLine, ReplyView, UserView
from tests.random_models import write_random_llama

RECIPE = """
description = "Moves test texts from the cold side to the warm side."
[poles]
positive = "warm"
negative = "cold"
[[pairs]]
positive = [{ user = "The sun is warm." }]
negative = [{ user = "The snow is cold." }]
[[pairs]]
positive = [{ user = "A warm fire." }]
negative = [{ user = "A cold night." }]
"""


@dataclass
class Running:
    """An open app, and the questions that tests ask of it."""

    app: LocalsteerApp
    pilot: Pilot[None]

    @property
    def screen(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    async def until(self, true: Callable[[], object], seconds: float = 30.0) -> None:
        """Go on as soon as ``true()`` is."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"waited {seconds:.0f} s in vain; the screen says:\n{self.text()}"
            # Not pilot.pause: that paints at every look.
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def nothing_heard(self) -> AsyncIterator[None]:
        """What the engine says is heard only after this: much may happen between two times that the app listens."""
        await self.until(lambda: not self.screen._listening)
        self.screen._listening = True
        yield
        self.screen._listening = False

    async def writing(self) -> None:
        """A reply is in the middle of being written."""
        await self.until(lambda: any(reply.tokens > 3 for reply in self.screen.conversing._replies))

    async def loaded(self) -> None:
        await self.until(lambda: self.screen.link.card is not None and self.notes())

    async def say(self, text: str) -> None:
        """Type and send."""
        self.screen.query_one(Composer).text = text
        await self.pilot.press("enter")

    async def replied(self, count: int = 1) -> None:
        await self.until(lambda: len(self.replies()) == count and not self.screen.conversing.writing)

    def questions(self) -> list[str]:
        return [str(view.content) for view in self.screen.query(UserView)]

    def replies(self) -> list[ReplyView]:
        return list(self.screen.query(ReplyView))

    def feet(self) -> list[str]:
        """What stands below each reply."""
        return [str(view.query_one(".reply--foot", Static).content) for view in self.replies()]

    def notes(self) -> str:
        return "\n".join(str(view.content) for view in self.screen.query(NoteLine))

    def remarks(self) -> str:
        """What was said in passing and is still shown."""
        return "\n".join(notification.message for notification in self.app._notifications)

    def text(self) -> str:
        """Every character on the terminal."""
        size = self.app.size
        lines = self.app.screen._compositor.render_strips(size)
        return "\n".join(strip.text.rstrip() for strip in lines)


def remarks(running: Running) -> str:
    """The short remarks that are on the screen."""
    return "\n".join(one.message for one in running.app._notifications)


OpenApp = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture(autouse=True)
def _quick_start(warm_engines: None) -> None:
    """Each of the apps has an engine of its own."""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    home = tmp_path / "home"
    return Places(data=home, config=home, logs=home / "logs")


@pytest.fixture
def warm_recipe(places: Places) -> Path:
    """A recipe of four short prompts, so that making its vector takes no time."""
    places.recipes.mkdir(parents=True)
    path = places.recipes / "heat.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def patient_model(model_folder: Path) -> Path:
    """A model that writes on for seconds, so that it can be caught in the middle of a reply."""
    return write_random_llama(
        model_folder / "patient.gguf", n_layer=8, n_embd=64, n_head=8, n_kv=4, n_ctx=8192, ends=False
    )


@pytest.fixture(scope="session")
def heat_vector(patient_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The vector of :data:`RECIPE` for that model, made once by the real engine, and the model's id."""
    folder = tmp_path_factory.mktemp("heat")
    recipe = folder / "heat.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    with EngineClient() as client:
        client.send(Load(client.new_request(), str(patient_model)))
        extract = Extract(client.new_request(), str(recipe), str(folder / "heat.gguf"), calibrate=False)
        client.send(extract)
        events = list(client.events(1)) + list(client.events(extract.request))
    loaded = next(event for event in events if isinstance(event, Loaded))
    assert isinstance(events[-1], Extracted)
    return folder / "heat.gguf", loaded.card.model_id


@pytest.fixture
def heat_at_hand(warm_recipe: Path, heat_vector: tuple[Path, str], places: Places) -> Path:
    """Recipe and vector are there; adding the dial makes nothing."""
    path, model_id = heat_vector
    folder = places.vectors / model_id
    folder.mkdir(parents=True)
    shutil.copy(path, folder / "heat.gguf")
    return warm_recipe


@pytest.fixture
def open_app(places: Places, patient_model: Path, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Opens the app; greedy, and the patient model writes no faster than a test needs it."""
    monkeypatch.setattr(conversing, "pace_of", lambda card: 60.0 if card.path == str(patient_model) else 0.0)

    @asynccontextmanager
    async def opened(
        model: Path = patient_model,
        size: tuple[int, int] = (100, 24),
        temperature: float = 0.0,
        settings: Settings | None = None,
    ) -> AsyncIterator[Running]:
        settings = replace(settings or Settings(), temperature=temperature)
        memory = Memory(places, remember_dials=settings.remember_dials, needles=settings.needles)
        opening = Opening(model, places, settings, memory)
        app = LocalsteerApp(opening)
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Running(app, pilot)

    return opened


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The home of somebody who has no models yet."""
    person = tmp_path / "person"
    person.mkdir()
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(name, str(person))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "HF_HOME", "HF_HUB_CACHE", "LLAMA_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
