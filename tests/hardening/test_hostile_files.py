"""Every kind of file of strangers, spoilt in every way that seeds come to: it works, or it costs one clear sentence.

A small share of the seeds runs with all other tests; ``pytest -m soak tests/hardening`` runs the rest, in some minutes.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.hardening.every_kind import NAMES, kind_named
from tests.hardening.hostile_databases import sound_database, spoilt_database, use
from tests.hardening.hostile_kinds import Kind
from tests.hardening.outcomes import Outcomes

QUICK = 8
_SOAK = {"settings": 600, "scenes": 800, "model GGUF": 3000, "vector GGUF": 3000, "recipe": 1600, "contrast JSON": 2600}


@pytest.fixture
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """The kind of the name that the test asks for."""
    return kind_named(request.param, tmp_path)


def _tried(kind: Kind, seeds: range, folder: Path) -> Outcomes:
    outcomes = Outcomes()
    path = folder / "spoilt" / kind.file
    path.parent.mkdir()
    for seed in seeds:
        path.write_bytes(kind.spoilt(random.Random(f"{kind.name} {seed}")))
        for number, one in enumerate(kind.uses):
            watched = [path] if kind.read_only else []
            outcomes.case(kind.name, f"{seed}, use {number}", lambda one=one: one(path), *watched)  # type: ignore[misc]
    outcomes.report()
    return outcomes


@pytest.mark.parametrize("kind", NAMES, indirect=True)
def test_a_spoilt_file_works_or_costs_one_sentence(kind: Kind, tmp_path: Path) -> None:
    assert _tried(kind, range(QUICK), tmp_path).counts


@pytest.mark.soak
@pytest.mark.parametrize("kind", NAMES, indirect=True)
def test_so_do_very_many(kind: Kind, tmp_path: Path) -> None:
    count = _SOAK.get(kind.name, 1500)
    outcomes = _tried(kind, range(QUICK, QUICK + count), tmp_path)
    assert sum(outcomes.counts.values()) == count * len(kind.uses)


def _databases(seeds: range, folder: Path) -> Outcomes:
    outcomes = Outcomes()
    sound = sound_database(folder / "sound.sqlite3")
    for seed in seeds:
        own = folder / str(seed)
        own.mkdir()
        path = own / "conversations.sqlite3"
        path.write_bytes(spoilt_database(random.Random(seed), sound, own))
        outcomes.case("database", seed, lambda path=path: use(path))  # type: ignore[misc]
    outcomes.report()
    return outcomes


def test_so_does_a_spoilt_database(tmp_path: Path) -> None:
    assert _databases(range(QUICK), tmp_path).counts


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
def test_so_do_very_many_databases(part: int, tmp_path: Path) -> None:
    begin = QUICK + 100 * part
    assert sum(_databases(range(begin, begin + 100), tmp_path).counts.values()) == 100
