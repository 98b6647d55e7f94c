"""Only a download that was asked for uses the network, whatever command is given, whatever is made in the app."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import RECIPE, ROOT
from tests.hardening.test_access import open_to_others
from tests.hardening.watching import Watch
from tests.random_models import write_random_llama

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")

GLAD = ("glad", "-m", "MODEL")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("models", "list"),
    ("models", "info", "MODEL"),
    ("models", "pull"),
    ("paths",),
    ("settings",),
    ("extract", *GLAD),
    ("extract", "--words", "sea/day", "-m", "MODEL"),
    ("vectors", "list", "-m", "MODEL"),
    ("vectors", "show", *GLAD),
    ("vectors", "see", "glad", "the sea", "-m", "MODEL"),
    ("vectors", "combine", "glad*2", "--name", "gladder", "-m", "MODEL"),
    ("say", "the sea", "-m", "MODEL", "--dial", "glad=1", "--max-tokens", "4"),
    ("sweep", *GLAD, "--strengths", "0,1", "--controls", "1"),
    ("eval", *GLAD, "--controls", "1"),
    ("eval", "pca", "TEXTS", "-m", "MODEL", "--components", "1"),
    ("bench", "-m", "MODEL", "--recipe", "glad", "--seconds", "0.1"),
    ("doctor",),
)


THOROUGH = (("extract", *GLAD, "--thorough"),)


@pytest.mark.parametrize(
    "commands", [COMMANDS, pytest.param(THOROUGH, marks=pytest.mark.soak)], ids=["all", "thorough"]
)
def test_no_command_asks_anything_of_the_network_or_leaves_anything_to_others(
    commands: tuple[tuple[str, ...], ...], tmp_path: Path
) -> None:
    watch, home = Watch(tmp_path), tmp_path / "home"
    (home / "recipes").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    (home / "recipes").chmod(0o700)
    recipe = home / "recipes" / "glad.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    recipe.chmod(0o600)
    texts = tmp_path / "things.txt"
    texts.write_text("\n".join(f"the sea and the day {number}" for number in range(8)), encoding="utf-8")
    model = write_random_llama(tmp_path / "model.gguf", n_layer=3, n_embd=32, n_vocab=400)
    environment = {**os.environ, **watch.environment, "LOCALSTEER_HOME": str(home)}
    environment["LOCALSTEER_N_THREADS"] = "1"
    environment |= dict.fromkeys(("HOME", "USERPROFILE"), str(tmp_path / "person"))
    umask = {"umask": 0} if os.name == "posix" else {}
    for command in commands:
        given = [{"MODEL": str(model), "TEXTS": str(texts)}.get(word, word) for word in command]
        said = subprocess.run(
            [sys.executable, "-m", "localsteer", *given],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=1800,
            check=False,
            **umask,  # type: ignore[call-overload]
        )
        assert said.returncode in ({0, 1} if command == ("doctor",) else {0}), (command, said.stderr)
        assert watch.calls == [], command
    # Each command, and the engine of those that need one.
    assert len(watch.processes) > len(commands) * 1.5
    if os.name == "posix":
        assert open_to_others(home) == []


@posix
def test_nor_does_a_vector_that_is_made_and_tried_in_the_workshop(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp, gone

    watch, home = Watch(tmp_path), tmp_path / "home"
    environment = {**watch.environment, "HOME": str(tmp_path / "person")}
    with TerminalApp(home, "chat", "-m", "practice", environment=environment, before=lambda: os.umask(0)) as app:
        app.shows("Say something")
        app.until(lambda: app.engines)
        app.press("\x1bh", lambda screen: "Workshop" in screen and "Its opposite" in screen)
        app.press("cheerful", lambda screen: "+ cheerful" in screen)
        app.press("\r", lambda screen: "A dial has two ends" in screen or "opposite" in screen)
        app.press("gloomy", lambda screen: "− gloomy" in screen)
        app.press("\r", lambda screen: "You are gloomy." in screen)
        app.type("\x1bm")
        app.until(lambda: list((home / "vectors").rglob("cheerful.gguf")), 300)
        app.press("\r", lambda screen: "without it" in screen)
        engines = app.engines
        loose = open_to_others(home)
        app.type("\x1b[27u")
        app.type("\x11")
        app.until(lambda: app.process.poll() is not None)
        assert gone(engines)
    assert loose == []
    assert watch.calls == []
    assert watch.processes >= {str(app.process.pid), *(str(engine.pid) for engine in engines)}
