"""Every process that localsteer starts says what it asks of the network and what it starts itself: by an audit hook in
each of them, which Python calls before it does either.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_HOOK = """
import os, sys
_file = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(_file, f"{os.getpid()} started {sys.argv!r:.300}\\n".encode())
def _watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "urllib.", "webbrowser.", "http.", "os.system", "os.exec")):
        os.write(_file, f"{os.getpid()} {event} {arguments!r:.300}\\n".encode())
sys.addaudithook(_watch)
"""
_HARMLESS = re.compile(
    r"socket\.__new__ .*(AF_UNIX|, 1, 1, )"  # how asyncio wakes itself
    r"|socket\.gethostname"
    r"|subprocess\.Popen .*localsteer\.engine\.(worker|machine)"
    r"|^started"
)


class Watch:
    """What was seen of all processes that run with :attr:`environment`."""

    def __init__(self, folder: Path) -> None:
        (folder / "watch").mkdir()
        (folder / "watch" / "sitecustomize.py").write_text(_HOOK, encoding="utf-8")
        self._seen = folder / "watched"
        self.environment = {
            "PYTHONPATH": os.pathsep.join([str(folder / "watch"), os.environ.get("PYTHONPATH", "")]),
            "WATCHED": str(self._seen),
        }

    @property
    def _lines(self) -> list[tuple[str, str]]:
        if not self._seen.exists():
            return []
        lines = self._seen.read_text(encoding="utf-8", errors="replace").splitlines()
        return [(process, what) for process, _, what in (line.partition(" ") for line in lines)]

    @property
    def processes(self) -> set[str]:
        """The ids of those that were watched."""
        return {process for process, what in self._lines if what.startswith("started")}

    @property
    def calls(self) -> list[str]:
        """What none of them has any business with."""
        return [what for _, what in self._lines if not _HARMLESS.search(what)]
