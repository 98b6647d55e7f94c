"""The app with a model and four dials, driven at its terminal; and the same engine without an app around it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from localsteer.chat.store import ConversationStore
from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import DialSetting, Extract, Extracted, Finished, Generate, Load, Loaded, Sampling, Turn
from localsteer.library.places import HOME_VARIABLE, Places, find_places
from localsteer.library.remembered import Remembered, RememberedDial, write_remembered
from tests.benchmarks.conversations import conversation
from tests.benchmarks.pseudo_terminal import Terminal, app_command

DIALS = ("heat", "stream", "lake", "ember")
_RECIPE = """
description = "Four short prompts: a vector in no time."
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
STRENGTH = 0.05
"""Weak: what is written shall not depend on it, only what it costs."""
QUESTION = "Tell me about gardens."
SAMPLING = Sampling(temperature=0.8, seed=1)

_NEW_CHAT = "\x0e"
_OPEN_LAST = "\x0f"
_QUIET_SECONDS = 0.4


@dataclass(frozen=True)
class Home:
    """A folder of localsteer's own with a model and its four dials on the panel."""

    places: Places
    model: Path
    dials: tuple[DialSetting, ...]
    n_ctx: int

    def command(self, *settings: str) -> list[str]:
        """The app on this model, drawing as the other side does."""
        given = [f"n_ctx={self.n_ctx}", f"temperature={SAMPLING.temperature}", f"seed={SAMPLING.seed}", *settings]
        return [*app_command(), "chat", "--model", str(self.model), *(f"--set={one}" for one in given)]

    @property
    def environment(self) -> dict[str, str]:
        return {HOME_VARIABLE: str(self.places.data)}


@contextmanager
def home(model: Path, *, n_ctx: int = 4096, messages: int = 0) -> Iterator[Home]:
    """Make one; with a conversation of so many ``messages``. The vectors are made by the engine itself, one for all."""
    with TemporaryDirectory() as folder:
        places = find_places({HOME_VARIABLE: folder})
        with EngineClient() as client:
            client.send(Load(client.new_request(), str(model), n_ctx))
            card = next(event.card for event in client.events(1) if isinstance(event, Loaded))
            vectors = places.vectors / card.model_id
            vectors.mkdir(parents=True)
            recipe, first = Path(folder) / "heat.toml", vectors / f"{DIALS[0]}.gguf"
            recipe.write_text(_RECIPE, encoding="utf-8")
            request = client.new_request()
            client.send(Extract(request, str(recipe), str(first), calibrate=False))
            assert isinstance(list(client.events(request))[-1], Extracted)
        for name in DIALS[1:]:
            shutil.copy(first, vectors / f"{name}.gguf")
        remembered = tuple(RememberedDial(name, STRENGTH) for name in DIALS)
        write_remembered(places, Remembered(dials={card.model_id: remembered}))
        if messages:
            with ConversationStore(places.conversations) as store:
                store.add_tree(conversation(messages, words=8))
        settings = tuple(DialSetting(name, str(vectors / f"{name}.gguf"), STRENGTH) for name in DIALS)
        yield Home(places, model, settings, n_ctx)


class App:
    """The app at its terminal, with a model that is loaded."""

    def __init__(self, terminal: Terminal, home: Home) -> None:
        self.terminal = terminal
        self._home = home
        terminal.when(lambda screen: "room for" in screen.text and DIALS[-1] in screen.text)
        self.process = psutil.Process(terminal.process.pid)
        # The installed command may be a launcher around the interpreter.
        (self.engine,) = [one for one in self.process.children(recursive=True) if one.status() != "zombie"]
        self._known = self._last_id()
        self.settle()

    def settle(self) -> None:
        """Until neither the app nor its engine has anything to do: replies are rated and named when nobody waits."""
        since, used = time.monotonic(), self._used()
        while time.monotonic() - since < 3 * _QUIET_SECONDS:
            time.sleep(_QUIET_SECONDS)
            if self._used() - used > 0.2 * _QUIET_SECONDS:
                since = time.monotonic()
            used = self._used()

    def _used(self) -> float:
        times = self.engine.cpu_times()
        return float(times.user + times.system)

    def cpu(self) -> float:
        """Seconds of processor time that the app itself has taken, without its engine."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def new_chat(self) -> None:
        """An empty one."""
        self.terminal.send(_NEW_CHAT)
        time.sleep(0.5)

    def open_last(self, places: int = 1) -> None:
        """The conversation that stands so far down in the list of them."""
        self.terminal.send(_OPEN_LAST)
        self.terminal.when(lambda screen: "messages" in screen.text)
        time.sleep(0.5)
        self.terminal.send("\x1b[B" * (places - 1) + "\r")
        time.sleep(1.0)

    def ask(self, question: str = QUESTION) -> None:
        """Type and send."""
        self.terminal.send(question)
        time.sleep(0.2)
        self.terminal.send("\r")

    def stop(self) -> None:
        """No more of this reply."""
        self.terminal.send("\x1b")

    def progress(self) -> tuple[int, float | None]:
        """Tokens of the reply to the last question that are saved so far, and tokens per second once it is whole."""
        row = self._row(
            "SELECT length(tokens) / 4, finish_reason, tokens_per_second FROM replies WHERE message_id > ? "
            "ORDER BY message_id DESC LIMIT 1",
            self._known,
        )
        return (0, None) if row is None else (row[0], row[2] if row[1] else None)

    def reply(self, *, timeout: float = 120.0) -> tuple[int, float]:
        """Wait for the reply: its tokens, and tokens per second as the engine counts them."""
        end = time.monotonic() + timeout
        while True:
            tokens, speed = self.progress()
            if speed is not None:
                self._known = self._last_id()
                return tokens, speed
            if time.monotonic() > end:
                raise TimeoutError(f"no reply in {timeout:.0f} s; the screen says:\n{self.terminal.screen().text}")
            time.sleep(0.25)

    def _last_id(self) -> int:
        row = self._row("SELECT max(message_id) FROM replies")
        return (row and row[0]) or 0

    def _row(self, query: str, *values: object) -> tuple[int, ...] | None:
        path = self._home.places.conversations
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found: tuple[int, ...] | None = connection.execute(query, values).fetchone()
        return found


@contextmanager
def app(home: Home, *settings: str, columns: int = 140, lines: int = 45) -> Iterator[App]:
    """Open it. ``settings``: ``KEY=VALUE`` each."""
    with Terminal(home.command(*settings), home.environment, columns=columns, lines=lines) as terminal:
        yield App(terminal, home)


class Alone:
    """The engine process as the app starts it, with nobody painting."""

    def __init__(self, client: EngineClient, home: Home) -> None:
        self._client = client
        self._home = home
        request = client.new_request()
        client.send(Load(request, str(home.model), home.n_ctx))
        assert any(isinstance(event, Loaded) for event in client.events(request))

    def reply(self, max_tokens: int) -> tuple[int, float]:
        """The same command as the app's: tokens, and tokens per second."""
        request = self._client.new_request()
        sampling = Sampling(temperature=SAMPLING.temperature, seed=SAMPLING.seed, max_tokens=max_tokens)
        self._client.send(Generate(request, (Turn("user", QUESTION),), self._home.dials, sampling))
        finished = next(event for event in self._client.events(request) if isinstance(event, Finished))
        return len(finished.tokens), finished.tokens_per_second


@contextmanager
def alone(home: Home) -> Iterator[Alone]:
    """Start it."""
    with EngineClient() as client:
        yield Alone(client, home)
