"""Starting programs, killing them in the midst of it, and looking at what they leave."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""
ROOT = Path(__file__).parents[2]


class Victim:
    """A program of :mod:`tests.hardening.victims`, and what it has said so far."""

    def __init__(
        self, kind: str, home: Path, seed: int, *more: str, environment: Mapping[str, str] | None = None
    ) -> None:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._errors = home / "errors.txt"
        with self._errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.hardening.victims", kind, str(home), str(seed), *more],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": path, **(environment or {})},
                cwd=ROOT,
            )
        self.said: list[dict[str, Any]] = []
        self._more = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # The last line may be torn.
            if line.endswith(b"\n"):
                with self._more:
                    self.said.append(json.loads(line))
                    self._more.notify_all()
        with self._more:
            self._over = True
            self._more.notify_all()

    def until(self, what: str, count: int = 1, **more: Any) -> dict[str, Any]:
        """Wait until it has said ``what`` so many times."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.said if one["what"] == what and more.items() <= one.items()]

        with self._more:
            there = self._more.wait_for(lambda: len(found()) >= count or self._over, PATIENCE)
            assert there, f"{what} was never said: {self.said[-3:]}"
            assert len(found()) >= count, f"it ended before {what}: {self.said[-3:]} {self.errors()}"
            return found()[count - 1]

    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8", errors="replace")[-2000:]

    def kill(self) -> list[dict[str, Any]]:
        """Kill it now; all that it had said."""
        psutil.Process(self.process.pid).kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        return self.said

    def of(self, what: str) -> list[dict[str, Any]]:
        """All that it said of this."""
        return [one for one in self.said if one["what"] == what]


def wait_a_little(draw: random.Random, longest: float) -> None:
    """Up to ``longest`` seconds, more often short than long."""
    time.sleep(longest * draw.random() ** 2)


def check_database(path: Path) -> None:
    """Whole, and every reference leads somewhere."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def ended(pid: int) -> bool:
    """Whether the process is gone, within seconds."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    gone, _ = psutil.wait_procs([process], timeout=PATIENCE)
    # Without a parent to take note of it, it may stay as a zombie where nobody collects those.
    return bool(gone) or process.status() == psutil.STATUS_ZOMBIE


def leftovers(folder: Path) -> list[Path]:
    """Files of half-done writes."""
    return [path for path in folder.rglob("*") if ".localsteer-part" in path.name]


def make_old(paths: list[Path], seconds: float = 7200.0) -> None:
    """As if nobody had touched them for so long."""
    for path in paths:
        then = time.time() - seconds
        os.utime(path, (then, then))
