"""Why an engine process ended, in one sentence for a person."""

from __future__ import annotations

import re
import signal
from pathlib import Path

_MOST_BYTES = 1_000_000
_WINDOWS_CRASH = 0xC0000000
"""From here on an exit status is one of Windows' own for a program that it has ended."""
_FOLDERS = re.compile(r"\S*[/\\](?=[\w.-]+:\d+:)")


def how_it_ended(status: int) -> str:
    """What a process of this exit status (negative: of this signal) did, as what comes after its name."""
    if status >= _WINDOWS_CRASH:
        return f"crashed (Windows calls it {status:#x})"
    if status >= 0:
        return f"ended by itself with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGKILL":
        return "was killed (SIGKILL; the system does this when memory runs out)"
    if name == "SIGABRT":
        return "was ended by llama.cpp itself (SIGABRT)"
    if name == "SIGBUS":
        return "was ended by SIGBUS; the model's file was cut off or its disk went away, so load it again"
    return f"was ended by {name}"


def last_words(log_path: Path | None, start: int) -> str:
    """The line of the log that most likely tells why, or nothing."""
    if log_path is None:
        return ""
    try:
        with log_path.open("rb") as log:
            log.seek(start)
            lines = log.read(_MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    # The reason stands before the news that Python has ended, and before the place where it was.
    for telling in (
        ("GGML_ASSERT", "GGML_ABORT", "what():"),
        ("Error:", "error:"),
        ("fatal error", "terminate called"),
    ):
        for line in reversed(lines):
            if any(word in line for word in telling) and not line.startswith("Fatal Python error"):
                # Where llama.cpp was built is nobody's business.
                said = _FOLDERS.sub("", "".join(one if one.isprintable() else " " for one in line))
                return said.strip()[:200]
    return ""
