"""Inputs bred by what they reach: some seconds for each kind of what ``python -m tests.hardening.coverage_guided`` does
for as long as one likes. Where atheris is not to be had, ``test_hostile_files.py`` tries the same kinds by chance.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hardening.coverage_guided import bred
from tests.hardening.every_kind import NAMES
from tests.hardening.outcomes import tell

pytest.importorskip("atheris")
pytestmark = pytest.mark.soak
SECONDS = 10


@pytest.mark.parametrize("kind", [*NAMES, "database"])
def test_what_is_bred_works_or_costs_one_sentence(kind: str, tmp_path: Path) -> None:
    found = bred(kind, SECONDS, tmp_path)
    tell(str(found))
    assert found.executions
    assert not found.findings


def test_what_chance_would_not_find_is_found(tmp_path: Path) -> None:
    found = bred("planted", 4 * SECONDS, tmp_path)
    tell(f"planted: {found.executions:,} inputs")
    assert len(found.findings) == 1
    assert "KeyError: 'planted'" in found.findings[0]
