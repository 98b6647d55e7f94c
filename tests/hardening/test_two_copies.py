"""Two copies of the app on one database: what one does to a conversation that the other shows costs a sentence."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from localsteer.chat.importing import read_conversation_file
from localsteer.chat.schema import STEPS
from localsteer.chat.store import ConversationStore
from localsteer.errors import SettingsError, StorageError
from localsteer.library.files import write_private
from localsteer.library.scenes import Scene, read_scenes
from localsteer.library.scenes_file import save_scene
from localsteer.library.sent_messages import MOST, read_sent, remember_sent
from localsteer.library.settings_file import set_in_file, unset_in_file
from localsteer.library.settings_sources import read_settings
from localsteer.tui.memory import Memory
from localsteer.tui.talk import empty_old
from tests.cli.conftest import ROOT
from tests.hardening.hostile_kinds import places_in

posix = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a thing of Unix")

ENVIRONMENT = {"LOCALSTEER_N_THREADS": "1", "LOCALSTEER_SEED": "3"}


def words(screen: str) -> str:
    return " ".join(screen.replace("█", " ").split())


def answered(screen: str, asked: str) -> bool:
    """Whether a whole reply stands below the question."""
    _, found, after = words(screen).rpartition(asked)
    return bool(found) and "tok/s" in after and "Esc stop" not in after


@posix
def test_one_answers_deletes_and_dies_in_the_conversation_that_the_other_shows(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp, gone

    home = tmp_path / "home"
    environment = {**ENVIRONMENT, "HOME": str(tmp_path)}
    arguments = ("chat", "-m", "practice")
    with (
        TerminalApp(home, *arguments, environment=environment) as one,
        TerminalApp(home, *arguments, environment=environment) as other,
    ):
        for app in (one, other):
            app.shows("Say something")
            app.until(lambda app=app: app.engines)  # type: ignore[misc]
        one.press("Tell me about gardens.\r", lambda screen: answered(screen, "gardens."))
        # The other opens what was said in the first and goes on with it; so does the first, which knows nothing of it.
        other.press("\x0f", lambda screen: "Conversations" in screen and "gardens" in screen)
        other.press("\r", lambda screen: "Conversations" not in screen and answered(screen, "gardens."))
        other.press("Tell me about rain.\r", lambda screen: answered(screen, "rain."))
        one.press("Tell me about trains.\r", lambda screen: answered(screen, "trains."))
        with ConversationStore(home / "conversations.sqlite3") as store:
            (summary,) = store.summaries()
            tree = store.tree(summary.id)
            assert {message.content for message in tree.messages if message.role == "user"} == {
                "Tell me about gardens.",
                "Tell me about rain.",
                "Tell me about trains.",
            }
            assert all(message.content for message in tree.messages)
            # Deleted while the other shows it and says something in it.
            store.delete_conversation(summary.id)
        other.press("Tell me about cooking.\r", lambda screen: "not there any more" in words(screen))
        # The words are not lost: they stand in the input, and can be said in a new conversation.
        other.press("\x0e", lambda screen: "gardens." not in words(screen).rpartition("Dials")[0])
        other.type("\r") if "cooking" in other.screen else other.type("Tell me about cooking.\r")
        other.until(lambda: answered(other.screen, "cooking."))
        # Killed while it writes; the other goes on as if nothing were.
        one.type("\x0e")
        one.type("Tell me about friends.\r")
        one.until(lambda: _said(home, "Tell me about friends."))
        engines = one.engines
        os.kill(one.process.pid, signal.SIGKILL)
        other.press("Tell me about the sea.\r", lambda screen: answered(screen, "the sea."))
        assert gone(engines)
        other.type("\x11")
        assert other.ended() == 0
        assert b"Traceback" not in other.written + one.written
    with ConversationStore(home / "conversations.sqlite3") as store:
        assert store.damage() is None
        assert {one.title for one in store.summaries()} == {"Tell me about cooking.", "Tell me about friends."}


def _said(home: Path, what: str) -> bool:
    with closing(sqlite3.connect(home / "conversations.sqlite3")) as connection:
        found = connection.execute("SELECT count(*) FROM messages WHERE content = ?", (what,)).fetchone()
    return bool(found[0])


def at_once(program: str, *arguments: Sequence[str]) -> list[str]:
    """What ``program`` prints with each of the ``arguments``, in processes that begin together: each says "ready" and
    then waits for a line.
    """
    opened = [
        subprocess.Popen(
            [sys.executable, "-c", program, *one],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in arguments
    ]
    for one in opened:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in opened:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    printed = []
    for one in opened:
        out, err = one.communicate(timeout=120)
        assert one.returncode == 0, err
        printed.append(out)
    return printed


def test_many_open_a_database_of_an_older_version_at_once(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(STEPS[0])
        connection.executemany(
            "INSERT INTO conversations (title, created, updated) VALUES (?, ?, ?)",
            [(f"Talk {number}", number, number) for number in range(500)],
        )
        connection.commit()
        connection.execute("PRAGMA user_version = 1")
    program = (
        "import sys; from pathlib import Path; from localsteer.chat.store import ConversationStore\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with ConversationStore(Path(sys.argv[1])) as store:\n"
        "    store.prepare_search()\n"
        "    print(len(store.summaries(limit=1000)), store.new_conversation('', sys.argv[2]).title)\n"
    )
    for number, out in enumerate(at_once(program, *((str(path), f"New {number}") for number in range(6)))):
        count, _, title = out.strip().partition(" ")
        assert int(count) >= 500
        assert title == f"New {number}"
    with ConversationStore(path) as store:
        assert store.damage() is None
        assert len(store.summaries(limit=1000)) == 506


LOOK = """
import sys
from pathlib import Path
from localsteer.chat.store import ConversationStore
with ConversationStore(Path(sys.argv[1])) as store:
    for title in sys.argv[2:]:
        store.new_conversation(title=title)
    print(*sorted(one.title for one in store.summaries(100)))
"""


def look(path: Path, *new: str) -> list[str]:
    """What another process finds there, which adds conversations of these titles first."""
    command = [sys.executable, "-c", LOOK, str(path), *new]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.split()


def test_what_is_said_after_another_process_has_looked_is_there_for_all(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite3"
    with ConversationStore(path) as store:
        store.new_conversation(title="One")
        # As some time after the start of the app, which empties for good what was deleted long ago.
        empty_old(path)
        with pytest.raises(StorageError, match="using"):
            read_conversation_file(path)
        with pytest.raises(StorageError, match="using"):
            read_conversation_file(path.with_name(f"{path.name}-wal"))
        # The last one that has it open may do away with the files beside it, and this one is not the last.
        assert look(path) == ["One"]
        store.new_conversation(title="Two")
        assert look(path, "Three") == ["One", "Three", "Two"]
        store.new_conversation(title="Four")
        assert sorted(one.title for one in store.summaries(9)) == ["Four", "One", "Three", "Two"]
        assert look(path) == ["Four", "One", "Three", "Two"]
    assert look(path) == ["Four", "One", "Three", "Two"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with pytest.raises(StorageError, match="not UTF-8 text"):
        read_conversation_file(path)


CHANGE = """
import sys
from pathlib import Path
from localsteer.library.places import Places
from localsteer.library.scenes import Scene
from localsteer.library.scenes_file import remove_scene, restore_scene, save_scene
from localsteer.library.sent_messages import read_sent, remember_sent
from localsteer.library.settings_file import set_in_file, unset_in_file
places = Places(*[Path(sys.argv[1])] * 3)
print("ready", flush=True); sys.stdin.readline()
for number in range(12):
    name = f"{sys.argv[2]} {number}"
    save_scene(places, Scene(name))
    restore_scene(places, remove_scene(places, name))
    remember_sent(places, name)
    read_sent(places)
    unset_in_file(places, sys.argv[3])
    set_in_file(places, sys.argv[3], str(600 + number))
"""


def test_of_what_several_change_in_the_files_of_one_home_nothing_is_lost(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    write_private(places.sent_messages, b'"old"\n' * (2 * MOST - 20))
    keys = ("top_k", "max_tokens", "n_ctx")
    at_once(CHANGE, *((str(tmp_path), name, key) for name, key in zip("abc", keys, strict=True)))
    wanted = {f"{name} {number}" for name in "abc" for number in range(12)}
    assert {scene.name for scene in read_scenes(places).scenes} == wanted
    assert set(read_sent(places)) == {*wanted, "old"}
    settings, problems = read_settings(places, environment={})
    assert ([getattr(settings, key) for key in keys], problems) == ([611, 611, 611], ())


def test_who_holds_a_file_for_long_costs_the_others_a_sentence(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    save_scene(places, Scene("mine"))
    hold = (
        "import sys; from pathlib import Path; from localsteer.library.files import changing\n"
        "with changing(Path(sys.argv[1])):\n"
        "    print('ready', flush=True); sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", hold, str(places.scenes)]
    memory = Memory(places)
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        with pytest.raises(StorageError, match="Another localsteer is changing"):
            save_scene(places, Scene("yours"))
        assert [scene.name for scene in read_scenes(places).scenes] == ["mine"]
        # What the app keeps while somebody types waits hardly, and is not lost.
        begun = time.monotonic()
        remember_sent(places, "Hello")
        memory.keep_model("mine.gguf")
        memory.write()
        assert time.monotonic() - begun < 2
        assert read_sent(places) == ("Hello",)
        # Killed in the midst of it, it holds nothing any more.
        holder.kill()
        holder.wait()
        save_scene(places, Scene("yours"))
    assert [scene.name for scene in read_scenes(places).scenes] == ["mine", "yours"]
    memory.write()
    assert Memory(places).last_model == "mine.gguf"


def test_what_changes_nothing_makes_no_folder(tmp_path: Path) -> None:
    places = places_in(tmp_path / "none")
    assert not unset_in_file(places, "top_k")
    with pytest.raises(SettingsError):
        set_in_file(places, "no_such_key", "1")
    assert not places.data.exists()
