"""Killed at any moment: what was said to be done is there, nothing half-written is taken for whole, nobody stays."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from localsteer.chat.schema import STEPS, statements
from localsteer.chat.store import ConversationStore
from localsteer.library.files import write_private
from localsteer.library.remembered import read_remembered
from localsteer.library.scenes import read_scenes
from localsteer.library.sent_messages import read_sent
from localsteer.library.settings_sources import read_settings
from localsteer.steering.recipes import read_recipe
from localsteer.steering.vector_file import load_vector
from tests.hardening.killing import Victim, check_database, ended, leftovers, make_old, wait_a_little
from tests.hardening.victims import places_of, visible
from tests.library.hub_server import running_hub

FEW = 2
"""Kills of each of the cheapest kinds in the ordinary run."""


def many(few: int, soaked: int) -> pytest.MarkDecorator:
    """So many kills in the ordinary run, and so many in the long one."""
    return pytest.mark.parametrize("kills", [few, pytest.param(soaked, marks=pytest.mark.soak)])


def told(kind: str, kills: int, more: str = "") -> None:
    """The count, for whoever runs it with -s."""
    sys.stdout.write(f"\n{kind}: {kills} kills{f', {more}' if more else ''}\n")


# ---------------------------------------------------------------- conversations


@many(FEW, 60)
def test_what_was_done_to_messages_survives(kills: int, tmp_path: Path) -> None:
    draw, in_the_midst = random.Random(1), 0
    path = places_of(tmp_path).conversations
    for kill in range(kills):
        victim = Victim("editing", tmp_path, kill)
        victim.until("ready")
        wait_a_little(draw, 0.5)
        said = victim.kill()
        assert "Traceback" not in victim.errors()
        check_database(path)
        acknowledged = [one for one in said if one["what"] in ("ready", "done")][-1]["visible"]
        with ConversationStore(path) as store:
            assert store.damage() is None
            now = visible(store)
            if said[-1]["what"] == "doing":
                in_the_midst += 1
            else:
                assert now == acknowledged
        check_every_message(path, said)
    told("editing messages", kills, f"{in_the_midst} in the midst of something")


def check_every_message(path: Path, said: list[dict[str, Any]]) -> None:
    """Every message that was ever acknowledged is in the file, with its words."""
    with closing(sqlite3.connect(path)) as connection:
        kept = dict(connection.execute("SELECT id, content FROM messages"))
    for one in said:
        for _, messages in one.get("visible", ()):
            for message_id, content, _ in messages:
                assert kept[message_id].startswith(content)


@many(FEW, 50)
def test_a_database_is_brought_up_to_date_or_stays_as_it_was(kills: int, tmp_path: Path) -> None:
    draw, versions = random.Random(2), []
    for kill in range(kills):
        home = tmp_path / str(kill)
        home.mkdir()
        paths = [home / f"old{number}.sqlite3" for number in range(8)]
        for path in paths:
            write_old(path, messages=300)
        victim = Victim("migrating", home, kill)
        victim.until("doing", draw.randrange(1, 6))
        wait_a_little(draw, 0.03)
        said = victim.kill()
        done = {one["path"] for one in said if one["what"] == "done"}
        for path in paths:
            check_database(path)
            with closing(sqlite3.connect(path)) as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                assert 1 <= version <= len(STEPS)
                assert version == len(STEPS) or path.name not in done
            with ConversationStore(path) as store:
                assert [one.message_count for one in store.summaries()] == [300]
                assert len(store.search("word299")) == 1
                assert store.damage() is None
        versions.append(len(done))
    told("migrating", kills, f"{sum(versions)} databases were done before")


def write_old(path: Path, *, messages: int) -> None:
    """A database as the first version of its schema was, with one long conversation."""
    with sqlite3.connect(path) as connection:
        for statement in statements(STEPS[0]):
            connection.execute(statement)
        connection.execute("INSERT INTO conversations (id, title, created, updated) VALUES (1, 'Old', 1, 1)")
        connection.executemany(
            "INSERT INTO messages (id, conversation_id, parent_id, role, content, created) "
            "VALUES (?, 1, ?, 'user', ?, 1)",
            [(one + 1, one or None, f"word{one} and others") for one in range(messages)],
        )
        connection.execute("UPDATE conversations SET leaf_id = ?", (messages,))
        connection.execute("PRAGMA user_version = 1")
    connection.close()


# ---------------------------------------------------------------- files


@many(FEW, 60)
def test_files_are_whole_and_what_was_said_to_be_written_is_there(kills: int, tmp_path: Path) -> None:
    draw = random.Random(3)
    last: dict[str, int] = {}
    sent: list[str] = []
    journal: list[int] = []
    scenes: dict[str, str] = {}
    imported = in_the_midst = 0
    for kill in range(kills):
        victim = Victim("keeping", tmp_path, kill + 1)
        victim.until("ready")
        wait_a_little(draw, 0.6)
        said = victim.kill()
        assert "Traceback" not in victim.errors()
        half = said[-1] if said[-1]["what"] == "doing" else {}
        in_the_midst += bool(half)
        imported = next(one for one in said if one["what"] == "ready")["conversations"]
        for one in said:
            if one["what"] == "done":
                last[one["kind"]] = one["value"]
                sent += [f"sent {one['value']}"] if one["kind"] == "sent" else []
                journal += [one["value"]] if one["kind"] == "journal" else []
                imported += one["kind"] == "import"
                if one["kind"] == "scenes":
                    scenes[f"s{one['value'] % 7}"] = str(one["value"])
        check_files(tmp_path, last, half, sent, journal, scenes, imported)
    left = leftovers(tmp_path)
    make_old(left)
    for folder in {path.parent for path in left}:
        write_private(folder / "another.txt", b"")
    assert leftovers(tmp_path) == []
    told("settings, scenes, recipes, vectors, imports, backups", kills, f"{in_the_midst} in the midst of a write")
    told("of those leaving a file beside", len(left))


def check_files(
    home: Path,
    last: dict[str, int],
    half: dict[str, Any],
    sent: list[str],
    journal: list[int],
    scenes: dict[str, str],
    imported: int,
) -> None:
    """Each holds what was acknowledged last, or what was being written."""
    places = places_of(home)

    def either(kind: str, found: object) -> None:
        wanted = {last.get(kind)} | ({half["value"]} if half.get("kind") == kind else set())
        assert found in wanted, f"{kind}: {found} and not {wanted}"
        if isinstance(found, int):
            last[kind] = found

    settings, problems = read_settings(places)
    assert problems == ()
    either("settings", settings.seed)
    found = read_scenes(places)
    assert found.problems == ()
    now = {scene.name: scene.system_prompt for scene in found.scenes}
    if half.get("kind") == "scenes":
        name = f"s{half['value'] % 7}"
        assert now.get(name) in (scenes.get(name), str(half["value"]))
        if name in now:
            scenes[name] = now[name] or ""
    assert now == scenes
    model = read_remembered(places).last_model
    either("remembered", None if model is None else int(model[1 : len(model) // 200]))
    kept = [one for one in read_sent(places) if one in sent]
    assert kept == sent[len(sent) - len(kept) :]
    assert len(kept) == len(sent) or len(kept) > 400
    lines = (home / "journal.jsonl").read_bytes().splitlines() if (home / "journal.jsonl").exists() else []
    whole = [int(line) for line in lines if line.isdigit()]
    assert set(journal) <= set(whole)
    recipe = places.recipes / "r.toml"
    if recipe.exists():
        pair = read_recipe(recipe).pairs[0].positive
        either("recipe", int(str(pair).removeprefix("I am ").removesuffix(".")))
    if (home / "v.gguf").exists():
        either("vector", int(load_vector(home / "v.gguf").directions[2][0]))
    if (home / "out.json").exists():
        assert len(json.loads((home / "out.json").read_bytes())["messages"]) == 200
    if (home / "backup.sqlite3").exists():
        check_database(home / "backup.sqlite3")
        with ConversationStore(home / "backup.sqlite3") as store:
            assert store.summaries(1)[0].message_count == 200
    check_database(places.conversations)
    with ConversationStore(places.conversations) as store:
        summaries = store.summaries(100_000)
        assert imported <= len(summaries) <= imported + (half.get("kind") == "import")
        assert {one.message_count for one in summaries} == {200}


# ---------------------------------------------------------------- downloads


@many(1, 40)
def test_a_download_goes_on_and_is_whole_when_it_has_a_name(kills: int, tmp_path: Path) -> None:
    draw, models = random.Random(4), 16 if kills > 1 else 2
    block = draw.randbytes(12_000_000 if kills > 1 else 1_000_000)
    contents = {f"model-{number}.gguf": bytes([number]) + block for number in range(models)}
    with running_hub() as hub:
        hub.files["org/models"] = contents
        cache = tmp_path / "hub"
        environment = hub.environment(HF_HUB_CACHE=str(cache), HF_HOME=str(tmp_path / "home"))
        for kill in range(kills):
            victim = Victim("downloading", tmp_path, kill, str(models), environment=environment)
            asked_before = len(hub.bodies_asked_for())
            victim.until("doing")
            if kill % 4 == 3:
                wait_a_little(draw, 0.8)
            else:  # in the midst of what comes
                end = time.monotonic() + 5
                while len(hub.bodies_asked_for()) == asked_before and time.monotonic() < end:
                    time.sleep(0.001)
                time.sleep(0.1 * draw.random())
            said = victim.kill()
            assert "Traceback" not in victim.errors()
            for one in said:
                if one["what"] == "done":
                    assert digest(Path(one["path"]).read_bytes()) == digest(contents[one["name"]])
            for pointer in cache.glob("models--*/snapshots/*/*.gguf"):
                assert pointer.stat().st_size == len(contents[pointer.name])
            for reference in cache.glob("models--*/refs/main"):
                assert len(reference.read_text(encoding="ascii")) == 40
        resumed = sum(given != "" for given in hub.bodies_asked_for())
        assert resumed or kills == 1, "no kill came while something was on its way"
        victim = Victim("downloading", tmp_path, 0, str(models), environment=environment)
        victim.until("done", models)
        victim.kill()
    assert list(cache.glob("models--*/blobs/*.incomplete")) == []
    told("downloading", kills, f"{resumed} times gone on in the middle, {models} models whole")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# ---------------------------------------------------------------- the engine


PHASES = ("load", "extract", "measuring", "reply")


@pytest.mark.parametrize(
    "phase", [pytest.param(one, marks=() if one == "reply" else pytest.mark.soak) for one in PHASES]
)
@many(1, 24)
def test_no_engine_outlives_its_parent_and_no_vector_is_half_there(kills: int, phase: str, tmp_path: Path) -> None:
    draw = random.Random(phase)
    counts = {"parent": 0, "engine": 0, "both": 0}
    for kill in range(kills):
        home = tmp_path / str(kill)
        home.mkdir()
        victim = Victim("extracting", home, kill, phase)
        engine = victim.until("engine")["pid"]
        if phase == "load":
            wait_a_little(draw, 0.8)
        else:
            victim.until("reply" if phase == "reply" else "stage", draw.randrange(1, 3) if phase == "extract" else 1)
            wait_a_little(draw, 1.0)
        whom = ("parent", "engine", "both")[kill % 3]
        counts[whom] += 1
        if whom != "parent":
            psutil.Process(engine).kill()
        if whom == "engine":
            victim.until("died")
            again = victim.until("engine", 2)["pid"]
            victim.until("load", 2)
            wait_a_little(draw, 0.5)
            victim.kill()
            assert ended(again)
        else:
            victim.kill()
        assert ended(engine)
        check_vectors(home, victim.said)
    told(f"the engine ({phase})", kills, str(counts))


def check_vectors(home: Path, said: list[dict[str, Any]]) -> None:
    """Every vector that has a name can be read whole, and those that were said to be made have one."""
    for path in home.glob("*.gguf"):
        assert load_vector(path).directions
    for one in said:
        assert one["what"] != "done" or Path(one["path"]).exists()
        assert one["what"] != "failed", one
    assert len(leftovers(home)) <= 1
