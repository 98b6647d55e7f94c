"""A monkey at the keys of the real app: random keys, clicks, drags, turns of the wheel, pastes and sizes, from a seed.

What it does next is drawn from the seed and from what the screen offers at that moment, so that every dialog's own keys
are found, too. Replies and vectors come when they come: a seed repeats the keys, not the moment of each.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import pytest
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size
from textual.keys import _character_to_key, key_to_character
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from localsteer.tui.app import LocalsteerApp
from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.engine_link import EngineState
from localsteer.tui.keys import COMMANDS
from localsteer.tui.slash import SLASH_COMMANDS
from localsteer.tui.slashing import Slashing
from localsteer.tui.widgets.composer import Composer

QUITTING = frozenset({"ctrl+q"})
PATIENCE = 60.0
"""Seconds after which an app that answers no event counts as dead."""

_KEYS = tuple(key for command in COMMANDS for key in (*command.keys, *command.panel_keys) if key not in QUITTING)
_EDITING = (
    *("enter", "tab", "shift+tab", "escape", "escape", "up", "down", "left", "right", "home", "end", "backspace"),
    *("delete", "space", "pageup", "pagedown", "ctrl+j", "shift+left", "shift+up", "ctrl+a", "ctrl+u", "ctrl+k"),
    *("ctrl+w", "ctrl+x", "ctrl+v", "ctrl+c", "ctrl+y", "ctrl+z", "ctrl+end", "ctrl+home", "ctrl+left", "ctrl+right"),
    *("f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "alt+1", "alt+2", "alt+3", "alt+9"),
)
_NAMED = tuple(
    sorted(
        {
            key.value
            for keys in ANSI_SEQUENCES_KEYS.values()
            if isinstance(keys, tuple)
            for key in keys
            if key.value not in QUITTING and not key.value.startswith("<")
        }
    )
)
_LETTERS = "abcdefghijklmnopqrstuvwxyzäß .,;:-+*=()[]{}@#$%&'\"!?0123456789ﬁ中😀\u200d\u0301\u202e"
_WORDS = ("gardens", "mood", "cheerful", "gloomy", "rain", "hello", "register", "sea", "1.5", "-2", "practice", "x")
_ARGUMENTS = {
    "model": ("", "practice", "other", "broken", "nobody"),
    "system": ("", "You are a gardener.", "x" * 3000),
    "dial": (
        "mood",
        "mood 1.5",
        "register -1",
        "Love/Hate 2",
        "mood*0.5+register",
        "warmth=9e9",
        "mood nan",
        "0.5",
        "§",
    ),
    "zero": ("", "mood", "nobody"),
    "scene": ("", "evening", "nobody"),
    "compare": ("", "What is rain?"),
    "seed": ("7", "random", "-1", "99999999999999999999"),
    "temperature": ("0", "2", "1e400", "x"),
    "top_k": ("1", "0", "-5"),
    "top_p": ("0", "0.5", "1"),
    "min_p": ("0", "0.9"),
    "repeat_penalty": ("1.3", "0"),
    "max_tokens": ("none", "40", "1", "0", "10000000"),
    "title": ("", "A title", "\u202e" * 20, "t" * 5000),
    "save": ("talk.md", "talk.html", "talk.json", "talk.exe", "no/such/folder/t.md", "~nobody/t.md", "n" * 400 + ".md"),
    "copy": ("", "code", "conversation"),
    "theme": ("dark", "light", "contrast", "nord", "nobody"),
}
_PASTES = (
    "one line",
    "two\nlines\r\nand\ta tab",
    "\x1b[31mred\x1b[0m \x07\x08\x00\x9b31m\x7f",
    "😀👩‍👩‍👧‍👦🏳️‍🌈é中文عربى\u202eover",
    "Tell me about gardens. " * 200,
    "happy\tsad\nglad,gloomy\nbright | dark\n",
    '[{"positive": "I am glad.", "negative": "I am sad."}]',
    "[bold]markup[/bold] [/] [@click=app.bell]x[/]",
    "```python\nprint(1)\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n# h\n- x\n[link](http://127.0.0.1:9/x)",
    "/dial mood 2",
    "\n" * 300,
    "w" * 5000,
)
_SIZES = ((100, 30), (80, 24), (120, 40), (200, 60), (72, 18), (50, 14), (49, 13), (20, 5), (5, 2), (1, 1), (300, 10))


class Trouble:
    """All that goes wrong where nobody looks: in workers, threads, the event loop, destructors."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def hear(self, message: Message) -> None:
        """For ``run_test``: workers that failed without ending the app."""
        if isinstance(message, Worker.StateChanged) and message.state is WorkerState.ERROR:
            self.seen.append(f"worker {message.worker.name}: {message.worker.error!r}")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Every place where Python says such things is listened to."""
        loop = asyncio.get_running_loop()
        before, threads, unraisable = loop.get_exception_handler(), threading.excepthook, sys.unraisablehook
        loop.set_exception_handler(lambda _, context: self.seen.append(f"event loop: {_said(context)}"))
        threading.excepthook = lambda told: self.seen.append(f"thread {told.thread}: {told.exc_value!r}")
        sys.unraisablehook = lambda told: self.seen.append(f"{told.err_msg}: {told.object!r}: {told.exc_value!r}")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", RuntimeWarning)
            try:
                yield
                # A task that nobody awaits says so when it is collected.
                gc.collect()
            finally:
                loop.set_exception_handler(before)
                threading.excepthook, sys.unraisablehook = threads, unraisable
                self.seen += [f"warning: {one.message}" for one in warned if "never awaited" in str(one.message)]


def _said(context: dict[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r} in {context.get('task') or context.get('future')!r}"


class Reached:
    """Which commands, slash commands and screens the monkey has come to, and how often."""

    def __init__(self) -> None:
        self.actions: Counter[str] = Counter()
        self.slash: Counter[str] = Counter()
        self.screens: Counter[str] = Counter()

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Count from now on."""
        dispatch, push, run = App._dispatch_action, App.push_screen, Slashing.run

        async def counted_dispatch(app: App[None], namespace: Any, name: str, params: Any) -> bool:
            arguments = f"({', '.join(map(repr, params))})" if params else ""
            self.actions[f"{name}{arguments}"] += 1
            return await dispatch(app, namespace, name, params)

        def counted_push(app: App[None], screen: Screen[Any], *more: Any, **others: Any) -> Any:
            self.screens[type(screen).__name__] += 1
            return push(app, screen, *more, **others)

        async def counted_run(slashing: Slashing, text: str) -> None:
            self.slash[text[1:].partition(" ")[0]] += 1
            await run(slashing, text)

        patch.setattr(App, "_dispatch_action", counted_dispatch)
        patch.setattr(App, "push_screen", counted_push)
        patch.setattr(Slashing, "run", counted_run)

    def never(self) -> list[str]:
        """Commands and slash commands that were not reached, but for those that end the app."""
        commands = [one.action.removeprefix("app.") for one in COMMANDS if one.id != "quit"]
        slash = [one.name for one in SLASH_COMMANDS if one.name != "quit"]
        return [one for one in commands if not self.actions[one]] + [f"/{one}" for one in slash if not self.slash[one]]


class Monkey:
    """Does something to ``app``, again and again."""

    def __init__(self, app: LocalsteerApp, seed: int) -> None:
        self.app = app
        self.seed = seed
        self.count = 0
        self.kinds: Counter[str] = Counter()
        self.last: deque[str] = deque(maxlen=50)
        self._random = random.Random(seed)

    @property
    def chat(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    @property
    def running(self) -> bool:
        """Whether the app is there and has not been quit."""
        return self.app.is_running and self.app._exception is None and not self.app._exit

    @property
    def has_quit(self) -> bool:
        """Whether a key, a click or the palette has told the app to end: no key means anything any more."""
        return self.app._exit and self.app._exception is None

    async def play(self, events_wanted: int, until: float) -> None:
        """So many events, or as many as come before ``until`` (:func:`time.monotonic`), or until the app is quit."""
        wanted = self.count + events_wanted
        kinds: list[tuple[float, Callable[[], object]]] = [
            (30, self._offered_key),
            (12, self._command_key),
            (14, lambda: self.key(self._random.choice(_EDITING))),
            (4, lambda: self.key(self._random.choice(_NAMED))),
            (8, lambda: self.key(self._random.choice(_LETTERS))),
            (3, lambda: self.write(self._random.choice(_WORDS))),
            (3, lambda: self.write(self._random.choice(_WORDS), "enter")),
            (5, self._slash),
            (2, self._palette),
            (14, self._click),
            (4, self._drag),
            (6, self._wheel),
            (3, lambda: self.paste(self._random.choice(_PASTES))),
            (2, lambda: self.resize(*self._random.choice(_SIZES))),
            (1, self._look_elsewhere),
            (0.05, self._kill_engine),
        ]
        weights, doings = zip(*kinds, strict=True)
        while self.count < wanted and time.monotonic() < until and self.running:
            for _ in range(self._random.choice((1, 1, 2, 4, 8, 16, 32))):
                self._random.choices(doings, weights)[0]()
                if self.app.size.width < 20:
                    await self.settle()
                    self.resize(*self._random.choice(_SIZES[:6]))
            await self.settle()
            if self._random.random() < 0.02:
                await asyncio.sleep(0.1)

    async def settle(self) -> None:
        """Until every event so far was taken."""
        end = time.monotonic() + PATIENCE
        for _ in range(3):
            await asyncio.sleep(0)
        while self.running and not (self.app._message_queue.empty() and self.app.screen._message_queue.empty()):
            assert time.monotonic() < end, f"the app has not moved for {PATIENCE:.0f} s\n{self.story()}"
            await asyncio.sleep(0.001)

    def story(self) -> str:
        """What it takes to see it again."""
        return f"seed {self.seed}, event {self.count}; the last ones:\n" + "\n".join(self.last)

    # ------------------------------------------------------------ one event each

    def key(self, key: str) -> None:
        """Press a key."""
        character: str | None
        if len(key) == 1 and not key.isalnum():
            name, character = _character_to_key(key), key
        else:
            name, character = key, key if len(key) == 1 else None
        if character is None and "+" not in key:
            character = key_to_character(key)
        self._send("key", events.Key(name, character), name)

    def write(self, text: str, *more: str) -> None:
        """Type a text, and keys behind it."""
        for key in (*text, *more):
            self.key(key)

    def paste(self, text: str) -> None:
        """As a terminal hands on what was pasted."""
        self._send("paste", events.Paste(text.replace("\x00", "")), repr(text[:30]))

    def resize(self, width: int, height: int) -> None:
        """Another size of the terminal."""
        size = Size(width, height)
        assert isinstance(self.app._driver, HeadlessDriver)
        self.app._driver._size = size
        self._send("resize", events.Resize(size, size), f"{width}x{height}")

    def mouse(self, kind: type[events.MouseEvent], x: int, y: int, button: int = 1, *, shift: bool = False) -> None:
        """One thing done with the mouse at a place of the screen."""
        event = kind(None, x, y, 0, 0, button, shift, False, False, x, y)
        self._send("mouse", event, f"{kind.__name__} {x},{y} {button}")

    def _send(self, kind: str, event: Message, words: str) -> None:
        self.count += 1
        self.kinds[kind] += 1
        self.last.append(f"{self.count} {kind} {words} [{type(self.app.screen).__name__}]")
        assert self.app._driver is not None
        self.app._driver.process_message(event)

    # ------------------------------------------------------------ what is drawn

    def _offered_key(self) -> None:
        """A key that something on the screen listens to now."""
        offered = sorted(set(self.app.screen.active_bindings) - QUITTING)
        self.key(self._random.choice(offered or ["escape"]))

    def _command_key(self) -> None:
        self.key(self._random.choice(_KEYS))

    def _slash(self) -> None:
        command = self._random.choice([one for one in SLASH_COMMANDS if one.name != "quit"])
        argument = self._random.choice(_ARGUMENTS.get(command.name, ("",)))
        if self._random.random() < 0.7:
            self.write("", "escape", "escape", "escape")
            self.chat.query_one(Composer).focus()
            self.write("", "ctrl+end", "ctrl+shift+home", "backspace")
        if len(argument) > 40:
            self.write(f"/{command.name} ")
            self.paste(argument)
            self.key("enter")
        else:
            self.write(f"/{command.name} {argument}".rstrip(), "enter", "enter")

    def _palette(self) -> None:
        self.key("ctrl+p")
        words = [word for command in COMMANDS if command.id != "quit" for word in command.title.split()]
        self.write(self._random.choice(words).lower()[:6], *["down"] * self._random.randrange(4), "enter")

    def _place(self) -> tuple[int, int]:
        """Somewhere on the screen: mostly on one of its widgets."""
        width, height = max(1, self.app.size.width), max(1, self.app.size.height)
        shown = [one for one in self.app.screen.query("*") if one.region.area and one.visible]
        if shown and self._random.random() < 0.6:
            region = self._random.choice(shown).region
            x = region.x + self._random.randrange(region.width)
            y = region.y + self._random.randrange(region.height)
            return min(max(x, 0), width - 1), min(max(y, 0), height - 1)
        return self._random.randrange(width), self._random.randrange(height)

    def _click(self) -> None:
        x, y = self._place()
        button = self._random.choice((1, 1, 1, 1, 2, 3))
        self.mouse(events.MouseMove, x, y, 0)
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            self.mouse(events.MouseDown, x, y, button)
            self.mouse(events.MouseUp, x, y, button)

    def _drag(self) -> None:
        (x, y), (to_x, to_y) = self._place(), self._place()
        self.mouse(events.MouseDown, x, y)
        for step in range(1, 5):
            self.mouse(events.MouseMove, x + (to_x - x) * step // 4, y + (to_y - y) * step // 4)
        if self._random.random() < 0.9:
            self.mouse(events.MouseUp, to_x, to_y)

    def _wheel(self) -> None:
        x, y = self._place()
        kind = self._random.choice((events.MouseScrollUp, events.MouseScrollDown))
        for _ in range(self._random.randrange(1, 5)):
            self.mouse(kind, x, y, 0, shift=self._random.random() < 0.1)

    def _look_elsewhere(self) -> None:
        """At another window of the desktop, or back at this one; a key means that it has the focus again."""
        kind = self._random.choice((events.AppBlur, events.AppFocus))
        self._send("focus", kind(), kind.__name__)

    def _kill_engine(self) -> None:
        pid = self.chat.link.client.pid
        if pid is not None and self.chat.link.client.alive and self.chat.link.state is not EngineState.OFF:
            self.last.append("the engine is killed")
            self.kinds["engine killed"] += 1
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
