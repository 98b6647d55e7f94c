"""Engine processes that begin as copies of one that has imported everything: half a second of computing less for each.

A copy is a process of its own and a child of the one that asked for it. It runs the same program between the same
pipes, and nothing was loaded or computed before it was made. On the smallest of the random models it measures safe
ranges on less text: that of a vector without meaning is nothing that a test could look at. For tests that start an
engine because the app does; how one is really started is for ``tests/engine`` and ``tests/hardening``. Only on Linux
can a process adopt what another one has started: elsewhere engines start as ever.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

from localsteer.engine.client import _SURROUNDINGS

CAN_ADOPT = sys.platform == "linux"
_ADOPT = 36  # prctl's PR_SET_CHILD_SUBREAPER
_ROOT = str(Path(__file__).parents[1])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from tests.warm_engines import serve; serve(int(sys.argv[2]))"
_LARGEST_REQUEST = 1_000_000
_SMALLEST = 300_000
"""Parameters. The model that is there to be caught at work has more."""
_SHORT_EFFORT = (6, 12)


class CopiedEngine:
    """A child of this process: as much of :class:`subprocess.Popen` as the engine's client asks for."""

    def __init__(self, pid: int, commands: int, events: int) -> None:
        self.pid = pid
        self.stdin: IO[bytes] = os.fdopen(commands, "wb")
        self.stdout: IO[bytes] = os.fdopen(events, "rb")
        self._returncode: int | None = None

    def wait(self) -> int:
        """Its exit status, or less than 0: the signal that ended it."""
        if self._returncode is None:
            _, status = os.waitpid(self.pid, 0)
            self._returncode = os.waitstatus_to_exitcode(status)
        return self._returncode

    def kill(self) -> None:
        """End it, unless it has ended."""
        if self._returncode is None:
            os.kill(self.pid, signal.SIGKILL)


class WarmEngine:
    """The process that is copied."""

    def __init__(self) -> None:
        self._door, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, _ROOT, str(there.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**_SURROUNDINGS, **os.environ},
            pass_fds=[there.fileno()],
            start_new_session=True,
        )
        there.close()

    def spawn(self, log: IO[bytes] | None) -> CopiedEngine:
        """A new engine whose standard error goes to ``log``, as the client starts one."""
        request = json.dumps({"environment": {**_SURROUNDINGS, **os.environ}, "folder": str(Path.cwd())})
        with contextlib.ExitStack() as stack:
            errors = log or stack.enter_context(Path(os.devnull).open("wb"))
            its_commands, commands = os.pipe()
            stack.callback(os.close, its_commands)
            events, its_events = os.pipe()
            stack.callback(os.close, its_events)
            with self._one_at_a_time, _adopting():
                socket.send_fds(self._door, [request.encode()], [its_commands, its_events, errors.fileno()])
                pid = int(self._door.recv(64))
                # What started it has gone: it is ours.
                assert self._door.recv(64) == b"gone"
        return CopiedEngine(pid, commands, events)

    def close(self) -> None:
        """End it; its copies go on."""
        self._door.close()
        self._process.wait()


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Meanwhile what a descendant leaves behind becomes a child of this process."""
    system = ctypes.CDLL(None)
    system.prctl(_ADOPT, 1, 0, 0, 0)
    try:
        yield
    finally:
        system.prctl(_ADOPT, 0, 0, 0, 0)


def serve(door: int) -> None:
    """Make a copy for each request that comes through the socket ``door``, until nobody is there to ask."""
    import localsteer.engine.engine
    import localsteer.engine.worker  # noqa: F401
    from localsteer.evaluation import calibrate

    effort = calibrate._effort
    calibrate._effort = lambda model: _SHORT_EFFORT if model.n_params < _SMALLEST else effort(model)
    gc.freeze()
    requests = socket.socket(fileno=door)
    while True:
        message, handles, _, _ = socket.recv_fds(requests, _LARGEST_REQUEST, 3)
        if not message:
            return
        between = os.fork()
        if not between:
            engine = os.fork()
            if not engine:
                requests.close()
                _become(handles, **json.loads(message))
            requests.send(str(engine).encode())
            os._exit(0)
        os.waitpid(between, 0)
        requests.send(b"gone")
        for handle in handles:
            os.close(handle)


def _become(handles: list[int], environment: dict[str, str], folder: str) -> NoReturn:
    """The engine's program, begun with these for its standard input, output and error."""
    try:
        os.setsid()
        for place, handle in enumerate(handles):
            os.dup2(handle, place)
            os.close(handle)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        from localsteer.engine import worker

        worker.main()
    except BaseException:
        traceback.print_exc()
    os._exit(1)
