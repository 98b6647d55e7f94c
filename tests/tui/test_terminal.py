"""A terminal is needed, and a large enough one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from localsteer.errors import TerminalError
from localsteer.tui.app import run
from localsteer.tui.terminal import check_terminal, claim_alt_keys, too_small


def test_an_ordinary_terminal_is_large_enough() -> None:
    assert too_small(80, 24) == ""


def test_one_that_is_too_small_is_told_how_large_it_must_be() -> None:
    assert "40×10" in too_small(40, 10)
    assert "at least" in too_small(200, 5)


def test_without_a_terminal_it_says_what_to_use_instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "in").open("w+") as stream:
        monkeypatch.setattr(sys, "__stdin__", stream)
        with pytest.raises(TerminalError, match="localsteer say"):
            run("practice")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of Unix")
def test_in_a_small_pseudo_terminal_the_app_does_not_open() -> None:
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 8, 30, 0, 0))
    program = (
        "from localsteer.tui.terminal import check_terminal\n"
        "from localsteer.errors import TerminalError\n"
        "import sys\n"
        "try: check_terminal()\n"
        "except TerminalError as error: sys.stderr.write(str(error)); sys.exit(2)\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdin=follower,
            stdout=follower,
            stderr=subprocess.PIPE,
            env={**os.environ, "TERM": "xterm-256color"},
            timeout=60,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 2
    assert "30×8" in done.stderr.decode()


def test_a_dumb_terminal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "__stdin__", Terminal())
    monkeypatch.setattr(sys, "__stdout__", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(TerminalError, match="dumb"):
        check_terminal()


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("\x1bu\x1bu\x1bu", ["alt+u"] * 3),
        ("\x1be\x1b[1;3C", ["alt+e", "alt+right"]),
        ("\x1b1\x1bw", ["alt+1", "alt+w"]),
        ("\x1b[A\x1bx", ["up", "alt+x"]),
    ],
)
def test_keys_with_alt_that_come_quickly_are_no_text(typed: str, keys: list[str]) -> None:
    claim_alt_keys()
    assert [event.key for event in XTermParser().feed(typed) if isinstance(event, events.Key)] == keys


TO_THE_FIRST_FRAME = """
import asyncio, sys
from localsteer.cli.main import localsteer
from localsteer.cli.chat import chat
from localsteer.tui import chat_screen
from localsteer.tui.app import LocalsteerApp, find_places, open_with

chat_screen.read_beforehand = lambda: None
chat_screen.EngineLink.load = lambda link: None

async def main():
    async with LocalsteerApp(open_with(None, find_places())).run_test() as pilot:
        await pilot.pause()
        print(*sys.modules)

asyncio.run(main())
"""
NOT_YET = {
    *("llama_cpp", "numpy", "gguf", "jinja2", "huggingface_hub", "httpx2", "tomlkit", "matplotlib", "plotext"),
    *("textual_plotext", "psutil", "markdown_it", "rich.markdown", "pyperclip", "textual.widgets._markdown"),
    *("localsteer.gguf_header", "localsteer.steering.recipes", "localsteer.library.dials", "localsteer.plots"),
    *("localsteer.chat.exporting", "localsteer.tui.dialogs.compare", "localsteer.tui.workshop.screen"),
}
MOST, MOST_OF_OURS = 590, 139


def test_the_first_frame_waits_for_no_module_that_it_does_not_show(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TO_THE_FIRST_FRAME],
        env={**os.environ, "LOCALSTEER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    modules = done.stdout.split()
    assert not NOT_YET & set(modules)
    assert len(modules) <= MOST
    assert sum(name.startswith("localsteer") for name in modules) <= MOST_OF_OURS
