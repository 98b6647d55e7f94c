"""Copying and pasting: what is copied, through which clipboard, and what a paste may hold."""

from __future__ import annotations

import pyperclip
import pytest
from textual import events
from textual._xterm_parser import XTermParser

from localsteer.tui.copying import conversation_text, first_words, last_code_block
from localsteer.tui.pasting import claim_pastes
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.messages import ReplyView, UserView
from localsteer.tui.widgets.transcript import Transcript
from localsteer.visible import without_controls
from tests.tui.conftest import OpenApp, Running

REPLY = "Before **it**:\n\n```python\ndef f():\n\treturn 1\n```\n\nand\n\n~~~\nlast\n~~~\nafter"


@pytest.fixture
def system_clipboard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A system clipboard that works."""
    held = [""]
    for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pyperclip, "copy", lambda text: held.append(text))
    monkeypatch.setattr(pyperclip, "paste", lambda: held[-1])
    return held


@pytest.fixture
def no_system_clipboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes everything and holds nothing, as programs do that have no display."""
    monkeypatch.setattr(pyperclip, "copy", lambda text: None)
    monkeypatch.setattr(pyperclip, "paste", lambda: "")


def remarks(running: Running) -> str:
    return "\n".join(str(note.message) for note in running.app._notifications)


async def show_reply(running: Running) -> ReplyView:
    transcript = running.screen.query_one(Transcript)
    await transcript.add_user("What?")
    view = await transcript.add_reply()
    await view.finish(REPLY)
    await running.until(lambda: "after" in running.text())
    return view


def test_the_last_block_of_code_is_taken_without_its_fence() -> None:
    assert last_code_block(REPLY) == "last"
    assert last_code_block("```\na\n\tb\n```") == "a\n\tb"
    assert last_code_block("`no` block") is None


def test_a_conversation_is_markdown_with_its_speakers() -> None:
    text = conversation_text([("system", ""), ("user", "Hello\x1b[31m"), ("assistant", "Hi\n")])
    assert text == "### You\n\nHello\n\n### Assistant\n\nHi"
    assert first_words("one two three four", 10) == "one two t…"


async def test_keys_copy_reply_code_and_conversation(open_app: OpenApp, system_clipboard: list[str]) -> None:
    async with open_app() as running:
        await running.pilot.press("alt+y")
        await running.until(lambda: "no reply yet" in remarks(running))
        await show_reply(running)
        running.screen.talk.say("What?")
        for key, copied in (("alt+y", REPLY), ("alt+k", "last"), ("alt+o", "### You\n\nWhat?")):
            await running.pilot.press(key)
            await running.until(lambda copied=copied: system_clipboard[-1] == copied)  # type: ignore[misc]
        await running.until(lambda: "the conversation (1 messages) to the clipboard" in remarks(running))


async def test_the_message_under_the_mouse_goes_before_the_last_reply(
    open_app: OpenApp, system_clipboard: list[str]
) -> None:
    async with open_app() as running:
        # The greeting that comes then would move the message away from under the mouse.
        await running.loaded()
        await show_reply(running)
        await running.pilot.hover(UserView)
        await running.pilot.press("f10")
        await running.until(lambda: system_clipboard[-1] == "What?")


@pytest.mark.usefixtures("no_system_clipboard")
async def test_without_a_system_clipboard_the_terminal_is_asked_and_that_is_said(open_app: OpenApp) -> None:
    async with open_app() as running:
        await show_reply(running)
        await running.pilot.press("alt+k")
        await running.until(lambda: "OSC 52" in remarks(running))
        assert running.app.clipboard == "last"


async def test_over_ssh_the_clipboard_is_that_of_the_terminal(
    open_app: OpenApp, system_clipboard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_TTY", "/dev/pts/1")
    async with open_app() as running:
        await show_reply(running)
        await running.pilot.press("alt+k")
        await running.until(lambda: "OSC 52" in remarks(running))
        assert system_clipboard == [""]


async def test_a_finished_reply_is_selected_by_mouse_and_copied_by_ctrl_c(
    open_app: OpenApp, system_clipboard: list[str]
) -> None:
    async with open_app() as running:
        view = await show_reply(running)
        body = view.query_one(".reply--body")
        # Where the reply lies may change until the view has settled.
        while running.screen.get_selected_text() != "it:\n\n def f():":
            await running.pilot.mouse_down(body, offset=(7, 0))
            await running.pilot.hover(body, offset=(9, 2))
            await running.pilot.mouse_up(body, offset=(9, 2))
        await running.pilot.press("ctrl+c")
        await running.until(lambda: system_clipboard[-1] == "it:\n\n def f():")
        plain, chosen = (
            {segment.style.bgcolor for segment in body.render_line(row) if segment.style} for row in (4, 0)
        )
        assert chosen - plain


async def test_ctrl_c_with_nothing_selected_says_how_to_quit_and_quits_nothing(open_app: OpenApp) -> None:
    async with open_app() as running:
        for _ in range(3):
            await running.pilot.press("ctrl+c")
        await running.until(lambda: "Ctrl+Q quits" in remarks(running))
        assert running.app.is_running


async def test_what_is_selected_in_the_input_is_copied_too(open_app: OpenApp, system_clipboard: list[str]) -> None:
    async with open_app() as running:
        composer = running.screen.query_one(Composer)
        composer.text = "some words"
        composer.select_all()
        await running.pilot.press("ctrl+c")
        await running.until(lambda: system_clipboard[-1] == "some words")


async def test_a_paste_of_200_kb_arrives_whole(open_app: OpenApp) -> None:
    text = "".join(f"line {number} of a long text\twith a tab\n" for number in range(6000))
    assert len(text) > 200_000
    async with open_app() as running:
        for message in read("\x1b[200~" + text + "\x1b[201~"):
            running.app.post_message(message)
        composer = running.screen.query_one(Composer)
        await running.until(lambda: composer.text == text)


async def test_a_paste_leaves_its_control_characters_and_escapes_behind(open_app: OpenApp) -> None:
    async with open_app() as running:
        for message in read("\x1b[200~a\x1b[31mred\x1b[0m\x03\x07\r\nb\tc\x1b]0;title\x07\x1b[A\u202ed\x1b[201~"):
            running.app.post_message(message)
        composer = running.screen.query_one(Composer)
        await running.until(lambda: composer.text == "ared\nb\tcd")
        assert running.questions() == []


def test_what_is_cleaned_keeps_its_tabs() -> None:
    assert without_controls("a\tb\r\nc\x1b[1md\x00") == "a\tb\ncd"


def read(*pieces: str) -> list[events.Event]:
    claim_pastes()
    parser = XTermParser()
    return [message for piece in pieces for message in parser.feed(piece) if isinstance(message, events.Event)]


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_paste_may_come_in_pieces_that_end_anywhere(cut: int) -> None:
    sent = "x\x1b[200~one\x1b[Atwo\r\x1b[201~\x1b[By"
    if cut in (2, 3):
        pytest.skip("so short a beginning may be the Esc key, which must not wait")
    found = read(sent[:cut], sent[cut:])
    assert [event.key if isinstance(event, events.Key) else event.text for event in found] == [  # type: ignore[attr-defined]
        "x",
        "one\x1b[Atwo\r",
        "down",
        "y",
    ]


def test_keys_that_begin_like_a_paste_are_keys() -> None:
    assert [event.key for event in read("\x1b[20~", "\x1b[2~", "\x1b[24~") if isinstance(event, events.Key)] == [
        "f9",
        "insert",
        "f12",
    ]
