"""Whatever happens to the app costs a sentence: what was said is kept, the terminal given back, the engine ends."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from localsteer.chat.store import ConversationStore
from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Died, Event, Failed, Finished, Generate, Load, Loaded, Sampling, Turn
from tests.cli.conftest import ROOT
from tests.random_models import write_random_llama

posix = pytest.mark.skipif(os.name != "posix", reason="a thing of POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")


def saved(home: Path) -> list[tuple[str, str, str | None]]:
    """Role, text and how it ended, of every message."""
    with closing(sqlite3.connect(home / "conversations.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return list(
            connection.execute(
                "SELECT role, content, finish_reason FROM messages LEFT JOIN replies ON message_id = id ORDER BY id"
            )
        )


def begun(home: Path) -> bool:
    """Whether the first token of a reply is on the disk."""
    try:
        return len(saved(home)) == 2
    except (sqlite3.Error, AssertionError):
        return False


@pytest.fixture
def slow_model(tmp_path: Path) -> Path:
    """One that writes on for longer than any test waits."""
    return write_random_llama(
        tmp_path / "slow.gguf", n_layer=8, n_embd=256, n_head=8, n_kv=4, n_ctx=8192, ends=False, name="Slow"
    )


def end_in_mid_reply(
    home: Path, model: Path, end: Callable[..., None], before: Callable[[], object] | None = None
) -> tuple[int, bytes, bool]:
    """Status, the last that was written, and whether the terminal was given back as it had been."""
    import termios

    from tests.hardening.pseudo_terminal import TerminalApp, gone

    with TerminalApp(home, "chat", "-m", model, before=before) as app:
        modes = termios.tcgetattr(app.ours)[3]
        app.shows("Say something")
        app.until(lambda: app.engines)
        app.type("Hello\r")
        app.until(lambda: begun(home))
        engines = app.engines
        end(app)
        status = app.ended()
        assert gone(engines)
        restored = app.ours < 0 or termios.tcgetattr(app.ours)[3] == modes
        return status, app.written[-400:], restored


def check_saved(home: Path) -> None:
    asked, reply = saved(home)
    assert asked[:2] == ("user", "Hello")
    assert reply[0] == "assistant"
    assert reply[1]
    assert reply[2] is None, "it was broken off"


@posix
@pytest.mark.parametrize(
    "name", ["SIGTERM", pytest.param("SIGHUP", marks=pytest.mark.soak), pytest.param("SIGINT", marks=pytest.mark.soak)]
)
def test_a_signal_ends_the_app_in_order(name: str, tmp_path: Path, slow_model: Path) -> None:
    number = getattr(signal, name)
    status, last, restored = end_in_mid_reply(tmp_path, slow_model, lambda app: app.process.send_signal(number))
    check_saved(tmp_path)
    assert status == 128 + number
    assert restored
    assert b"\x1b[?1049l" in last, "the screen that was there before"


@posix
@pytest.mark.parametrize("ignored", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["SIGHUP", "nohup"])
def test_where_the_terminal_is_gone_the_app_goes_too(ignored: bool, tmp_path: Path, slow_model: Path) -> None:
    before = (lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) if ignored else None
    status, _, _ = end_in_mid_reply(tmp_path, slow_model, lambda app: app.hang_up(), before)
    check_saved(tmp_path)
    assert status == 128 + signal.SIGHUP


@posix
@pytest.mark.soak
def test_suspended_and_resumed(tmp_path: Path, slow_model: Path) -> None:
    import termios

    from tests.hardening.pseudo_terminal import TerminalApp

    with TerminalApp(tmp_path, "chat", "-m", slow_model) as app:
        modes = termios.tcgetattr(app.ours)[3]
        app.shows("Say something")
        app.until(lambda: app.engines)
        (engine,) = app.engines
        process = psutil.Process(app.process.pid)
        for by_hand in (False, True, False):
            if by_hand:  # Ctrl+Z undoes; the palette has a command for it
                app.press("\x10shell", lambda screen: "brings it back" in screen)
                app.type("\r")
            else:
                app.process.send_signal(signal.SIGTSTP)
            app.until(lambda: process.status() == psutil.STATUS_STOPPED)
            assert termios.tcgetattr(app.ours)[3] == modes
            assert b"\x1b[?1049l" in app.written[-300:]
            assert engine.is_running()
            begin = len(app.written)
            app.process.send_signal(signal.SIGCONT)
            app.shows("Say something", after=begin)
        begin = len(app.written)
        app.type("Hello\r")
        app.until(lambda: begun(tmp_path))
        app.type("\x1b")
        app.type("\x11")
        assert app.ended() == 0
        assert not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE


# ---------------------------------------------------------------- the engine


@pytest.fixture
def client(tmp_path: Path) -> Iterator[EngineClient]:
    with EngineClient(tmp_path / "engine.log") as opened:
        yield opened


def until(client: EngineClient, kinds: tuple[type[Event], ...]) -> Event:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        client.wait(1.0)
        for event in client.drain():
            if isinstance(event, kinds):
                return event
    raise AssertionError(f"none of {kinds} came")


@posix
def test_a_model_file_that_is_cut_off_while_it_is_loaded_costs_the_engine_only(
    client: EngineClient, tmp_path: Path, random_bpe_model: Path
) -> None:
    model = Path(shutil.copyfile(random_bpe_model, tmp_path / "model.gguf"))
    client.send(Load(client.new_request(), str(model)))
    assert isinstance(until(client, (Loaded, Failed)), Loaded)
    os.truncate(model, 4096)
    ask = Generate(client.new_request(), (Turn("user", "Hi"),), sampling=Sampling(max_tokens=4))
    client.send(ask)
    end = until(client, (Died, Finished, Failed))
    if isinstance(end, Died):  # where weights are read where they lie
        assert "load it again" in end.reason
        client.start()
    # A file that was removed or replaced is still the old one for whoever has it open.
    model.unlink()
    shutil.copyfile(random_bpe_model, model)
    client.send(Load(client.new_request(), str(model)))
    assert isinstance(until(client, (Loaded, Failed)), Loaded)
    model.unlink()
    client.send(Generate(client.new_request(), ask.turns, sampling=ask.sampling))
    assert isinstance(until(client, (Died, Finished, Failed)), Finished)


@linux
def test_where_memory_runs_out_while_loading_it_is_one_sentence(
    client: EngineClient, slow_model: Path, random_bpe_model: Path
) -> None:
    import resource

    client.send(Load(client.new_request(), str(random_bpe_model)))
    assert isinstance(until(client, (Loaded, Failed)), Loaded)
    assert client.pid is not None
    room = psutil.Process(client.pid).memory_info().vms + (4 << 20)
    resource.prlimit(client.pid, resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
    client.send(Load(client.new_request(), str(slow_model), n_ctx=8192))
    end = until(client, (Loaded, Failed, Died))
    assert isinstance(end, Failed | Died)
    said = end.message if isinstance(end, Failed) else end.reason
    assert "\n" not in said
    assert "Traceback" not in said
    if isinstance(end, Died):
        client.start()
    else:
        resource.prlimit(client.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    client.send(Load(client.new_request(), str(random_bpe_model)))
    assert isinstance(until(client, (Loaded, Failed, Died)), Loaded)
    print(said)


# ---------------------------------------------------------------- disk, clock, streams


def test_a_clock_that_is_set_back_turns_no_order_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    moments = iter([now, now, now, *(now - 86_400 - step for step in range(100))])
    monkeypatch.setattr(time, "time", lambda: next(moments))
    with ConversationStore(tmp_path / "conversations.sqlite3") as store:
        first = store.new_conversation("", "First")
        before = store.add_message(first.id, "user", "before", None)
        second = store.new_conversation("", "Second")
        after = store.add_message(first.id, "user", "after", before.id)
        assert [one.title for one in store.summaries()] == ["First", "Second"]
        assert (latest := store.latest()) is not None
        assert latest.id == first.id
        assert [one.id for one in store.open(first.id).messages] == [before.id, after.id]
        store.add_message(second.id, "user", "later still", None)
        assert [one.title for one in store.summaries()] == ["Second", "First"]


@posix
@pytest.mark.parametrize(
    ("closed", "arguments", "status"),
    [("<&-", "say - -m practice", 2), (">&-", "models list", 0), ("<&- >&- 2>&-", "say Hi -m practice", 0)],
)
def test_closed_standard_streams(closed: str, arguments: str, status: int, tmp_path: Path) -> None:
    said = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m localsteer {arguments} {closed}', sys.executable],
        cwd=ROOT,
        env={**os.environ, "LOCALSTEER_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == status, said.stderr
    assert b"Traceback" not in said.stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write in")
@pytest.mark.soak
def test_a_home_that_cannot_be_written_leaves_a_chat_that_is_not_kept(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    with TerminalApp(Path("/proc/nothing"), "chat", "-m", "practice", environment={"TMPDIR": str(tmp_path)}) as app:
        app.shows("Until then nothing is kept")
        app.until(lambda: app.engines)
        app.type("Hello\r")
        app.shows("unsteered")
        app.type("\x11")
        assert app.ended() == 0
    assert b"Traceback" not in app.written


@posix
def test_a_model_file_that_is_cut_off_while_the_app_writes_a_reply_costs_that_reply(
    tmp_path: Path, slow_model: Path
) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    home, whole = tmp_path / "home", slow_model.read_bytes()
    with TerminalApp(home, "chat", "-m", slow_model, environment={"HOME": str(tmp_path)}) as app:
        app.shows("Say something")
        app.until(lambda: app.engines)
        (engine,) = app.engines
        app.type("Hello\r")
        app.until(lambda: begun(home))
        os.truncate(slow_model, 4096)
        # Where weights are read where they lie the engine ends, else it never notices: then Esc ends the reply.
        app.until(lambda: not engine.is_running() or saved(home)[1][1].count(" ") > 40)
        if engine.is_running():
            app.press("\x1b[27u", lambda screen: "Esc stop" not in screen)
        else:
            app.until(lambda: "load it again" in " ".join(app.screen.replace("█", " ").split()))
        slow_model.write_bytes(whole)
        written = len(saved(home))
        app.type("Again\r")
        app.until(lambda: len(saved(home)) > written)
        app.type("\x1b[27u")
        app.type("\x11")
        assert app.ended() == 0
    assert b"Traceback" not in app.written
    assert saved(home)[1][1], "what had come of the reply is kept"
