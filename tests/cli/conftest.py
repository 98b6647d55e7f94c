"""The command line as a person calls it: a home of its own, arguments in, text and exit status out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from localsteer.cli import main, session
from localsteer.engine import client
from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Extract, Extracted, Load, Loaded, Stop
from localsteer.gguf_header import model_id, read_header, vocabulary_fingerprint
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector
from tests.warm_engines import WarmEngine

ROOT = Path(__file__).parents[2]

RECIPE = """
description = "How cheerful the answers are."
poles = { positive = "happy", negative = "sad" }

[[personas]]
positive = ["You are happy.", "Be merry."]
negative = ["You are sad.", "Be gloomy."]
messages = ["How are you?", "What time is it?", "Who said that?"]
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document, which must be everything on stdout."""
        assert self.status == 0, self.err
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


Run: TypeAlias = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """LOCALSTEER_HOME, in a home folder where no program has left any model, with one small recipe called ``glad``."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "LLAMA_CACHE", "OLLAMA_MODELS", "APPDATA", "LOCALAPPDATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "person"))
    home = tmp_path / "home"
    monkeypatch.setenv("LOCALSTEER_HOME", str(home))
    (home / "recipes").mkdir(parents=True)
    (home / "recipes" / "glad.toml").write_text(RECIPE, encoding="utf-8")
    return home


class LastingClient(EngineClient):
    """An engine process for many commands: closing it only stops what it is at, and the next one loads afresh.

    It begins as a copy of ``warm``.
    """

    def __init__(self, log_path: Path, warm: WarmEngine | None) -> None:
        super().__init__(log_path)
        self._warm = warm

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patched:
            if self._warm is not None:
                patched.setattr(client, "_spawn", self._warm.spawn)
            super().start()

    def close(self) -> None:
        if self.alive:
            self.send(Stop())

    def end(self) -> None:
        """End the process."""
        super().close()


@pytest.fixture(scope="session")
def engine_process(warm_engine: WarmEngine | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LastingClient]:
    """The process behind all commands that run in this one; starting one for each takes longer than most of them."""
    lasting = LastingClient(tmp_path_factory.mktemp("logs") / "engine.log", warm_engine)
    yield lasting
    lasting.end()


@pytest.fixture(scope="session")
def made_glad(engine_process: LastingClient, random_bpe_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe ``glad`` made into a vector for that model, once, with its safe range."""
    folder = tmp_path_factory.mktemp("glad")
    (folder / "glad.toml").write_text(RECIPE, encoding="utf-8")
    out = folder / "glad.gguf"
    engine_process.start()
    for command in (Load(0, str(random_bpe_model)), Extract(0, str(folder / "glad.toml"), str(out))):
        request = engine_process.new_request()
        engine_process.send(replace(command, request=request))
        *_, end = engine_process.events(request)
        assert isinstance(end, Loaded | Extracted), end
    return out


@pytest.fixture
def glad_at_hand(home: Path, made_glad: Path, random_bpe_model: Path) -> None:
    """The stored vector of the recipe ``glad`` is there as if it had been made before."""
    folder = home / "vectors" / stamp(random_bpe_model).model_id
    folder.mkdir(parents=True)
    shutil.copyfile(made_glad, folder / "glad.gguf")


@pytest.fixture
def localsteer(
    home: Path, engine_process: LastingClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Run a command in this process; the engine is a process of its own as always, the same one for all of them."""
    monkeypatch.setattr(session, "EngineClient", lambda _log: engine_process)

    def run(*arguments: object) -> Said:
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return run


@pytest.fixture
def child(home: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a command in a process of its own, with pipes unless told otherwise; it does not outlive the test."""
    children: list[subprocess.Popen[bytes]] = []

    def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = [sys.executable, "-m", "localsteer", *map(str, arguments)]
        # Where the tests run in the background Ctrl+C is ignored, and children would inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            children.append(subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), **options))
        finally:
            signal.signal(signal.SIGINT, before)
        return children[-1]

    yield start
    for one in children:
        if one.poll() is None:
            one.kill()
        one.communicate()


def ended(child: subprocess.Popen[bytes], given: bytes = b"") -> Said:
    """What a child said when it has ended by itself."""
    out, err = child.communicate(given, timeout=60)
    return Said(child.returncode, (out or b"").decode(), (err or b"").decode())


def interrupt(child: subprocess.Popen[bytes]) -> None:
    """Ctrl+C."""
    child.send_signal(signal.SIGINT)


def stamp(model: Path) -> ModelStamp:
    """What vectors for this model carry."""
    header = read_header(model)
    return ModelStamp(
        header.name,
        header.architecture,
        header.n_layer,
        header.n_embd,
        vocabulary_fingerprint(model, header),
        model_id(model, header),
    )


def write_vector(path: Path, made_for: ModelStamp, *, layer: int = 2, seed: int = 0) -> Path:
    """A vector strong enough to change what a random model writes."""
    direction = np.random.default_rng(seed).standard_normal(made_for.n_embd).astype(np.float32)
    save_vector(
        SteeringVector(path.stem, "happy", "sad", {layer: direction}, made_for, strength_low=-2, strength_high=2), path
    )
    return path
