"""The engine process at work: dials, stops, loads and deaths in the middle of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import (
    Compare,
    Compared,
    DialSetting,
    Died,
    Event,
    Extract,
    Extracted,
    ExtractProgress,
    Failed,
    Finished,
    Generate,
    Load,
    Loaded,
    Sampling,
    SetDials,
    SideFinished,
    SideToken,
    Stop,
    Stopped,
    TokenText,
    Turn,
)
from localsteer.steering.fit import ModelStamp
from tests.engine.conftest import write_vector

SECONDS = 20.0
TURNS = (Turn("user", "tell me about the sea"),)
SHORT = Generate(3, TURNS, sampling=Sampling(temperature=0.0, max_tokens=8))


@pytest.fixture
def client(random_bpe_model: Path, tmp_path: Path) -> Iterator[EngineClient]:
    """A process with the model loaded into a context so large that a reply takes its time."""
    with EngineClient(tmp_path / "engine.log") as client:
        load(client, random_bpe_model)
        yield client


def load(client: EngineClient, path: Path) -> Loaded:
    client.send(Load(1, str(path), n_ctx=16384, n_threads=1))
    *_, loaded = client.events(1)
    assert isinstance(loaded, Loaded)
    return loaded


def until(client: EngineClient, enough: Callable[[Event], bool]) -> list[Event]:
    events: list[Event] = []
    while not any(map(enough, events)):
        assert client.wait(SECONDS), f"nothing came after {events[-3:]}"
        events += client.drain()
    return events


def is_token(event: Event, index: int) -> bool:
    return isinstance(event, TokenText) and event.index >= index


def finish(client: EngineClient) -> Finished:
    last = until(client, lambda event: isinstance(event, Finished))[-1]
    assert isinstance(last, Finished)
    return last


def spell(folder: Path) -> DialSetting:
    """A dial so strong that a greedy reply repeats one token until the context is full."""
    vector = write_vector(folder / "spell.gguf", ModelStamp(n_layer=4, n_embd=64), size=20.0)
    return DialSetting("spell", str(vector), 1.0)


def begin_endless_reply(client: EngineClient, folder: Path) -> None:
    client.send(Generate(2, TURNS, (spell(folder),), Sampling(temperature=0.0)))
    until(client, lambda event: is_token(event, 2))


def test_a_stop_ends_a_reply_in_the_middle(client: EngineClient, tmp_path: Path) -> None:
    begin_endless_reply(client, tmp_path)
    client.send(Stop())
    assert finish(client).reason == "stopped"


def test_replies_side_by_side_are_stopped_together(client: EngineClient, tmp_path: Path) -> None:
    client.send(Compare(2, TURNS, ((spell(tmp_path),), (spell(tmp_path),)), Sampling(temperature=0.0)))
    until(client, lambda event: isinstance(event, SideToken) and event.index >= 2)
    client.send(Stop())
    events = until(client, lambda event: isinstance(event, Compared))
    reasons = {event.side: event.reply.reason for event in events if isinstance(event, SideFinished)}
    assert reasons == {0: "stopped", 1: "stopped"}


def test_a_reply_comes_again_exactly_in_another_process(
    client: EngineClient, random_bpe_model: Path, tmp_path: Path
) -> None:
    client.send(SHORT)
    first = finish(client)
    with EngineClient(tmp_path / "another.log") as another:
        load(another, random_bpe_model)
        another.send(replace(SHORT, schedule=first.marks, course=first.course))
        assert finish(another).tokens == first.tokens


def test_new_dials_are_in_force_within_the_reply_and_the_latest_win(client: EngineClient, tmp_path: Path) -> None:
    begin_endless_reply(client, tmp_path)
    settings = [(replace(spell(tmp_path), strength=strength),) for strength in (1.1, 1.2, 1.3)]
    for dials in settings:
        client.send(SetDials(dials))
    (*_, last) = until(client, lambda event: isinstance(event, TokenText))
    assert isinstance(last, TokenText)
    until(client, lambda event: is_token(event, last.index + 200))
    client.send(Stop())
    marks = finish(client).marks
    assert marks[-1].dials == settings[-1]
    assert marks[-1].start > 2


def test_the_dials_of_a_reply_are_those_it_was_asked_for_with_not_older_ones(
    client: EngineClient, tmp_path: Path
) -> None:
    client.send(SetDials((spell(tmp_path),)))
    client.send(SHORT)
    assert [mark.dials for mark in finish(client).marks] == [()]


def test_a_process_killed_in_mid_reply_is_replaced_and_the_next_message_works(
    client: EngineClient, random_bpe_model: Path, tmp_path: Path
) -> None:
    begin_endless_reply(client, tmp_path)
    assert client.pid is not None
    psutil.Process(client.pid).kill()
    events = until(client, lambda event: isinstance(event, Died))
    assert sum(isinstance(event, Died) for event in events) == 1
    client.start()
    load(client, random_bpe_model)
    client.send(SHORT)
    assert finish(client).reason == "length"


def test_closing_in_mid_reply_takes_no_time(client: EngineClient, tmp_path: Path) -> None:
    begin_endless_reply(client, tmp_path)
    pid = client.pid
    assert pid is not None
    client.close()
    assert not psutil.pid_exists(pid)
    assert client.drain() == []


def test_a_bad_file_leaves_the_present_model_in_place(client: EngineClient, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_text("no model")
    client.send(Load(5, str(tmp_path / "bad.gguf")))
    assert isinstance(list(client.events(5))[-1], Failed)
    client.send(SHORT)
    assert finish(client).tokens


def test_another_model_can_be_loaded_and_a_load_that_another_one_overtakes_is_given_up(
    client: EngineClient, random_bpe_model: Path, random_spm_model: Path, tmp_path: Path
) -> None:
    begin_endless_reply(client, tmp_path)
    client.send(Load(5, str(random_bpe_model)))
    client.send(Load(6, str(random_spm_model), n_threads=1))
    client.send(Stop())
    events = until(client, lambda event: isinstance(event, Loaded))
    assert Stopped(5) in events
    loaded = events[-1]
    assert isinstance(loaded, Loaded)
    assert (loaded.request, loaded.card.path) == (6, str(random_spm_model))


def test_an_extraction_is_stopped_and_made_again(client: EngineClient, tmp_path: Path) -> None:
    recipe = tmp_path / "sea.json"
    recipe.write_text('[["the sea", "the day"], ["a long sea", "a long day"]]')
    client.send(Extract(7, str(recipe), str(tmp_path / "sea.gguf")))
    until(client, lambda event: isinstance(event, ExtractProgress))
    client.send(Stop())
    until(client, lambda event: event == Stopped(7))
    assert not (tmp_path / "sea.gguf").exists()
    client.send(Extract(8, str(recipe), str(tmp_path / "sea.gguf"), calibrate=False))
    assert isinstance(list(client.events(8))[-1], Extracted)
    assert (tmp_path / "sea.gguf").exists()


def test_the_process_ends_in_mid_reply_when_its_parent_is_killed(random_bpe_model: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from localsteer.engine.client import EngineClient\n"
        "from tests.engine.test_process import begin_endless_reply, load\n"
        "folder = Path(sys.argv[2]); client = EngineClient(folder / 'engine.log'); client.start()\n"
        "load(client, Path(sys.argv[1])); begin_endless_reply(client, folder)\n"
        "print(client.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(random_bpe_model), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    psutil.wait_procs([child], timeout=SECONDS)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_command_that_the_process_cannot_read_ends_it_and_it_does_not_stay_behind(
    client: EngineClient, random_bpe_model: Path
) -> None:
    load(client, random_bpe_model)
    # No command of ours has a number that is numpy's; it comes as what the other side refuses to make.
    client.send(SetDials((DialSetting("mood", "mood.gguf", np.float64(1.0)),)))
    end = time.monotonic() + SECONDS
    while client.alive:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert any(isinstance(event, Died) for event in client.drain())


def test_a_terminal_sees_nothing_of_loading_and_writing(random_bpe_model: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from localsteer.engine.client import EngineClient\n"
        "from tests.engine.test_process import SHORT, finish, load\n"
        "with EngineClient(Path(sys.argv[2])) as client:\n"
        "    load(client, Path(sys.argv[1])); client.send(SHORT); finish(client)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(random_bpe_model), str(tmp_path / "engine.log")],
        capture_output=True,
        check=True,
    )
    assert result.stdout == result.stderr == b""
