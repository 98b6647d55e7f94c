"""A folder that is somebody else's by now, as after running a program as another user: a sentence, or done without."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localsteer.library.places import Places
from tests.cli.conftest import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")

_NO_MORE = 24  # prctl's PR_CAPBSET_DROP
_LOOKING_ANYWHERE = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def as_anybody() -> None:
    """What is started now is bound by modes, be it root's."""
    if sys.platform == "linux":
        for one in _LOOKING_ANYWHERE:
            ctypes.CDLL(None).prctl(_NO_MORE, one, 0, 0, 0)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


def run(home: Path, *command: object) -> tuple[int, str, str]:
    environment = {**os.environ, "LOCALSTEER_HOME": str(home), "HOME": str(home.parent), "HF_HOME": str(home)}
    said = subprocess.run(
        [sys.executable, "-m", "localsteer", *map(str, command)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=as_anybody,
    )
    return said.returncode, said.stdout, said.stderr


def test_each_command_does_without_a_home_that_is_somebody_elses_or_says_so_in_a_sentence(locked: Path) -> None:
    file = locked / "x.gguf"
    sentences = [
        ("chats", "list"),
        ("chats", "show", 1),
        ("chats", "backup", locked / "x"),
        ("chats", "rescue", locked / "x"),
        ("chats", "import", locked / "x.json"),
        ("vectors", "import", file),
        ("vectors", "show", file),
        ("models", "info", file),
        ("say", "hi", "-m", file),
        ("settings", "set", "seed", 3),
        ("extract", "--words", "sea/day", "-m", "practice", "-o", file),
        ("sweep", "mood", "-m", "practice"),
    ]
    for command in (*sentences, ("vectors", "list"), ("settings",), ("paths",), ("models", "list"), ("doctor",)):
        status, out, err = run(locked, *command)
        assert "Traceback" not in out + err, (command, err)
        if command in sentences:
            # The settings that cannot be read may have been named before.
            assert status == 2, (command, out, err)
            assert err.strip().splitlines()[-1].startswith("localsteer: "), (command, err)
        else:
            assert status in ({0, 1} if command == ("doctor",) else {0}), (command, err)


def test_the_app_does_without_it_and_chats(tmp_path: Path, locked: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    environment = {"HOME": str(tmp_path), "HF_HOME": str(locked), "LOCALSTEER_N_THREADS": "1"}
    with TerminalApp(locked, "chat", "-m", "practice", environment=environment, before=as_anybody) as app:
        app.shows("Say something")
        app.press("hi\r", lambda screen: "tok/s" in screen and "unsteered" in screen)
        # What is there to choose from is what came with the app.
        app.press("\x1ba", lambda screen: "Add a dial" in screen and "mood" in screen)
        app.press("\x1b[27u", lambda screen: "Enter add" not in screen)
        app.press("\x1bh", lambda screen: "Workshop" in screen and "Its opposite" in screen)
        app.press("glad", lambda screen: "glad" in screen)
        app.type("\x11")
        app.until(lambda: app.process.poll() is not None)
        assert app.process.poll() == 0


def test_vectors_that_are_somebody_elses_stay_away_and_the_rest_goes_on(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    home = tmp_path / "home"
    places = Places(data=home, config=home, logs=home / "logs")
    places.vectors.mkdir(parents=True)
    places.vectors.chmod(0)
    try:
        with TerminalApp(home, "chat", "-m", "practice", environment={"HOME": str(tmp_path)}, before=as_anybody) as app:
            app.shows("Say something")
            app.press("hi\r", lambda screen: "tok/s" in screen and "unsteered" in screen)
            app.type("\x11")
            app.until(lambda: app.process.poll() is not None)
            assert app.process.poll() == 0
    finally:
        places.vectors.chmod(0o700)
