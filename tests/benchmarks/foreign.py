"""Programs of other projects that the engine is measured beside: finding them, running them, what they cost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class MissingError(Exception):
    """A program is not on this machine; the message says what to do about it."""


class BrokenError(Exception):
    """A program did not do what it was started for; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Run:
    """``seconds``: from the line that was waited for to the end. ``peak``: most bytes in memory at a time."""

    output: str
    seconds: float
    peak: int


_PEAK = "\nmost kilobytes in memory: "
# Linux gives a new process the peak of the one that began it, and the models of other rows were in this one's memory.
_PEAK_TOLD = f"""
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(child.pid, 0)
sys.stdout.write({_PEAK!r} + str(usage.ru_maxrss))
sys.stdout.flush()
os._exit(os.waitstatus_to_exitcode(status) & 255)
"""


def find(program: str, given: Path | None, option: str) -> Path:
    """Where ``program`` is: what was given, else what PATH has. Raises MissingError."""
    found = (
        str(given) if given is not None and given.is_file() else None if given is not None else shutil.which(program)
    )
    if found is None:
        raise MissingError(f"{program} not found: give {option} PATH or put it on PATH")
    return Path(found)


def run(command: Sequence[str | Path], *, since: str = "", environment: Mapping[str, str] | None = None) -> Run:
    """Run it to its end; the clock starts when it prints a line that has ``since`` in it, or with the program.

    ``environment``: variables beside those of this process. Raises BrokenError, also where that line does not come.
    """
    began = time.perf_counter() if not since else 0.0
    child = subprocess.Popen(
        [sys.executable, "-c", _PEAK_TOLD, *(str(part) for part in command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **(environment or {})},
    )
    assert child.stdout is not None
    lines = []
    for line in child.stdout:
        lines.append(line)
        if not began and since in line:
            began = time.perf_counter()
    child.stdout.close()
    child.wait()
    seconds = time.perf_counter() - began
    output, told, peak = "".join(lines).rpartition(_PEAK)
    if child.returncode != 0 or not began or not told:
        said = " ".join((output if told else peak).split())
        raise BrokenError(f"{Path(command[0]).name} ended with status {child.returncode}: {said[-300:]}")
    # Kilobytes, but bytes on macOS.
    return Run(output, seconds, int(peak) * (1 if sys.platform == "darwin" else 1024))


def find_python(given: Path | None, *packages: str) -> Path:
    """A Python that has ``packages``. Raises MissingError."""
    wanted = " ".join(packages)
    hint = f"give --others-python the Python of an environment with {wanted} in it"
    if given is None or not given.is_file():
        raise MissingError(f"{wanted} not found: {hint}")
    names = ", ".join(repr(one) for one in packages)
    check = f"import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, ({names},))))"
    if subprocess.run([given, "-c", check], check=False, capture_output=True).returncode != 0:
        raise MissingError(f"{wanted} not found there: {hint}")
    return given
