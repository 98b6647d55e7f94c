"""What a conversation of 10,000 messages costs on the screen, beside an empty chat: opening, typing, searching.

python -m tests.benchmarks.long_conversation
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from textual._compositor import CompositorUpdate
from textual.screen import Screen
from textual.widgets import Input

from localsteer.chat.store import ConversationStore
from localsteer.library.places import Places, practice_model
from localsteer.library.settings import Settings
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.dialogs.conversations import Conversations, Opened
from localsteer.tui.memory import Memory
from localsteer.tui.opening import Opening
from localsteer.tui.widgets.transcript import Transcript
from tests.benchmarks.conversations import LONG, conversation

_TIMES = 5
_KEYS = "the quick brown fox jumps over the lazy dog "


class TimedApp(LocalsteerApp):
    """Paints as on a terminal, and knows when."""

    painted = 0.0

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate) and not self._batch_count:
            renderable.render_segments(self.console)
            self.painted = time.perf_counter()


@dataclass
class Clock:
    """Milliseconds from a cause to the frame that shows its effect."""

    app: TimedApp
    taken: dict[str, list[float]] = field(default_factory=dict)

    @property
    def screen(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    async def time(self, what: str, cause: Callable[[], Awaitable[object]], shown: Callable[[], object]) -> None:
        """Take the time of one."""
        await self.quiet()
        began = time.perf_counter()
        await cause()
        while not shown() or self.app.painted < began:
            await asyncio.sleep(0.001)
        self.taken.setdefault(what, []).append(1000 * (self.app.painted - began))

    async def quiet(self) -> None:
        """Until nothing more is painted, or for half a second: a cursor blinks on."""
        end = time.perf_counter() + 0.5
        while time.perf_counter() - self.app.painted < 0.15 and time.perf_counter() < end:
            await asyncio.sleep(0.02)

    async def typing(self, what: str) -> None:
        """Key by key into the input, as a person does."""
        composer = self.screen.query_one("Composer")
        for key in _KEYS:
            before = composer.text  # type: ignore[attr-defined]

            async def press(key: str = key) -> None:
                await self.app._press_keys(["space" if key == " " else key])

            await self.time(what, press, lambda before=before: composer.text != before)  # type: ignore[attr-defined,misc]
        composer.clear()  # type: ignore[attr-defined]


async def measure(folder: Path) -> dict[str, float]:
    """The medians, for one app with the practice model."""
    places = Places(data=folder, config=folder, logs=folder / "logs")
    with ConversationStore(places.conversations) as store:
        long = store.add_tree(conversation(LONG)).id
        first = store.older(store.open(long, last=None).messages[1].id)[0].id
    app = TimedApp(Opening(practice_model(), places, Settings(), Memory(places)))
    async with app.run_test(size=(140, 45)):
        clock = Clock(app)
        screen = clock.screen
        while screen.link.card is None or not screen.link.idle:
            await asyncio.sleep(0.05)
        await clock.typing("a key, in an empty chat")
        transcript = screen.query_one(Transcript)
        for _ in range(_TIMES):
            await screen.conversing.begin_anew()
            await clock.time(
                "first screen of the long one",
                lambda: screen.open_conversation(Opened(long)),
                lambda: transcript.ids and transcript.scroll_y > 0,
            )
        await clock.typing("a key, in the long one")
        for _ in range(_TIMES):
            many = len(transcript.ids)

            async def to_the_top() -> None:
                transcript.scroll_home(animate=False)

            await clock.time("older ones, at the top", to_the_top, lambda many=many: len(transcript.ids) > many)  # type: ignore[misc]
        await clock.time(
            "at its first message, from a search",
            lambda: screen.open_conversation(Opened(long, first)),
            lambda: transcript.picked == first,
        )
        await screen.run_action("conversations")
        while not isinstance(app.screen, Conversations) or not app.screen._rows:
            await asyncio.sleep(0.01)
        dialog = app.screen
        for words in ("bast", "dan", "bast dan", "number77", "mou"):

            async def search(words: str = words) -> None:
                dialog.query_one(Input).value = words

            await clock.time(
                "search, from key to hits", search, lambda: dialog._rows and hasattr(dialog._rows[0], "snippet")
            )
    return {what: median(times) for what, times in clock.taken.items()}


def main() -> None:
    """Print a table of milliseconds, and how typing compares."""
    with TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder)))
    for what, milliseconds in found.items():
        sys.stdout.write(f"{what:40}{milliseconds:10.1f} ms\n")
    ratio = found["a key, in the long one"] / found["a key, in an empty chat"]
    sys.stdout.write(f"{'typing, long : empty':40}{ratio:10.2f}\n")


if __name__ == "__main__":
    main()
