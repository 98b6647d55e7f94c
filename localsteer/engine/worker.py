"""The child process: takes commands from a pipe, works at one of them at a time, sends events.

It is started by :mod:`localsteer.engine.client` with the command pipe as standard input, the event pipe as standard
output and a log file as standard error. Both pipes are moved out of the way at once, so that nothing that llama.cpp,
a GPU driver or a stray ``print`` says can get into them or onto the terminal. The process ends when the command pipe
does, which is when the parent dies.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import logging
import os
import queue
import signal
import sys
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from localsteer.engine.control import Control
from localsteer.engine.pipe import PipeClosed, read_message, write_messages
from localsteer.engine.protocol import (
    Event,
    Failed,
    Load,
    Quit,
    SetDials,
    SideToken,
    Stop,
    TokenText,
    Work,
)
from localsteer.errors import LocalsteerError

if TYPE_CHECKING:
    from localsteer.engine.engine import Engine

_SECONDS_TO_FINISH = 1.0
_HOLD_SECONDS = 0.05
"""Tokens are said no more often than this: each message wakes a process up, which takes a processor from the model."""

log = logging.getLogger(__name__)


def main() -> None:
    """Run until told to quit or until the parent is gone."""
    # Ctrl+C in the terminal is for the parent to decide about.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    commands, events = _move_pipes()
    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    Worker(commands, events).run()


def _move_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output as private streams; then descriptor 0 is empty, and 1 goes to the log as 2 does."""
    command_fd, event_fd = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(command_fd, os.O_BINARY)
        msvcrt.setmode(event_fd, os.O_BINARY)
    return os.fdopen(command_fd, "rb"), os.fdopen(event_fd, "wb")


class Worker:
    """Two threads: the listener takes stops and dials at once, the main thread works at what takes time."""

    def __init__(self, commands: BinaryIO, events: BinaryIO) -> None:
        self._commands = commands
        self._events = events
        self._control = Control()
        self._waiting: queue.SimpleQueue[tuple[int, Work] | None] = queue.SimpleQueue()
        self._finished = threading.Event()
        self._held: list[Event] = []
        self._token_said_at = 0.0

    def run(self) -> None:
        """Work until there is nobody to work for."""
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        # While nobody has asked for anything. What goes wrong here goes wrong again, and is said, when somebody does.
        with contextlib.suppress(Exception):
            _ = self._engine
        # What was imported stays, and need not be looked through while tokens are written.
        gc.freeze()
        with contextlib.suppress(PipeClosed):
            while (item := self._waiting.get()) is not None:
                self._work(*item)
        self._finished.set()
        _leave()

    def _listen(self) -> None:
        # Whatever ends it: who hears nothing any more must not go on, and must not stay.
        try:
            self._hear()
        except Exception:
            log.exception("a command that cannot be read")
        self._control.stop()
        self._control.abandon_loads()
        self._waiting.put(None)
        self._finished.wait(_SECONDS_TO_FINISH)
        _leave()

    def _hear(self) -> None:
        with contextlib.suppress(PipeClosed):
            while not isinstance(command := read_message(self._commands), Quit):
                match command:
                    case Stop():
                        self._control.stop()
                    case SetDials(dials):
                        self._control.set_dials(dials)
                    case _ if isinstance(command, Work):
                        if isinstance(command, Load):
                            self._control.abandon_loads()
                        self._waiting.put((self._control.ticket(), command))
                    case _:
                        log.error("unknown command %r", type(command))

    def _work(self, ticket: int, command: Work) -> None:
        try:
            self._engine.carry_out(command, self._say, ticket)
        except LocalsteerError as error:
            self._say(Failed(command.request, str(error)))
        except PipeClosed:
            raise
        except Exception as error:
            log.exception("defect while working at %s", type(command).__name__)
            self._say(
                Failed(
                    command.request,
                    f"Something broke inside the engine ({type(error).__name__}: {error}); its log says more.",
                )
            )

    def _say(self, event: Event) -> None:
        """Say it, after what is held back; a token that comes right after one that was said is held back until the
        next event.
        """
        self._held.append(event)
        if isinstance(event, TokenText | SideToken):
            now = time.perf_counter()
            if now - self._token_said_at < _HOLD_SECONDS:
                return
            self._token_said_at = now
        held, self._held = self._held, []
        write_messages(self._events, *held)

    @cached_property
    def _engine(self) -> Engine:
        # Imported this late so that the listener takes stops, and an end, while llama.cpp is still being loaded.
        from localsteer.engine.engine import Engine

        return Engine(self._control)


def _leave() -> None:
    """End without ceremony: destructors of GPU backends are known to hang or crash at exit, and nothing of ours is
    open."""
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()
