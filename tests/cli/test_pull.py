"""``models pull``: a list to choose from, downloads that go on where they were stopped, one clear line for failures."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localsteer.gguf_header.architectures import steerability
from localsteer.library.curated_models import curated_models, read_wanted
from tests.cli.conftest import Run, ended, interrupt
from tests.library.hub_server import Hub, running_hub

MODEL = "org/Small-GGUF:small.Q8_0.gguf"


@pytest.fixture
def hub(home: Path, random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub() as hub:
        hub.files["org/Small-GGUF"] = {"small.Q8_0.gguf": random_bpe_model.read_bytes(), "small.F16.gguf": b"GGUF"}
        hub.files["org/Small"] = {"model.safetensors": b"x"}
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


def partial(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "person").rglob("*.incomplete"))


def test_without_a_name_the_short_list_is_shown_and_nothing_is_asked(localsteer: Run, hub: Hub) -> None:
    said = localsteer("models", "pull")
    assert said.status == 0
    assert "llama-3.2-1b" in said.out
    assert "Llama 3.2 Community License" in said.out
    assert max(map(len, said.out.splitlines())) <= 100
    listed = localsteer("models", "pull", "--json").document["models"]
    assert [model["name"] for model in listed] == [model.name for model in curated_models()]
    assert hub.requests == []


def test_the_short_list_holds_llamas_that_can_be_named(hub: Hub) -> None:
    models = curated_models()
    assert len({model.name for model in models}) == len(models)
    assert sorted(models, key=lambda model: model.size_mb) == list(models)
    assert all(read_wanted(model.name.upper()) == model.hub_name for model in models)
    assert all(read_wanted(str(model.hub_name)) == model.hub_name for model in models)
    assert steerability("llama", 16) == "yes"


def test_a_model_is_fetched_and_then_there_by_its_name(localsteer: Run, hub: Hub) -> None:
    said = localsteer("models", "pull", MODEL)
    assert (said.status, said.err) == (0, "")
    path = Path(said.out.splitlines()[0])
    assert path.read_bytes() == hub.files["org/Small-GGUF"]["small.Q8_0.gguf"]
    assert "localsteer chat --model small.Q8_0" in said.out
    asked = len(hub.requests)
    assert localsteer("models", "info", "small.Q8_0", "--json").document["path"] == str(path)
    assert len(hub.requests) == asked


def test_as_a_document(localsteer: Run, hub: Hub) -> None:
    document = localsteer("models", "pull", MODEL, "--json").document
    assert document["name"] == "small.Q8_0"
    assert document["size_bytes"] == Path(document["path"]).stat().st_size


def test_a_model_in_parts_is_one_model_afterwards(localsteer: Run, hub: Hub, random_bpe_model: Path) -> None:
    content = random_bpe_model.read_bytes()
    hub.files["org/Big"] = {f"big-0000{number}-of-00002.gguf": content for number in (1, 2)}
    document = localsteer("models", "pull", "org/Big:big-00001-of-00002.gguf", "--json").document
    assert (document["name"], document["size_bytes"]) == ("big", 2 * len(content))


def test_a_repository_alone_is_listed_and_a_file_asked_for(localsteer: Run, hub: Hub) -> None:
    said = localsteer("models", "pull", "org/Small-GGUF")
    assert (said.status, said.out) == (2, "")
    assert "small.Q8_0.gguf" in said.err
    assert "4 B" in said.err
    assert said.err.splitlines()[-1].startswith("localsteer: org/Small-GGUF has 2 GGUF files; name one: `localsteer")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("llama", "names no model on the hub"),
        ("org/Small", "has no GGUF files"),
        ("org/Small-GGUF:other.gguf", "There is no file other.gguf"),
        ("org/Nothing:a.gguf", "There is no repository org/Nothing"),
    ],
)
def test_what_cannot_be_fetched_is_one_clear_line(localsteer: Run, hub: Hub, name: str, says: str) -> None:
    said = localsteer("models", "pull", name)
    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
    assert says in said.err


@pytest.mark.skipif(os.name == "nt", reason="no Ctrl+C for children there")
def test_ctrl_c_keeps_what_has_come_and_the_same_command_goes_on(
    child: Callable[..., subprocess.Popen[bytes]], hub: Hub, tmp_path: Path
) -> None:
    hub.pause = threading.Event()
    download = child("models", "pull", MODEL)
    wait_for(lambda: any(file.stat().st_size for file in partial(tmp_path)), download)
    interrupt(download)
    said = ended(download)
    assert (said.status, said.out) == (130, "")
    assert said.err == "Stopped. What has come is kept: the same command goes on from there.\n"
    hub.pause.set()
    hub.pause = None
    (kept,) = partial(tmp_path)
    size = kept.stat().st_size
    hub.requests.clear()
    assert ended(child("models", "pull", MODEL)).status == 0
    assert hub.bodies_asked_for() == [f"bytes={size}-"]


def wait_for(condition: Callable[[], bool], child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert child.poll() is None, ended(child)
        assert time.monotonic() < until
        time.sleep(0.02)
