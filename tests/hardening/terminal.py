"""The app as people run it: a process of its own in a pseudo-terminal, driven by what a keyboard sends, read from what
it paints.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import psutil

from tests.hardening.killing import PATIENCE, ROOT, ended
from tests.terminal_screen import Screen

COLUMNS, ROWS = 100, 40


class AppInTerminal:
    """The app on the practice model; as a context manager nothing of it stays."""

    def __init__(self, home: Path, *settings: str) -> None:
        self._screen = Screen(COLUMNS, ROWS)
        self.seen: list[tuple[float, list[str]]] = []
        """What was on the screen, and since when (:func:`time.monotonic`)."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {
            name: value
            for name, value in os.environ.items()
            # Its size the app has from this terminal, not from the one that the tests were started in.
            if not name.startswith(("LOCALSTEER", "TEXTUAL")) and name not in {"COLUMNS", "LINES"}
        }
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        given = [word for setting in settings for word in ("--set", setting)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localsteer", "chat", "--model", "practice", *given],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env={
                **environment,
                "LOCALSTEER_HOME": str(home),
                "HOME": str(home),
                "TERM": "xterm-256color",
                "PYTHONPATH": path,
            },
            cwd=home,
            start_new_session=True,
        )
        os.close(follower)
        self._leader = leader
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> AppInTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note("\n".join(self.lines))
        engines = self.children()
        if self.process.poll() is None:
            self.kill()
        os.close(self._leader)
        assert all(ended(engine) for engine in engines)

    @property
    def lines(self) -> list[str]:
        """What is on the screen."""
        return [line.rstrip() for line in self._screen.lines()]

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                data = os.read(self._leader, 65536)
            except OSError:
                return
            if not data:
                return
            self._screen.write(decoder.decode(data))
            lines = self.lines
            if not self.seen or self.seen[-1][1] != lines:
                self.seen.append((time.monotonic(), lines))

    def children(self) -> list[int]:
        """The engine's process id, while there is one."""
        try:
            return [child.pid for child in psutil.Process(self.process.pid).children()]
        except psutil.NoSuchProcess:
            return []

    def press(self, *keys: str) -> None:
        """Send keys as a keyboard does; ``alt+x`` is Escape and x."""
        for key in keys:
            os.write(
                self._leader, _BYTES.get(key, key.removeprefix("alt+").encode()) if "alt+" not in key else _alt(key)
            )

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def until(self, true: Callable[[str], object]) -> None:
        """Go on as soon as ``true`` of all that is on the screen."""
        end = time.monotonic() + PATIENCE
        while not true("\n".join(self.lines)):
            assert self.process.poll() is None, "the app has ended:\n" + "\n".join(self.lines)
            assert time.monotonic() < end, "waited in vain:\n" + "\n".join(self.lines)
            time.sleep(0.01)

    def hang_up(self) -> None:
        """Close the terminal, as a program does that is killed itself; the app has no other that would be told."""
        os.close(self._leader)
        self._leader = os.open(os.devnull, os.O_RDONLY)

    def kill(self) -> None:
        """Kill the app, and read what it had painted to the end."""
        psutil.Process(self.process.pid).kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)


_BYTES = {
    "enter": b"\r",
    "escape": b"\x1b",
    "tab": b"\t",
    "ctrl+z": b"\x1a",
    "ctrl+o": b"\x0f",
    "ctrl+q": b"\x11",
    "ctrl+r": b"\x12",
    "ctrl+u": b"\x15",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
}
_ALT = {"right": b"\x1b[1;3C", "left": b"\x1b[1;3D", "up": b"\x1b[1;3A", "down": b"\x1b[1;3B"}


def _alt(key: str) -> bytes:
    name = key.removeprefix("alt+")
    return _ALT.get(name, b"\x1b" + name.encode())


def reply_shown(lines: list[str], asked: str) -> str:
    """What is on the screen of the reply to ``asked``, without spaces; empty where there is nothing yet."""
    bottom = next((number for number, line in enumerate(lines) if line.startswith("╭")), len(lines))
    begin = max((number for number, line in enumerate(lines[:bottom]) if asked in line), default=bottom)
    below = [line.strip(" ▁▂▃▄▅▆▇█▏▎▍▌▋▊▉▐│┃▕") for line in lines[begin + 1 : bottom]]
    said = [line for line in below if line]
    return "".join("".join(said[:-1]).split())


def sights(app: AppInTerminal, asked: str) -> Iterator[tuple[float, str]]:
    """Each state of the reply that was on the screen, with the time from which on."""
    last = ""
    for moment, lines in list(app.seen):
        text = reply_shown(lines, asked)
        if text != last and text.startswith(last):
            last = text
            yield moment, text
