"""llama.cpp as a library: started once, its log sent into Python's ``logging`` and never to a file descriptor.

llama-cpp-python prints llama.cpp's log to standard error, which would paint over a terminal app. The callback here
replaces that one and lives as long as the process, because llama.cpp keeps a pointer to it.
"""

from __future__ import annotations

import logging
from collections import deque

import llama_cpp.llama_cpp as lib

log = logging.getLogger("localsteer.llama_cpp")

# enum ggml_log_level: 1 debug, 2 info, 3 warning, 4 error, 5 the last line goes on. One level lower here, because what
# llama.cpp calls information nobody reads, and its warnings are about itself.
_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.INFO, 4: logging.WARNING}
_ERROR, _CONTINUED = 4, 5
_LONGEST_REASON = 300
_errors: deque[str] = deque(maxlen=4)


class _Lines:
    """The level of the line that is being written, for its continuations."""

    level = logging.DEBUG


@lib.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _on_log(level: int, text: bytes, _user_data: object) -> None:
    line = text.decode("utf-8", "replace").rstrip()
    if level != _CONTINUED:
        _Lines.level = _LEVELS.get(level, logging.DEBUG)
    if level == _ERROR and line:
        _errors.append(line)
    if line:
        log.log(_Lines.level, "%s", line)


def start() -> None:
    """Start llama.cpp; calling it again does no harm."""
    lib.llama_log_set(_on_log, None)
    lib.llama_backend_init()


def forget_errors() -> None:
    """Before something is tried whose failure llama.cpp only explains in its log."""
    _errors.clear()


def last_error() -> str:
    """What llama.cpp said last about why something failed, without its function names, on one line; empty if nothing.

    It quotes what stands in files, whatever that is.
    """
    for line in _errors:
        _, _, reason = line.partition(": ")
        if reason:
            said = "".join(one if one.isprintable() else " " for one in reason.removeprefix("error loading model: "))
            return " ".join(said.split())[:_LONGEST_REASON]
    return ""
