"""The app as a person has it: a process of its own with a terminal for itself, of which every byte is kept."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tests.terminal_screen import Screen

ROOT = Path(__file__).parents[2]
SIZE = 110, 30


class TerminalApp:
    """``localsteer`` with ``arguments``, on a pseudo-terminal of 110 × 30 characters."""

    def __init__(
        self,
        home: Path,
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        before: Callable[[], object] | None = None,
        program: tuple[str, ...] = ("-m", "localsteer"),
    ) -> None:
        import fcntl
        import pty
        import termios

        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *reversed(SIZE), 0, 0))

        def own_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if before is not None:
                before()

        # The size is this terminal's, not that of the one that the tests were started in.
        inherited = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        # Where tests run in the background, children would inherit that these are ignored.
        handlers = {one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGINT, signal.SIGHUP)}
        try:
            self.process = subprocess.Popen(
                [sys.executable, *program, *map(str, arguments)],
                cwd=ROOT,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
                preexec_fn=own_terminal,
                env={**inherited, "TERM": "xterm-256color", "LOCALSTEER_HOME": str(home), **(environment or {})},
            )
        finally:
            for one, handler in handlers.items():
                signal.signal(one, handler)
            os.close(theirs)
        self.written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.ours, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.written += data

    @property
    def engines(self) -> list[psutil.Process]:
        """The processes that it started."""
        try:
            return list(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def type(self, keys: str) -> None:
        """As if they were pressed."""
        os.write(self.ours, keys.encode())

    def until(self, true: Callable[[], Any], seconds: float = 60.0) -> None:
        """Go on as soon as ``true()`` is."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"waited {seconds:.0f} s in vain; last came {self.written[-2000:]!r}"
            time.sleep(0.02)

    def shows(self, words: str, *, after: int = 0, seconds: float = 60.0) -> None:
        """Wait until these words were written since the byte ``after``."""
        self.until(lambda: words.encode() in self.written[after:], seconds)

    @property
    def screen(self) -> str:
        """What stands on the terminal now."""
        screen = Screen(*SIZE)
        screen.write(self.written.decode("utf-8", "replace"))
        return screen.text

    def press(self, keys: str, shown: Callable[[str], Any]) -> None:
        """Press, and wait until it is true of what stands on the terminal."""
        self.type(keys)
        end = time.monotonic() + 60
        while not shown(self.screen):
            assert time.monotonic() < end, f"{keys!r} led to\n{self.screen}"
            time.sleep(0.05)

    def ended(self, seconds: float = 30.0) -> int:
        """Wait for its end; its status, as subprocess has it."""
        return self.process.wait(seconds)

    def hang_up(self) -> None:
        """The terminal goes away."""
        if self.ours >= 0:
            os.close(self.ours)
            self.ours = -1


def gone(processes: list[psutil.Process], seconds: float = 30.0) -> bool:
    """Whether all of them end (what nobody waits for stays as a zombie)."""
    end = time.monotonic() + seconds
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
