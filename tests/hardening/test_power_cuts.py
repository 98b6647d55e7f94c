"""What a power cut leaves on the disk: all that was synced, and of what was written since any part, in any order.

The files are those that real work leaves; what a disk may have kept of them is made up here, sector by sector.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localsteer import private, syncing
from localsteer.chat.store import ConversationStore
from localsteer.library import downloads, files
from localsteer.library.files import append_line, write_private
from localsteer.library.hub_names import HubName
from localsteer.steering import whole_file
from tests.hardening.killing import check_database
from tests.hardening.outcomes import tell
from tests.hardening.victims import RECORD, visible
from tests.library.hub_server import running_hub

SECTOR, PAGE = 512, 4096
_WAL_HEADER = 32


# ---------------------------------------------------------------- the database


@dataclass(frozen=True)
class Disk:
    """What is synced when something was acknowledged, and what could then be seen."""

    database: bytes
    log: bytes
    seen: Any


def photographed(path: Path, store: ConversationStore) -> Disk:
    log = path.with_name(f"{path.name}-wal")
    return Disk(path.read_bytes(), log.read_bytes(), visible(store))


def one_step(draw: random.Random, store: ConversationStore, number: int) -> None:
    """Something small or large. Each of these is one transaction, done with one writing to the disk or not at all."""
    talk = store.latest()
    if talk is None:
        store.new_conversation(title="One")
        return
    messages = store.open(talk.id).messages
    words = f"{number} " + "w" * draw.choice((1, 100, 3000, 60_000))
    last = messages[-1] if messages else None
    match draw.randrange(6):
        case 0:
            store.rename(talk.id, f"title {number}")
        case 1 if last is not None and last.role == "assistant":
            store.save_reply(last.id, last.content + words, RECORD)
        case 2 if last is not None and last.role == "user":
            store.add_message(talk.id, "assistant", words, last.id, RECORD)
        case 3 if len(messages) > 4:
            store.delete_message(draw.choice(messages).id)
        case _:
            store.add_message(talk.id, "user", words, last.id if last else None)


def mixed(draw: random.Random, old: bytes, new: bytes, size: int) -> bytes:
    """Each piece of ``size`` bytes as it was or as it was to be; behind the old end nothing may have come at all."""
    share, pieces = draw.random(), []
    for at in range(0, len(new), size):
        before, after = old[at : at + size], new[at : at + size]
        pieces.append(after if draw.random() < share else before.ljust(len(after), b"\0"))
    return b"".join(pieces)[: draw.choice((len(new), len(old), draw.randint(min(len(old), len(new)), len(new))))]


def after_the_cut(draw: random.Random, before: Disk, after: Disk) -> tuple[str, bytes, bytes]:
    """What of the step between these two was being done, and the two files as they may be found then."""
    if before.database != after.database and draw.random() < 0.5:
        # The database takes over what is in the log only when all of that is synced.
        size = draw.choice((SECTOR, PAGE))
        return "taking over from the log", mixed(draw, before.database, after.database, size), after.log
    log = mixed(draw, before.log, after.log, SECTOR)
    if before.log[:_WAL_HEADER] == after.log[:_WAL_HEADER]:
        return "writing the log", before.database, log
    # A log begins anew only when all of the old one is in the database, synced; and its new head is synced before
    # anything else of it is written.
    if draw.random() < 0.2:
        return "beginning the log anew", before.database, before.log
    return "writing a new log", before.database, after.log[:_WAL_HEADER] + log[_WAL_HEADER:]


def _cuts(seeds: range, folder: Path) -> None:
    counts: Counter[str] = Counter()
    for seed in seeds:
        draw, home = random.Random(seed), folder / str(seed)
        path = home / "conversations.sqlite3"
        with ConversationStore(path) as store:
            # As after some megabytes, which nobody waits for here.
            store._connection.execute(f"PRAGMA wal_autocheckpoint = {draw.choice((5, 40, 1000))}")
            store.new_conversation(title="One")
            disks = [photographed(path, store)]
            for number in range(draw.randrange(1, 25)):
                one_step(draw, store, number)
                disks.append(photographed(path, store))
        before, after = disks[-2:]
        counts["steps"] += len(disks) - 1
        kind, database, log = after_the_cut(draw, before, after)
        counts[kind] += 1
        there = home / "after" / path.name
        there.parent.mkdir()
        there.write_bytes(database)
        there.with_name(f"{there.name}-wal").write_bytes(log)
        if draw.random() < 0.5:
            there.with_name(f"{there.name}-shm").write_bytes(draw.randbytes(32_768))
        with ConversationStore(there) as store:
            assert store.damage() is None, f"seed {seed}"
            found = visible(store)
            assert found in (before.seen, after.seen), f"seed {seed}: {kind}"
            counts["the last step is there" if found == after.seen else "all but the last step are there"] += 1
        check_database(there)
    tell(f"{len(seeds)} power cuts of the database: {dict(counts)}")


def test_what_was_acknowledged_outlasts_power_cuts(tmp_path: Path) -> None:
    _cuts(range(10), tmp_path)


@pytest.mark.soak
def test_it_outlasts_very_many(tmp_path: Path) -> None:
    _cuts(range(10, 1010), tmp_path)


def test_every_commit_is_synced(tmp_path: Path) -> None:
    with ConversationStore(tmp_path / "conversations.sqlite3") as store:
        found = {
            name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "fullfsync")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1}


# ---------------------------------------------------------------- files


@contextmanager
def order(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is synced and what takes its name, one after the other; done as ever."""
    done: list[str] = []
    sync, sync_folder, replace = syncing.sync, syncing.sync_folder, os.replace

    def noted_sync(handle: int) -> None:
        sync(handle)
        done.append("file synced")

    def noted_folder(folder: Path) -> None:
        sync_folder(folder)
        done.append(f"{folder.name} synced")

    def noted_replace(source: Path, target: Path) -> None:
        replace(source, target)
        done.append(f"{Path(target).name} named")

    with monkeypatch.context() as patch:
        for module in (whole_file, files, downloads):
            patch.setattr(module, "sync", noted_sync)
            patch.setattr(module, "sync_folder", noted_folder)
        patch.setattr(private, "sync_folder", noted_folder)
        patch.setattr(os, "replace", noted_replace)
        yield done


def test_a_file_is_synced_before_it_takes_its_name_and_the_name_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with order(monkeypatch) as done:
        write_private(tmp_path / "new" / "settings.toml", b"x")
    assert done == [f"{tmp_path.name} synced", "file synced", "settings.toml named", "new synced"]


def test_a_line_is_synced_and_the_name_of_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with order(monkeypatch) as done:
        append_line(tmp_path / "sent.jsonl", b"1")
        append_line(tmp_path / "sent.jsonl", b"2")
    assert done == ["file synced", f"{tmp_path.name} synced", "file synced"]
    assert (tmp_path / "sent.jsonl").read_bytes() == b"1\n2\n"


def test_a_download_is_synced_before_it_counts_as_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_hub() as hub:
        hub.files["org/tiny"] = {"tiny.Q4_K_M.gguf": bytes(300_000)}
        with order(monkeypatch) as done:
            path = downloads.download_model(
                HubName("org/tiny", "tiny.Q4_K_M.gguf"), environment=hub.environment(), home=tmp_path
            )
    assert path.read_bytes() == bytes(300_000)
    blob = path.resolve().name
    assert done[:3] == ["file synced", f"{blob} named", "blobs synced"]
