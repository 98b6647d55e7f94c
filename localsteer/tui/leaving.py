"""The app is told to end: by a signal, or because its terminal went away. What was said is kept, the terminal restored.

Left alone, Python dies of SIGTERM and SIGHUP on the spot, with the terminal in the app's hands; and without SIGHUP
(``nohup``, a terminal that crashed) Textual waits for ever to write to a terminal that is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn, Protocol

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
_LOOK_EVERY_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
"""After this much time the app ends without taking leave of the terminal."""


class _Leaves(Protocol):
    def exit(self, *, return_code: int = 0) -> Any: ...

    def keep(self) -> None:
        """Save what is not saved yet."""


@contextlib.contextmanager
def leaving_well(app: _Leaves) -> Iterator[None]:
    """While this lasts, signals end ``app`` in order, with the status that a shell expects: 128 and the signal.

    To be used in the main thread, around the app's running.
    """
    ended = threading.Event()
    taken: list[int] = []

    def take(number: int, _frame: FrameType | None) -> None:
        if taken:
            _leave_now(app, 128 + taken[0])
        taken.append(number)
        threading.Thread(target=insist, args=(number,), daemon=True).start()
        try:
            # Between two callbacks of the loop no saving is half done.
            asyncio.get_running_loop().call_soon_threadsafe(leave, number)
        except RuntimeError:
            _leave_now(app, 128 + number)

    def leave(number: int) -> None:
        if has_terminal():
            app.exit(return_code=128 + number)
        else:
            _leave_now(app, 128 + number)

    def insist(number: int) -> None:
        if not ended.wait(_PATIENCE_SECONDS):
            _tell(number)

    def watch() -> None:
        while not ended.wait(_LOOK_EVERY_SECONDS):
            if not taken and not has_terminal():
                _tell(_SIGNALS[0])
                return

    before = [(one, signal.signal(one, take)) for one in _SIGNALS]
    if sys.platform != "win32":
        threading.Thread(target=watch, name="terminal-watch", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        for one, handler in before:
            signal.signal(one, handler)


def has_terminal() -> bool:
    """Whether there is still a terminal at the other end of the input."""
    try:
        return sys.__stdin__ is not None and sys.__stdin__.isatty()
    except ValueError:
        return False


def _tell(number: int) -> None:
    """Send this process a signal, from whichever thread."""
    if os.name == "nt":
        # There os.kill asks nobody and ends it.
        signal.raise_signal(number)
    else:
        os.kill(os.getpid(), number)


def _leave_now(app: _Leaves, status: int) -> NoReturn:
    """Save and be gone; the engine ends when its pipe does."""
    keep: Callable[[], None] = app.keep
    with contextlib.suppress(Exception):
        keep()
    os._exit(status)
