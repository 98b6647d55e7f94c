"""A running reply is saved as it grows; a sudden end costs at most half a second of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from localsteer import __version__
from localsteer.chat.running import SAVE_EVERY_SECONDS, RunningReply
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark, Started
from localsteer.errors import StorageError
from tests.chat.conftest import HAPPY, SAD, finished, record


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reply(store: ConversationStore, clock: Clock) -> RunningReply:
    talk = store.new_conversation()
    asked = store.add_message(talk.id, "user", "Hi", None)
    return RunningReply(store, talk.id, asked.id, record(DialMark(0, (HAPPY,))), clock=clock)


def saved(database: Path) -> str | None:
    """The reply as somebody else finds it on the disk."""
    with ConversationStore(database) as other:
        talk = other.latest()
    assert talk is not None
    return talk.messages[-1].content if talk.messages[-1].role == "assistant" else None


def test_nothing_is_in_the_database_before_the_first_token(reply: RunningReply, database: Path) -> None:
    reply.save_if_due()
    assert saved(database) is None
    assert reply.break_off() is None
    assert saved(database) is None


def test_no_more_than_half_a_second_is_ever_unsaved(reply: RunningReply, database: Path, clock: Clock) -> None:
    written, ticks = "", 0.05
    last_saved_in_full = 0.0
    for number in range(60):
        clock.now += ticks
        written += f"{number} "
        reply.add(number, f"{number} ")
        reply.save_if_due()
        if saved(database) == written:
            last_saved_in_full = clock.now
        assert clock.now - last_saved_in_full <= 0.5


def test_the_last_token_before_a_pause_is_saved_too(reply: RunningReply, database: Path, clock: Clock) -> None:
    reply.add(1, "One")
    clock.now += 0.1
    reply.add(2, " two")
    reply.save_if_due()
    assert saved(database) == "One"
    clock.now += SAVE_EVERY_SECONDS
    reply.save_if_due()
    assert saved(database) == "One two"


def test_what_was_written_before_the_engine_died_stays_marked_as_unfinished(
    reply: RunningReply, store: ConversationStore
) -> None:
    reply.started(Started(1, prompt_tokens_evaluated=9, prompt_tokens_reused=3, dropped=0, seed=41))
    reply.add(1, "One")
    reply.turned((SAD,))
    reply.add(2, " two")
    message = reply.break_off()
    assert message is not None
    assert message.reply is not None
    assert (message.content, message.reply.tokens, message.reply.seed) == ("One two", (1, 2), 41)
    assert message.reply.marks == (DialMark(0, (HAPPY,)), DialMark(1, (SAD,)))
    assert message.reply.finish_reason is None


def test_the_finished_reply_is_the_engines_word(reply: RunningReply) -> None:
    reply.add(1, "On")
    message = reply.finish(finished("One", (1,), DialMark(0, (SAD,))))
    assert message.reply is not None
    assert (message.content, message.reply.finish_reason) == ("One", "end")
    assert message.reply.marks == (DialMark(0, (SAD,)),)


def test_the_record_says_how_long_it_took_and_with_what(reply: RunningReply, clock: Clock) -> None:
    clock.now += 1.5
    reply.add(1, "One")
    clock.now += 0.25
    reply.add(2, " two")
    clock.now += 0.25
    written = reply.finish(finished("One two", (1, 2))).reply
    assert written is not None
    assert (written.seconds_to_first, written.seconds, written.token_count) == (1.5, 2.0, 2)
    assert (written.context_size, written.written_with) == (512, __version__)


def test_a_failed_save_is_told_and_made_good_by_the_next(
    reply: RunningReply, store: ConversationStore, database: Path, clock: Clock
) -> None:
    reply.add(1, "One")
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    reply.add(2, " two" * 20_000)
    clock.now += 1
    with pytest.raises(StorageError, match="no room on the disk"):
        reply.save_if_due()
    assert saved(database) == "One"
    store._connection.execute("PRAGMA max_page_count = 1000000")
    clock.now += 1
    reply.save_if_due()
    assert saved(database) == "One" + " two" * 20_000


WRITER = """
import sys
from pathlib import Path
from localsteer.chat.store import ConversationStore
from tests.chat.conftest import record
store = ConversationStore(Path(sys.argv[1]))
talk = store.new_conversation()
asked = store.add_message(talk.id, "user", "Count.", None)
reply = store.begin_reply(talk.id, asked.id, record())
for number in range(10**9):
    reply.add(number, f"{number} ")
    reply.save()
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_everything_saved_survives_a_kill_and_the_database_is_whole(database: Path) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(database)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as writer:
        assert writer.stdout is not None
        acknowledged = 0
        for _ in range(40):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    text = saved(database)
    assert text is not None
    numbers = [int(number) for number in text.split()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > acknowledged
    with ConversationStore(database) as store:
        assert store._connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
