"""What the engine will run on, for ``localsteer doctor``; and engine processes that nobody talks to any more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import asdict
from typing import TYPE_CHECKING

import psutil

from localsteer.engine.child import child_command
from localsteer.errors import EngineError

if TYPE_CHECKING:
    from localsteer.llama.build import Build

_SECONDS = 120.0
_AGAIN = "install it again: `pip install --force-reinstall llama-cpp-python`"
_HERE = "`pip install --force-reinstall --no-binary llama-cpp-python llama-cpp-python`"
_ENGINE = "localsteer.engine.worker"
_INITS = frozenset({"init", "systemd", "launchd"})


def inspect_build() -> Build:
    """What the installed llama.cpp says of itself, asked in a process of its own: a library that was built for another
    processor takes the process along.

    Raises EngineError with one sentence.
    """
    from localsteer.llama.build import Build

    try:
        done = subprocess.run(
            child_command("localsteer.engine.machine", "print_build"),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"it has not loaded after {_SECONDS:.0f} seconds; {_AGAIN}.") from None
    except OSError as error:
        raise EngineError(f"no process can be started to load it: {error.strerror or error}.") from error
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0:
        found = json.loads(said.splitlines()[-1])
        return Build(**{**found, "features": tuple(found["features"])})
    last = next(iter(reversed(done.stderr.decode("utf-8", "replace").strip().splitlines())), "it says nothing")
    # 0xC000001D is what Windows calls an illegal instruction.
    if done.returncode in {-getattr(signal, "SIGILL", 4), 0xC000001D}:
        raise EngineError(f"it was built for another processor; build it on this one: {_HERE}.")
    if done.returncode < 0:
        raise EngineError(f"it ends in {signal.Signals(-done.returncode).name} when it is loaded; {_AGAIN}.")
    missing = "shared object" in last or "library" in last.lower() or "dll" in last.lower()
    raise EngineError(f"its native library does not load ({last}); {_AGAIN}." if missing else f"{last}; {_AGAIN}.")


def print_build() -> None:
    """The child's side of :func:`inspect_build`."""
    from localsteer.llama.build import inspect_build as ask

    print(json.dumps(asdict(ask())))  # noqa: T201


def cores() -> int:
    """The logical processors that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def lost_engines() -> tuple[int, ...]:
    """The ids of engine processes of this person's whose app is gone."""
    lost = []
    for process in psutil.process_iter():
        try:
            if any(_ENGINE in part for part in process.cmdline()) and _is_alone(process):
                lost.append(process.pid)
        except psutil.Error:
            continue
    return tuple(lost)


def _is_alone(process: psutil.Process) -> bool:
    if process.status() == psutil.STATUS_ZOMBIE or (hasattr(os, "getuid") and process.uids().real != os.getuid()):
        return False
    parent = process.parent()
    return parent is None or parent.pid == 1 or parent.name() in _INITS
