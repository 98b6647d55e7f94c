"""The clipboard: the system's own, and where there is none the terminal's."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from localsteer.tui.app import LocalsteerApp

Way: TypeAlias = Literal["system", "terminal"]

_PATIENCE_SECONDS = 3.0


async def put(app: LocalsteerApp, text: str) -> Way:
    """Copy ``text``, and say which clipboard took it.

    "system" was read back and holds it. "terminal": it was asked to (OSC 52), which some terminals ignore; over SSH
    this is the one of the machine that the person sits at.
    """
    if not _far_away(os.environ) and await _into_system(text):
        return "system"
    app.send_to_terminal_clipboard(text)
    return "terminal"


def way_words(way: Way) -> str:
    """Which clipboard, for a person."""
    return "to the clipboard" if way == "system" else "through the terminal (OSC 52), if it allows that"


def _far_away(environment: Mapping[str, str]) -> bool:
    return any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


async def _into_system(text: str) -> bool:
    """Whether the system's clipboard holds it now; False where there is none, or it does not answer."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bool] = loop.create_future()

    def answer(held: bool) -> None:
        if not done.done():
            done.set_result(held)

    def work() -> None:
        held = _copied(text)
        # The app may have given up waiting, or be gone.
        if not loop.is_closed():
            loop.call_soon_threadsafe(answer, held)

    # Not a pool's thread, which the end of the app would wait for: clipboard programs sometimes hang.
    threading.Thread(target=work, daemon=True).start()
    try:
        return await asyncio.wait_for(done, _PATIENCE_SECONDS)
    except TimeoutError:
        return False


def _copied(text: str) -> bool:
    import pyperclip

    try:
        pyperclip.copy(text)
        # A clipboard program that fails (no display) says so to nobody; and Windows has line ends of its own.
        return str(pyperclip.paste()).replace("\r\n", "\n").rstrip("\n") == text.replace("\r\n", "\n").rstrip("\n")
    except (pyperclip.PyperclipException, OSError, ValueError):
        return False
