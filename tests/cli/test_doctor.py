"""``doctor`` finds what is wrong, says in one sentence what to do, and by its status whether all is well."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from localsteer.chat.schema import STEPS
from localsteer.chat.store import ConversationStore
from localsteer.cli import doctor_files, doctor_machine
from localsteer.cli.findings import Finding
from localsteer.engine import machine
from localsteer.engine.machine import cores, lost_engines
from localsteer.library.places import Places, find_places
from localsteer.library.settings import Settings
from localsteer.library.settings_sources import find_settings
from localsteer.steering.fit import ModelStamp
from localsteer.steering.whole_file import write_whole
from tests.cli.conftest import ROOT, Run, write_vector

posix = pytest.mark.skipif(os.name != "posix", reason="a thing of POSIX")


@pytest.fixture
def places(home: Path) -> Places:
    return find_places()


def said(findings: Iterable[Finding], state: str = "problem") -> str:
    return "\n".join(f"{one.what}: {one.said}" for one in findings if one.state == state)


def make_old(path: Path, days: float = 40) -> Path:
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


# ---------------------------------------------------------------- the command


def test_where_all_is_well_the_status_is_0(localsteer: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.chmod(0o700)
    # What others run on this machine is not this test's business.
    monkeypatch.setattr(doctor_machine, "lost_engines", tuple)
    report = localsteer("doctor")
    assert report.status == 0, report.out
    assert "✗" not in report.out
    findings = localsteer("doctor", "--json").document["findings"]
    assert {"system", "processor", "memory", "llama.cpp", "threads", "data", "recipes", "practice model"} <= {
        one["what"] for one in findings
    }


def test_where_something_is_wrong_it_is_1_and_every_problem_is_one_sentence(
    localsteer: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "recipes" / "broken.toml").write_text("poles = {")
    (home / "settings.toml").write_text("n_threads = 0\ntemperature = \n")
    (home / "conversations.sqlite3").write_bytes(b"no database" * 1000)
    for name in ("settings.toml", "conversations.sqlite3"):
        (home / name).chmod(0o600)
    monkeypatch.setattr(doctor_machine, "lost_engines", tuple)
    report = localsteer("doctor")
    assert report.status == 1
    problems = [line for line in report.out.splitlines() if line.startswith("✗")]
    assert len(problems) == 3
    assert all(line.rstrip().endswith(".") for line in problems), problems
    assert "localsteer chats rescue OUT" in report.out


# ---------------------------------------------------------------- the machine


def test_a_library_that_does_not_load_is_explained(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libllama.so", "libllama.dylib", "llama.dll"):
        (tmp_path / name).write_text("this is no library")
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(tmp_path))
    problem = said(doctor_machine.look_at_llama_cpp(Settings()))
    assert "native library does not load" in problem
    assert "pip install --force-reinstall" in problem


@posix
def test_one_that_was_built_for_another_processor_does_not_take_the_doctor_along(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llama_cpp.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert "built for another processor; build it on this one" in said(doctor_machine.look_at_llama_cpp(Settings()))


def test_a_missing_compiler_is_told_where_llama_cpp_has_to_be_built(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    problems = said(doctor_machine.look_at_llama_cpp(Settings())).splitlines()
    assert [one.partition(":")[0] for one in problems] == ["llama.cpp", "compiler"]
    assert "no C++ compiler here" in problems[1]
    compiler = tmp_path / ("my-c++.exe" if sys.platform == "win32" else "my-c++")
    compiler.touch(mode=0o700)
    monkeypatch.setenv("CXX", "my-c++ -O3")
    assert "compiler:" not in said(doctor_machine.look_at_llama_cpp(Settings()))


def test_one_that_never_finishes_loading_does_not_keep_the_doctor(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llama_cpp.py").write_text("import time; time.sleep(600)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    monkeypatch.setattr(machine, "_SECONDS", 1.0)
    problem = said(doctor_machine.look_at_llama_cpp(Settings()))
    assert "has not loaded after 1 seconds; install it again: `pip install" in problem
    assert "\n" not in problem


def test_where_no_process_can_be_started_it_says_so(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    problem = said(doctor_machine.look_at_llama_cpp(Settings()))
    assert "no process can be started to load it: " in problem
    assert "\n" not in problem


@pytest.mark.parametrize(("threads", "wrong"), [(cores() + 1, True), (cores(), False), (None, False)])
def test_more_threads_than_processors(threads: int | None, wrong: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    build = type("Build", (), {"binding_version": "1", "features": ("AVX2",), "gpu": True, "threads": 1})
    monkeypatch.setattr(doctor_machine, "inspect_build", build)
    problem = said(doctor_machine.look_at_llama_cpp(Settings(n_threads=threads)))
    assert ("localsteer settings unset n_threads" in problem) == wrong


@pytest.mark.parametrize("line", ["n_threads = 0", "n_threads = -2", "n_thread = 2", "n_threads = ", 'n_ctx = "big"'])
def test_settings_that_cannot_be(line: str, places: Places) -> None:
    places.settings.write_text(f"{line}\n", encoding="utf-8")
    found = find_settings(places)
    problem = said(doctor_files.look_at_settings(places, found.problems))
    assert "localsteer settings edit" in problem
    assert problem.count("\n") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="finds its own orphans elsewhere, too, but makes them here")
def test_an_engine_that_goes_on_without_its_app_is_found(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    program = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()', "
        "'localsteer.engine.worker'], stdin=int(sys.argv[1]), stdout=subprocess.DEVNULL, "
        "stderr=subprocess.DEVNULL, start_new_session=True); "
        "print(child.pid)"
    )
    command = [sys.executable, "-c", program, str(reader)]
    done = subprocess.run(command, capture_output=True, pass_fds=[reader], check=True, timeout=60)
    os.close(reader)
    orphan = int(done.stdout)
    try:
        deadline = time.monotonic() + 30
        while orphan not in lost_engines():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert f"kill -9 {orphan}" in said(doctor_machine.look_at_processes())
    finally:
        os.kill(orphan, signal.SIGKILL)
        os.close(writer)


@posix
@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"TERM": "xterm-256color"}, "✓  terminal"),
        ({"TERM": "dumb"}, "TERM is dumb"),
        ({"TERM": "vt100"}, "vt100 has no colours"),
        ({"TERM": "xterm", "PYTHONIOENCODING": "latin-1"}, "not UTF-8; set LANG"),
    ],
)
def test_the_terminal(environment: dict[str, str], says: str, tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    program = (
        "from localsteer.cli.doctor_machine import look_at_terminal\n"
        "for one in look_at_terminal(): print({'ok': '✓', 'problem': 'x', 'note': '-'}[one.state].encode("
        "'utf-8', 'replace').decode('utf-8') if one.state == 'ok' else '', ' ' + one.what + ' ' + one.said)"
    )
    with TerminalApp(tmp_path, environment=environment, program=("-c", program)) as terminal:
        terminal.ended()
        terminal.until(lambda: b"terminal" in terminal.written)
        written = " ".join(terminal.written.decode("utf-8", "replace").split())
    assert " ".join(says.split()) in written


# ---------------------------------------------------------------- files


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    places = Places(tmp_path / "file" / "home", tmp_path / "file" / "home", tmp_path / "logs")
    assert "is a file; move it away" in said(doctor_files.look_at_places(places))


@posix
def test_a_link_to_a_folder_that_is_gone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.symlink_to(tmp_path / "gone")
    assert f"{home} is a link to what is not there" in said(
        doctor_files.look_at_places(Places(home, home, home / "logs"))
    )
    places = Places(tmp_path, tmp_path, tmp_path / "logs")
    places.conversations.symlink_to(tmp_path / "gone" / "file")
    assert "no such file" in said(doctor_files.look_at_conversations(places))


def test_a_disk_without_room(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(places.data)
    monkeypatch.setattr(doctor_files, "_LITTLE_SPACE", usage.free * 2)
    assert "make room" in said(doctor_files.look_at_places(places))


@posix
def test_what_others_can_read(places: Places) -> None:
    places.data.chmod(0o700)
    assert list(doctor_files.look_at_rights(places)) == []
    places.sent_messages.write_text("")
    places.sent_messages.chmod(0o644)
    places.data.chmod(0o755)
    assert "chmod go-rwx" in said(doctor_files.look_at_rights(places))
    assert "chmod 700" in said(doctor_files.look_at_rights(places), "note")


@posix
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may write everything")
def test_what_cannot_be_written(places: Places) -> None:
    places.sent_messages.write_text("")
    places.sent_messages.chmod(0o400)
    assert "cannot be written" in said(doctor_files.look_at_rights(places))


@pytest.mark.parametrize("damage", ["text", "page", "newer", "none", "empty"])
def test_conversations_in_every_state_and_none_of_them_touched(damage: str, places: Places) -> None:
    path = places.conversations
    with ConversationStore(path) as store:
        talk = store.new_conversation("", "One")
        parent = None
        for number in range(60):
            parent = store.add_message(talk.id, "user", f"{number} " + "words " * 100, parent).id
        if damage == "newer":
            store._connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
        store.backup(places.data / "copy")
    (places.data / "copy").replace(path)
    content = path.read_bytes()
    match damage:
        case "text":
            path.write_bytes(b"not a database " * 500)
        case "page":
            noise = random.Random(0).randbytes(20 * 4096)
            path.write_bytes(content[: 12 * 4096] + noise + content[32 * 4096 :])
        case "empty":
            path.write_bytes(b"")
    before = path.read_bytes()
    findings = list(doctor_files.look_at_conversations(places))
    expected = {"text": "chats rescue OUT", "page": "chats rescue OUT", "newer": "newer localsteer"}
    assert expected.get(damage, "") in said(findings)
    assert bool(said(findings)) == (damage in expected)
    assert path.read_bytes() == before


def test_vectors_whose_recipe_or_model_is_gone_and_broken_ones(places: Places) -> None:
    folder = places.vectors / "0123456789abcdef"
    folder.mkdir(parents=True)
    write_vector(folder / "lonely.gguf", ModelStamp(n_embd=8))
    (folder / "broken.gguf").write_bytes(b"GGUF" + bytes(3))
    findings = list(doctor_files.look_at_vectors(places, Settings()))
    assert "broken" in said(findings)
    assert "the model of lonely is gone" in said(findings, "note")


def beside(path: Path) -> Path:
    """What a process that is killed while it writes ``path`` would leave."""
    with write_whole(path) as unfinished:
        pass
    path.unlink()
    return unfinished


def test_what_a_killed_process_left_lying(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    blobs = tmp_path / "hub" / "models--org--repo" / "blobs"
    blobs.mkdir(parents=True)
    places.sweeps.mkdir(parents=True)
    (tmp_path / "temporary").mkdir()
    fresh = [beside(places.data / "new.gguf"), blobs / "new.incomplete", places.sweeps / "new.jsonl"]
    old = [beside(places.data / "old.gguf"), blobs / "old.incomplete", places.sweeps / "old.jsonl"]
    for path in (*fresh, *old):
        path.write_bytes(b"half")
    (tmp_path / "temporary" / "localsteer-x").mkdir()
    assert list(doctor_files.look_at_left_overs(places)) == []
    for path in (*old, tmp_path / "temporary" / "localsteer-x"):
        make_old(path)
    found = said(doctor_files.look_at_left_overs(places), "note")
    assert found.count("\n") == 3
    for path in (*old, tmp_path / "temporary" / "localsteer-x"):
        assert str(path) in found
    assert "new" not in found.replace(str(tmp_path), "")
