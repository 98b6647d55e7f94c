"""What a sweep has found outlives it, whatever happens to the file."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from localsteer.engine.findings import setting_of
from localsteer.engine.protocol import Finding, SweepBasis, SweepControl, SweepPrompting, SweepRange, SweepRow
from localsteer.errors import StorageError
from localsteer.library.places import Places
from localsteer.library.sweep_journal import SweepJournal, SweepKey

KEY = SweepKey("model", "vector", "recipe", 0, (12, 40, 16, 50), {"localsteer": "0.1.0"})
FINDINGS: tuple[Finding, ...] = (
    SweepBasis(0, 12, 16, 650),
    SweepRow(0, (3, 4), -0.1, 0.25, 0.2, 0.3, 1.5, 0.125),
    SweepRow(0, (3, 4), 1e9, math.nan, math.nan, math.nan, math.inf, math.inf),
    SweepControl(0, (3, 4), 2.0, 1, -0.5, 3.0),
    SweepPrompting(0, 0.84, None),
    SweepRange(0, (3, 4), -1.0, 2.0, 1.5, 1.0, 0.6),
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data", tmp_path / "config", tmp_path / "logs")


@pytest.fixture
def journal(places: Places) -> SweepJournal:
    journal = SweepJournal.at(places, KEY)
    for finding in FINDINGS:
        journal.keep(finding)
    return journal


def test_findings_come_back_as_they_were(journal: SweepJournal, places: Places) -> None:
    again = SweepJournal.at(places, KEY).read()
    assert list(again) == [setting_of(finding) for finding in FINDINGS]
    assert repr(tuple(again.values())) == repr(FINDINGS)  # NaN is not equal to itself


def test_every_line_is_a_json_document(journal: SweepJournal) -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    lines = journal.path.read_text(encoding="utf-8").splitlines()
    assert len([json.loads(line, parse_constant=refuse) for line in lines]) == len(FINDINGS)


@pytest.mark.parametrize(
    "change",
    [
        {"model_id": "another"},
        {"vector_digest": "another"},
        {"recipe_digest": "another"},
        {"seed": 1},
        {"effort": (12, 40, 16, 51)},
        {"versions": {"localsteer": "0.2.0"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_sweep_knows_nothing_of_it(journal: SweepJournal, places: Places, change: dict[str, object]) -> None:
    assert SweepJournal.at(places, replace(KEY, **change)).read() == {}  # type: ignore[arg-type]


def test_a_torn_line_costs_its_own_finding_only(journal: SweepJournal) -> None:
    journal.path.write_bytes(journal.path.read_bytes()[:-20])
    assert len(journal.read()) == len(FINDINGS) - 1
    journal.keep(FINDINGS[-1])
    assert len(journal.read()) == len(FINDINGS)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00\xff\xfe",
        b"null",
        b"[1, 2]",
        b'{"kind": "melody"}',
        b'{"kind": ["row"]}',
        b'{"kind": "row", "layers": [3]}',
        b'{"kind": "basis", "pairs": "many", "replies": 16, "reply_tokens": 1}',
        b'{"kind": "basis", "pairs": true, "replies": 16, "reply_tokens": 1}',
        b'{"kind": "range", "layers": 3, "low": 0, "perplexity_bound": 1, "kl_95_bound": 1, "addition_bound": 1}',
        b'{"kind": "prompting", "positive": "much", "negative": null}',
        b"[" * 100_000,
    ],
)
def test_damaged_lines_are_passed_over(journal: SweepJournal, line: bytes) -> None:
    lines = journal.path.read_bytes().splitlines()
    journal.path.write_bytes(b"\n".join([lines[0], line, *lines[1:]]) + b"\n")
    assert len(journal.read()) == len(FINDINGS)


def test_a_setting_that_was_measured_twice_is_what_was_measured_later(journal: SweepJournal) -> None:
    later = SweepBasis(0, 11, 16, 600)
    journal.keep(later)
    assert journal.read()[("basis",)] == later


def test_what_is_forgotten_is_gone_and_forgetting_nothing_is_no_error(journal: SweepJournal) -> None:
    journal.forget()
    assert journal.read() == {}
    journal.forget()


@pytest.mark.skipif(os.name == "nt", reason="no such modes there")
def test_only_its_owner_can_read_it(journal: SweepJournal) -> None:
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be made"):
        SweepJournal(tmp_path / "file" / "x.jsonl").keep(FINDINGS[0])
