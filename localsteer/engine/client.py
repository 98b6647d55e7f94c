"""The parent's end of the engine: starts the child process, sends commands, collects events, notices a death.

Nothing here waits for the child except :meth:`EngineClient.wait`, which says so: sending puts the command into the
hands of a thread, and draining takes what another thread has collected. Importing this module imports neither
llama.cpp nor NumPy.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from localsteer.engine.child import child_command
from localsteer.engine.death import how_it_ended, last_words
from localsteer.engine.experiment_protocol import ExperimentDone
from localsteer.engine.pipe import PipeClosed, packed, read_message, write_packed
from localsteer.engine.protocol import (
    Command,
    Compared,
    Died,
    Event,
    Extracted,
    Failed,
    Finished,
    Loaded,
    NeedlesMeasured,
    Quit,
    ReplyRated,
    Stop,
    Stopped,
    Swept,
    TitleMade,
    TokensRead,
)
from localsteer.errors import EngineError
from localsteer.file_reading import is_file, is_there
from localsteer.private import make_private, tighten

_LAST_WORDS = (
    Loaded
    | Finished
    | Compared
    | Extracted
    | Swept
    | TokensRead
    | ReplyRated
    | NeedlesMeasured
    | TitleMade
    | ExperimentDone
    | Failed
    | Stopped
)
_LARGEST_LOG = 1_000_000
_SECONDS_TO_QUIT = 2.0
_SURROUNDINGS = {
    # Else ggml calls a debugger when it gives up, and the person waits for that.
    "GGML_NO_BACKTRACE": "1",
    # Linux' allocator would keep what was freed of a context for the next one, which is never of the same size: after
    # some dozen of them more than is in use. From 4 MiB on a block goes back to the system at once.
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
}
"""Of the child, unless they are set otherwise. Systems that do not know a name pass over it."""


class EngineClient:
    """One engine process at a time; after it died, or was closed, :meth:`start` starts another.

    ``log_path`` takes what the child writes to its standard output and error; None throws it away.
    """

    def __init__(self, log_path: Path | None = None) -> None:
        self._log_path = log_path
        self._inbox = _Inbox()
        self._child: _Child | None = None
        self._requests = itertools.count(1)

    def __enter__(self) -> EngineClient:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether a child runs and can take commands."""
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        """The process id of the child, None where none was started."""
        return self._child.pid if self._child is not None else None

    def new_request(self) -> int:
        """A number no other command of this client carries."""
        return next(self._requests)

    def start(self) -> None:
        """Start the child, unless one is alive; takes milliseconds. Raises EngineError where none can be started."""
        if not self.alive:
            self._child = _Child(self._log_path, self._inbox)

    def send(self, command: Command) -> None:
        """Send without waiting. Raises EngineError when no child is alive (its :class:`Died` says why), and for a
        command that holds what cannot be sent.
        """
        if self._child is None or not self._child.alive:
            raise EngineError("The engine process is not running; start it again.")
        self._child.send(command)

    def drain(self) -> list[Event]:
        """All events since the last call, oldest first; never waits."""
        return self._inbox.drain()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until :meth:`drain` has something to give; False when ``timeout`` seconds passed first."""
        return self._inbox.wait(timeout)

    def events(self, request: int) -> Iterator[Event]:
        """The events of ``request`` as they come, for programs that have nothing else to do meanwhile.

        Ends with the last event of its command, Failed or Stopped. Raises EngineError if the child dies. Events of
        other requests are lost.
        """
        while self._inbox.wait(1.0) or self.alive:
            for event in self._inbox.drain():
                if isinstance(event, Died):
                    raise EngineError(event.reason)
                if event.request != request:
                    continue
                yield event
                if isinstance(event, _LAST_WORDS):
                    return
        raise EngineError("The engine process is not running; start it again.")

    def kill(self) -> None:
        """End a child that no longer answers; its :class:`Died` follows."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        """End the child: politely, then not. No :class:`Died` follows. Takes 2 seconds, 4 at the very most."""
        if self._child is not None:
            self._child.close()
            self._child = None


class _Inbox:
    """Events of all children, in order."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._filled = threading.Condition()

    def put(self, event: Event) -> None:
        with self._filled:
            self._events.append(event)
            self._filled.notify_all()

    def drain(self) -> list[Event]:
        with self._filled:
            events = list(self._events)
            self._events.clear()
        return events

    def wait(self, timeout: float | None) -> bool:
        with self._filled:
            return self._filled.wait_for(lambda: bool(self._events), timeout)


class _Child:
    """One life of the child process, with a thread that writes to it and one that reads from it."""

    def __init__(self, log_path: Path | None, inbox: _Inbox) -> None:
        self._inbox = inbox
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._closing = False
        self._given_up = False
        self._dead = threading.Event()
        self._log_path = log_path
        with contextlib.ExitStack() as stack:
            log = _open_log(log_path)
            if log is not None:
                stack.enter_context(log)
            self._log_start = log.tell() if log is not None else 0
            self._process = _spawn(log)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._commands, self._events = self._process.stdin, self._process.stdout
        threading.Thread(target=self._write, name="engine-commands", daemon=True).start()
        self._reader = threading.Thread(target=self._read, name="engine-events", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        return not self._dead.is_set()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, command: Command) -> None:
        self._outbox.put(packed(command))

    def close(self) -> None:
        self._closing = True
        self.send(Stop())
        self.send(Quit())
        self._outbox.put(None)
        self._reader.join(_SECONDS_TO_QUIT)
        if self._reader.is_alive():
            self._process.kill()
            # One that waits for a disk that is gone cannot even be killed.
            self._reader.join(_SECONDS_TO_QUIT)

    def kill(self) -> None:
        self._given_up = True
        self._process.kill()

    def _write(self) -> None:
        with contextlib.suppress(PipeClosed):
            while (data := self._outbox.get()) is not None:
                write_packed(self._commands, data)
        with contextlib.suppress(OSError):
            self._commands.close()

    def _read(self) -> None:
        problem = ""
        try:
            while True:
                event = read_message(self._events)
                if not self._closing:
                    self._inbox.put(event)  # type: ignore[arg-type]
        except PipeClosed:
            pass
        except Exception as error:
            problem = f"sent something unreadable ({error})"
            self._process.kill()
        status = self._process.wait()
        if self._given_up:
            problem = "did not answer and was ended"
        self._outbox.put(None)
        self._events.close()
        # First dead, then said to be: whoever reads Died may start another at once.
        self._dead.set()
        if not self._closing:
            words = last_words(self._log_path, self._log_start)
            reason = f"The engine process {problem or how_it_ended(status)}."
            self._inbox.put(Died(f"{reason} Its last words: {words}" if words else reason))


def _spawn(log: IO[bytes] | None) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise EngineError("This Python does not know its own program file, so it cannot start the engine process.")
    try:
        return subprocess.Popen(
            child_command("localsteer.engine.worker", "main"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log if log is not None else subprocess.DEVNULL,
            # A session of its own: Ctrl+C, Ctrl+Z and a closed terminal reach the parent only, which then decides.
            start_new_session=True,
            creationflags=_windows_flags(),
            env={**_SURROUNDINGS, **os.environ},
        )
    except OSError as error:
        raise EngineError(f"The engine process cannot be started: {error.strerror or error}.") from error


def _windows_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _open_log(path: Path | None) -> IO[bytes] | None:
    """The log, at its end; emptied when it has grown large. None where it cannot be written: it is done without."""
    if path is None:
        return None
    try:
        make_private(path.parent)
        tighten(path)
        if is_there(path) and not is_file(path):
            # A pipe that nobody reads would be waited for.
            return None
        too_large = is_there(path) and path.stat().st_size > _LARGEST_LOG
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if too_large else 0)
        log = os.fdopen(os.open(path, flags, 0o600), "ab")
    except OSError:
        return None
    log.seek(0, os.SEEK_END)
    return log
