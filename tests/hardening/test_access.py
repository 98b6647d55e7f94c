"""What is kept here is its owner's alone; nothing goes over the network, is run, or leaves its folder."""

from __future__ import annotations

import os
import pickle
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from localsteer.engine.pipe import read_message
from localsteer.errors import DownloadError, LocalsteerError, VectorError
from localsteer.library.files import is_safe_name
from localsteer.library.hub_names import check_file, read_hub_name
from localsteer.library.places import Places
from localsteer.library.vectors import VectorLibrary
from localsteer.private import OTHERS, make_private
from localsteer.steering.whole_file import write_whole
from tests.cli.conftest import Run, write_vector
from tests.cli.conftest import engine_process as engine_process
from tests.cli.conftest import home as home
from tests.cli.conftest import localsteer as localsteer
from tests.hardening.watching import Watch
from tests.library.hub_server import Hub, running_hub

ROOM = Path(__file__).parents[2] / "localsteer"
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")

NASTY_NAMES = (
    "../evil",
    "..",
    "/tmp/evil",
    "a/../../evil",
    "C:evil",
    "C:\\evil",
    "..\\evil",
    "evil\0",
    "CON",
    "nul",
    "Com1",
    "lpt9.txt",
    "aux .x",
    "evil.",
    "evil ",
    "x" * 300,
    "漢" * 80,
    "\u202eevil",
)


def open_to_others(folder: Path) -> list[str]:
    return [f"{stat.S_IMODE(path.lstat().st_mode):o} {path}" for path in (folder, *folder.rglob("*"))
            if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & OTHERS]  # fmt: skip


# ---------------------------------------------------------------- whose it is


@posix
def test_the_whole_app_opens_no_socket_and_leaves_nothing_to_others(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp, gone

    watch, home = Watch(tmp_path), tmp_path / "above" / "home"
    environment = {**watch.environment, "HOME": str(tmp_path / "person")}
    with TerminalApp(home, "chat", "-m", "practice", environment=environment, before=lambda: os.umask(0)) as app:
        app.shows("Say something")
        app.until(lambda: app.engines)
        app.type("\x1b[1;3A")  # Alt+Up: the first dial, whose vector is there or made, turned up
        app.type("Tell me about gardens.\r")
        app.until(lambda: (home / "conversations.sqlite3-wal").exists() and _replies(home))
        engines = app.engines
        connections = [
            connection
            for process in (psutil.Process(app.process.pid), *engines)
            for connection in process.net_connections(kind="inet")
        ]
        loose = open_to_others(home.parent)
        app.type("\x11")
        assert app.ended() == 0
        assert gone(engines)
    assert connections == []
    assert loose == []
    assert watch.processes >= {str(app.process.pid), *(str(engine.pid) for engine in engines)}
    assert watch.calls == []


def _replies(home: Path) -> bool:
    import sqlite3

    connection = sqlite3.connect(home / "conversations.sqlite3")
    try:
        (count,) = connection.execute("SELECT count(*) FROM replies WHERE finish_reason IS NOT NULL").fetchone()
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return bool(count)


@posix
def test_no_command_leaves_anything_to_others(localsteer: Run, home: Path, random_bpe_model: Path) -> None:
    import shutil

    before = os.umask(0)
    try:
        shutil.rmtree(home)
        (home.parent / "chat.json").write_text('[{"role": "user", "content": "Hi"}]')
        for command in (
            ("settings", "set", "temperature", "1"),
            ("chats", "import", home.parent / "chat.json"),
            ("chats", "backup", home / "exports" / "backup.sqlite3"),
            ("chats", "export", 1, home / "exports" / "deep" / "chat.html"),
            ("vectors", "import", write_vector_for_any(home.parent)),
            ("vectors", "export", "loose", home / "exports" / "loose.gguf"),
            ("models", "list"),
        ):
            said = localsteer(*command)
            assert said.status == 0, said.err
        with localsteer_store(home):
            assert open_to_others(home) == []
    finally:
        os.umask(before)


def write_vector_for_any(folder: Path) -> Path:
    from localsteer.steering.fit import ModelStamp

    return write_vector(folder / "loose.gguf", ModelStamp(n_embd=8))


def localsteer_store(home: Path) -> Any:
    from localsteer.chat.store import ConversationStore

    return ConversationStore(home / "conversations.sqlite3")


@posix
def test_files_of_ours_that_were_open_to_others_are_closed_again(home: Path, localsteer: Run) -> None:
    with localsteer_store(home) as store:
        store.new_conversation("", "Secret")
        for path in home.glob("conversations*"):
            path.chmod(0o666)
        with localsteer_store(home):
            assert [one for one in open_to_others(home) if "conversations" in one] == []
    (home / "settings.toml").write_text("temperature = 1.0\n")
    (home / "settings.toml").chmod(0o644)
    assert localsteer("settings", "set", "temperature", "0.5").status == 0
    assert not stat.S_IMODE((home / "settings.toml").stat().st_mode) & OTHERS


@posix
def test_every_folder_that_is_made_is_private_not_just_the_last(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private(tmp_path / "a" / "b" / "c")
        with write_whole(tmp_path / "d" / "e" / "file") as beside:
            beside.write_text("x")
    finally:
        os.umask(before)
    assert [one for one in open_to_others(tmp_path) if not one.endswith(str(tmp_path))] == []


# ---------------------------------------------------------------- nothing is run


def test_nothing_is_unpickled_evaluated_or_handed_to_a_shell() -> None:
    forbidden = re.compile(
        r"\b(eval|exec)\(|np\.load\(|numpy\.load|\bmarshal\b|\bshelve\b|shell=True|os\.system|yaml\.load|"
        r"\bimport pickle|from pickle|webbrowser"
    )
    found = [
        str(path.relative_to(ROOM)) for path in ROOM.rglob("*.py") if forbidden.search(path.read_text(encoding="utf-8"))
    ]
    assert found == [str(Path("engine", "pipe.py"))]


@pytest.mark.parametrize(
    "evil",
    [
        b"cos\nsystem\n(S'echo forged'\ntR.",
        b"cbuiltins\neval\n(S'1/0'\ntR.",
        b"clocalsteer.engine.protocol\n__builtins__\n.",
        b"clocalsteer.engine.protocol\nannotations.compiler_flag\n.",
        pickle.dumps(os.system),
        pickle.dumps(Path),
    ],
)
def test_the_engine_cannot_make_the_app_run_anything(evil: bytes) -> None:
    import io
    import struct

    with pytest.raises(Exception, match="no part of the protocol"):
        read_message(io.BytesIO(struct.pack(">I", len(evil)) + evil))


class _Watch:
    events: list[str] | None = None


def _note(event: str, _arguments: Any) -> None:
    if _Watch.events is not None and event in {"exec", "compile", "pickle.find_class", "os.system", "subprocess.Popen"}:
        _Watch.events.append(event)


@pytest.fixture
def run_events() -> Iterator[list[str]]:
    """What was compiled, run or unpickled in this process while this lasts."""
    if not hasattr(_Watch, "hooked"):
        sys.addaudithook(_note)
        _Watch.hooked = True  # type: ignore[attr-defined]
    events: list[str] = []
    yield events
    _Watch.events = None


def test_no_reader_runs_what_it_reads(run_events: list[str], home: Path, localsteer: Run, tmp_path: Path) -> None:
    from tests.hardening.test_text import hostile_home

    paths = hostile_home(home)
    commands = [
        ("models", "list"),
        ("models", "info", paths["model"]),
        ("vectors", "list"),
        ("vectors", "show", paths["vector"]),
        ("chats", "show", 1),
        ("settings",),
    ]
    payload = "__import__('os').system('echo forged')"
    for ending, text in {
        "json": f'{{"messages": [{{"role": "user", "content": "{payload}"}}], "__class__": "{payload}"}}',
        "toml": f'description = "{payload}"\n',
        "txt": payload,
        "npy": "\x93NUMPY" + payload,
        "pkl": "cos\nsystem\n(S'echo forged'\ntR.",
        "gguf": payload,
    }.items():
        (tmp_path / f"evil.{ending}").write_text(text, encoding="utf-8")
        commands += [
            ("chats", "import", tmp_path / f"evil.{ending}"),
            ("extract", tmp_path / f"evil.{ending}"),
            ("vectors", "import", tmp_path / f"evil.{ending}"),
            ("models", "info", tmp_path / f"evil.{ending}"),
        ]
    for command in commands:  # modules are compiled and run when they are first imported
        localsteer(*command)
    _Watch.events = run_events
    for command in commands:
        assert "forged" not in localsteer(*command).out.replace(payload, "")
    _Watch.events = None
    assert run_events == []
    print(f"{len(commands)} commands read hostile files")


# ---------------------------------------------------------------- no name leaves its folder


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_no_name_is_taken_for_a_file_that_is_none_everywhere(name: str) -> None:
    assert not is_safe_name(name)
    if name not in {"\u202eevil", "漢" * 80}:
        with pytest.raises(DownloadError):
            check_file(f"folder/{name}")
    with pytest.raises(DownloadError):
        read_hub_name(f"../{name}")


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_no_vector_is_stored_outside(name: str, tmp_path: Path) -> None:
    places = Places(tmp_path / "home", tmp_path / "home", tmp_path / "home" / "logs")
    library = VectorLibrary.at(places)
    with pytest.raises(VectorError):
        library.path_for(name, "0123456789abcdef")
    assert library.path_for("mood", name) == places.vectors / "any" / "mood.gguf"
    assert library.find("mood", name) is None
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_vector_that_names_another_folder_as_its_model_is_stored_among_the_others(
    localsteer: Run, home: Path, tmp_path: Path
) -> None:
    from localsteer.steering.fit import ModelStamp

    file = write_vector(tmp_path / "evil.gguf", ModelStamp(n_embd=8, model_id="../../outside"))
    assert localsteer("vectors", "import", file).status == 0
    assert [path.relative_to(home) for path in home.rglob("*.gguf")] == [Path("vectors", "any", "evil.gguf")]
    assert not (tmp_path / "outside").exists()


def test_a_hub_cannot_name_a_file_outside_its_cache(tmp_path: Path) -> None:
    from localsteer.library.downloads import download_model

    with running_hub() as hub:
        assert isinstance(hub, Hub)
        hub.files["org/Evil"] = {"../../../../evil.Q8_0.gguf": b"GGUF" + bytes(100)}
        with pytest.raises(LocalsteerError, match="no path in a repository"):
            download_model(read_hub_name("org/Evil:Q8_0"), environment=hub.environment(), home=tmp_path)
    assert not list(tmp_path.rglob("evil*"))


def test_recipes_and_scenes_stay_where_they_belong(localsteer: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.toml").write_text("secret = 1\n")
    for name in ("../../evil", "../evil", str(tmp_path / "evil")):
        assert localsteer("vectors", "show", name).status == 2
        assert localsteer("vectors", "remove", name).status == 2
    assert (tmp_path / "evil.toml").exists()
