"""The app as a person runs it: a process of its own at a pseudo-terminal, whose bytes are drained and timed.

While something is measured nothing here works besides a thread that reads: what stood on the screen, and when, is
worked out afterwards. POSIX only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.terminal_screen import Screen

ROOT = Path(__file__).parents[2]


def app_command() -> list[str]:
    """The installed command, beside the Python that runs this; else the module of the same name."""
    installed = Path(sys.executable).with_name("localsteer")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "localsteer"]


class Terminal:
    """A process at a pseudo-terminal of ``columns`` × ``lines`` characters."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, columns: int = 140, lines: int = 45
    ) -> None:
        import fcntl
        import termios

        self.columns, self.lines = columns, lines
        self.chunks: list[tuple[float, bytes]] = []
        self._read = 0
        self._screen = Screen(columns, lines)
        self._undecoded = b""
        self._leader, follower = os.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            list(command),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
            start_new_session=True,
            # It is the process's own terminal: one that is closed, as when this program is ended, ends the app.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(follower)
        threading.Thread(target=self._drain, name="terminal", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _drain(self) -> None:
        while True:
            try:
                data = os.read(self._leader, 65536)
            except OSError:
                return
            if not data:
                return
            self.chunks.append((time.perf_counter(), data))

    def send(self, data: str) -> float:
        """Press keys; the moment at which they were."""
        now = time.perf_counter()
        os.write(self._leader, data.encode())
        return now

    def screen(self) -> Screen:
        """What stands there now."""
        self.when(lambda _: False, timeout=0.0, required=False)
        return self._screen

    def when(self, shown: Callable[[Screen], bool], *, timeout: float = 60.0, required: bool = True) -> float:
        """The moment at which the bytes came after which ``shown`` is true. Looks at each chunk once, none before the
        last call. Raises TimeoutError with what stands on the screen.
        """
        end = time.perf_counter() + timeout
        while True:
            while self._read < len(self.chunks):
                moment, data = self.chunks[self._read]
                self._read += 1
                self._undecoded += data
                whole = self._undecoded.decode("utf-8", "ignore")
                kept = len(whole.encode())
                self._undecoded = self._undecoded[kept:] if len(self._undecoded) - kept < 4 else b""
                self._screen.write(whole)
                if shown(self._screen):
                    return moment
            if time.perf_counter() >= end:
                if not required:
                    return end
                raise TimeoutError(f"waited {timeout:.0f} s in vain; the screen says:\n{self._screen.text}")
            time.sleep(0.005)

    def close(self) -> None:
        """Quit the app; kill it where it does not go."""
        with contextlib.suppress(OSError):
            self.send("\x11")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._leader)
