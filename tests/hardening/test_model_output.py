"""What a model writes is text, whatever its vocabulary holds: no terminal obeys it, and it is kept as it is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from gguf import TokenType

from localsteer.chat.store import ConversationStore
from tests.hardening.test_text import OBEYED
from tests.random_models import write_random_llama
from tests.random_vocabulary import byte_alphabet

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of Unix")

ALPHABET = byte_alphabet()
# Clipboard, title, link, device control, colours, cursor, clearing, answers back, 8-bit forms, bidirectional, bell.
COMMANDS = (
    "\x1b]52;c;RVZJTA==\x07",
    "\x1b]0;EVIL\x07",
    "\x1b]8;;http://127.0.0.1/\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b[31337m",
    "\x1b[2J\x1b[H",
    "\x1b[6n",
    "\x1bc",
    "\x9d0;EVIL\x9c",
    "\x9b31337m",
    "\u202eELIT",
    "\u2066\u200b",
    "\x07\x08\r",
)


def as_token(text: str) -> str:
    return "".join(ALPHABET[byte] for byte in text.encode())


def writes(path: Path, *texts: str) -> Path:
    """A model that writes each of these about equally often, as single tokens, and now and then anything else."""
    # A token's text must be its own: each stands there many times, with another number behind it.
    tokens = [as_token(f"{text}{number}") for number in range(1200 // len(texts)) for text in texts]
    return write_random_llama(
        path,
        n_vocab=400,
        n_layer=2,
        sharpness=0.01,
        ends=False,
        more=dict.fromkeys(tokens, TokenType.NORMAL),
    )


def assert_nothing_obeyed(written: bytes) -> str:
    """The text among it."""
    # Textual itself asks for the shape of the pointer.
    written = written.replace(b"\x1b]22;default\x07", b"")
    for obeyed in (
        b"\x1b]",
        b"\x1bP",
        b"\x1bc",
        b"\x1b[31337m",
        b"\x1b[6n",
        b"\xc2\x9b",
        b"\xc2\x9d",
        b"\x07",
        b"\x08",
    ):
        assert obeyed not in written, obeyed
    text = re.sub(rb"\x1b\[[0-9;:<>=?$]*[a-zA-Z]", b"", written).decode("utf-8", "replace")
    assert not OBEYED.search(text.replace("\n", "").replace("\r", ""))
    return text


def test_tokens_that_are_commands_to_a_terminal_are_shown_in_the_app_and_not_obeyed(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    model = writes(tmp_path / "evil.gguf", *COMMANDS)
    with TerminalApp(
        tmp_path / "home", "chat", "-m", model, "--set", "max_tokens=120", environment={"HOME": str(tmp_path)}
    ) as app:
        app.shows("Say something")
        app.until(lambda: app.engines)
        app.press("Hello\r", lambda screen: "tok/s ·" in screen)
        app.type("\x11")
        assert app.ended() == 0
        assert "EVIL" in assert_nothing_obeyed(app.written)
    with ConversationStore(tmp_path / "home" / "conversations.sqlite3") as store:
        talk = store.latest()
    assert talk is not None
    # It was really written, and is kept as it was.
    assert "\x1b]52;c;" in talk.messages[-1].content


def test_nor_by_the_terminal_to_which_say_writes(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    model = writes(tmp_path / "evil.gguf", *COMMANDS)
    arguments = ("say", "Hello", "-m", model, "--seed", 1, "--max-tokens", 120)
    with TerminalApp(tmp_path / "home", *arguments, environment={"HOME": str(tmp_path)}) as app:
        assert app.ended(60) == 0
        app.until(lambda: app.written.endswith(b"\r\n"))
    assert "EVIL" in assert_nothing_obeyed(app.written)
