"""The engine process: it starts, it answers, it dies without harm, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Died, Event, Failed, Load, Stop
from localsteer.errors import EngineError

SECONDS = 20.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "engine.log"


@pytest.fixture
def client(log: Path) -> Iterator[EngineClient]:
    with EngineClient(log) as client:
        yield client


def ask_something(client: EngineClient, path: Path) -> list[Event]:
    """A question that needs no model: loading a file that is not there."""
    request = client.new_request()
    client.send(Load(request, str(path / "no.gguf")))
    return list(client.events(request))


def collect(client: EngineClient, enough: Callable[[list[Event]], bool]) -> list[Event]:
    events: list[Event] = []
    while not enough(events):
        assert client.wait(SECONDS), f"nothing came after {events}"
        events += client.drain()
    return events


def kill(client: EngineClient) -> None:
    assert client.pid is not None
    psutil.Process(client.pid).kill()


def test_importing_the_client_imports_neither_llama_cpp_nor_numpy() -> None:
    program = "import sys, localsteer.engine.client; print({'llama_cpp', 'numpy', 'gguf', 'textual'} & {*sys.modules})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_a_missing_model_file_fails_with_one_sentence_and_the_process_lives_on(
    client: EngineClient, tmp_path: Path
) -> None:
    (event,) = ask_something(client, tmp_path)
    assert isinstance(event, Failed)
    assert "no.gguf" in event.message
    assert "\n" not in event.message
    assert client.alive


def test_a_command_that_cannot_be_sent_is_told_to_who_sends_it_and_the_next_is_answered(
    client: EngineClient, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match="Load cannot be sent"):
        client.send(Load(client.new_request(), threading.Lock()))  # type: ignore[arg-type]
    (event,) = ask_something(client, tmp_path)
    assert isinstance(event, Failed)


def test_draining_never_waits(client: EngineClient) -> None:
    assert client.drain() == []
    assert client.wait(0.0) is False


def test_a_killed_process_says_why_once_and_another_can_be_started(client: EngineClient, tmp_path: Path) -> None:
    ask_something(client, tmp_path)
    first = client.pid
    kill(client)
    (died,) = collect(client, lambda events: len(events) > 0)
    assert isinstance(died, Died)
    if os.name == "posix":
        assert "SIGKILL" in died.reason
    assert not client.alive
    with pytest.raises(EngineError):
        client.send(Stop())
    client.start()
    assert client.pid != first
    assert isinstance(ask_something(client, tmp_path)[-1], Failed)
    assert client.drain() == []


def test_a_process_that_dies_while_it_is_waited_for_is_an_error(client: EngineClient, tmp_path: Path) -> None:
    ask_something(client, tmp_path)
    kill(client)
    with pytest.raises(EngineError, match="engine process"):
        list(client.events(client.new_request()))


def test_closing_ends_the_process_leaves_no_zombie_and_reports_no_death(log: Path, tmp_path: Path) -> None:
    client = EngineClient(log)
    client.start()
    ask_something(client, tmp_path)
    pid = client.pid
    assert pid is not None
    client.close()
    assert not psutil.pid_exists(pid)
    assert client.drain() == []
    assert not client.alive


@pytest.mark.skipif(os.name != "posix", reason="signals of a POSIX terminal")
def test_a_process_that_does_not_answer_is_killed_on_closing(client: EngineClient) -> None:
    pid = client.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    client.close()
    assert not psutil.pid_exists(pid)


def test_a_killed_process_leaves_no_zombie(client: EngineClient) -> None:
    pid = client.pid
    assert pid is not None
    kill(client)
    collect(client, lambda events: len(events) > 0)
    assert not psutil.pid_exists(pid)


def test_closing_what_was_never_started_or_is_already_closed_does_nothing(log: Path) -> None:
    client = EngineClient(log)
    client.close()
    client.start()
    client.close()
    client.close()


def test_a_process_that_was_only_just_started_can_be_closed_at_once(log: Path) -> None:
    client = EngineClient(log)
    client.start()
    pid = client.pid
    assert pid is not None
    client.close()
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(os.name != "posix", reason="signals of a POSIX terminal")
def test_ctrl_c_does_not_reach_the_process(client: EngineClient, tmp_path: Path) -> None:
    assert client.pid is not None
    ask_something(client, tmp_path)
    assert os.getpgid(client.pid) != os.getpgid(0)
    os.kill(client.pid, signal.SIGINT)
    assert isinstance(ask_something(client, tmp_path)[-1], Failed)


def test_the_process_ends_when_its_parent_is_killed(log: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from localsteer.engine.client import EngineClient\n"
        "client = EngineClient(Path(sys.argv[1])); client.start(); print(client.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(log)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    # An orphan may stay a zombie where nobody reaps for init.
    psutil.wait_procs([child], timeout=SECONDS)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_what_the_process_prints_goes_to_its_log_and_nowhere_else(log: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from localsteer.engine.client import EngineClient; "
        "from localsteer.engine.protocol import Load\n"
        "with EngineClient(Path(sys.argv[1])) as client:\n"
        "    client.send(Load(1, sys.argv[2])); list(client.events(1))"
    )
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF" + bytes(200))
    result = subprocess.run([sys.executable, "-c", program, str(log), str(damaged)], capture_output=True, check=True)
    assert result.stdout == result.stderr == b""
    if os.name == "posix":
        assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    with EngineClient(tmp_path / "file" / "engine.log") as client:
        assert isinstance(ask_something(client, tmp_path)[-1], Failed)


def test_no_thread_is_left_after_many_lives(log: Path) -> None:
    before = threading.active_count()
    for _ in range(3):
        client = EngineClient(log)
        client.start()
        client.close()
    assert threading.active_count() <= before + 1
