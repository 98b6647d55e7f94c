"""The real app in a terminal while the disk has no room: a sentence, and nothing that was said is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from localsteer.chat.store import ConversationStore
from tests.hardening.killing import check_database

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
if sys.platform == "linux":
    import resource

    from tests.hardening.terminal import AppInTerminal, reply_shown

SETTINGS = ("signs=false", "needles=false", "seed=3", "max_tokens=200")
ASKED = "What do you think of gardens?"


@pytest.fixture(autouse=True)
def _no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python would keep what it could write of a module, and every later process would fail with that."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


def full(app: AppInTerminal, is_full: bool) -> None:
    """No file that the app writes can hold anything, or all can again (EFBIG for ENOSPC)."""
    most = 1 if is_full else resource.RLIM_INFINITY
    resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def words(screen: str) -> str:
    return " ".join(screen.replace("█", " ").split())


def answered(screen: str, asked: str) -> bool:
    """Whether a whole reply stands below the question."""
    _, found, after = words(screen).rpartition(asked)
    return bool(found) and "tok/s" in after and "Esc stop" not in after


def test_a_message_that_cannot_be_kept_is_given_back_and_a_reply_is_saved_later(tmp_path: Path) -> None:
    with AppInTerminal(tmp_path, *SETTINGS) as app:
        app.until(lambda screen: "practice model:" in screen and "context" in screen)
        full(app, True)
        app.type(ASKED)
        app.press("enter")
        app.until(lambda screen: "The message was not sent." in words(screen))
        assert "Traceback" not in "\n".join(app.lines)
        # It stands in the input again, for the next try.
        full(app, False)
        app.press("enter")
        app.until(lambda screen: reply_shown(screen.splitlines(), ASKED))
        full(app, True)
        app.until(lambda screen: "Saving failed:" in words(screen) and "It is tried again." in words(screen))
        app.until(lambda screen: answered(screen, ASKED))
        full(app, False)
        app.type("And rain?")
        app.press("enter")
        app.until(lambda screen: answered(screen, "And rain?"))
        shown = words("\n".join(app.lines))
        app.press("ctrl+q")
        assert app.process.wait(30) == 0
    check_database(tmp_path / "conversations.sqlite3")
    with ConversationStore(tmp_path / "conversations.sqlite3") as store:
        assert store.damage() is None
        talk = store.latest()
        assert talk is not None
    asked, reply, more, last = talk.messages
    assert (asked.content, more.content) == (ASKED, "And rain?")
    assert reply.content
    assert words(reply.content)[-30:] in shown
    assert reply.reply is not None
    assert reply.reply.finish_reason == "end"
    assert last.content
