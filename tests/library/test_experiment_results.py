"""Results that are kept: found again by all they depend on, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.library.experiment_results import ExperimentResults, KeptResults

KEY = {"model": "id", "command": "LetterExperiment(…)", "files": {"a.json": "0123"}}
FOUND = KeptResults((("letters", {"set": "mood", "at_plus": 0.8, "prompted": None}),), {"controls": 5})


def test_what_is_kept_is_found_by_the_same_key_alone(tmp_path: Path) -> None:
    store = ExperimentResults(tmp_path / "experiments")
    assert store.find(KEY) is None
    store.keep(KEY, FOUND)
    assert ExperimentResults(tmp_path / "experiments").find(dict(reversed(KEY.items()))) == FOUND
    assert store.find({**KEY, "model": "another"}) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"rows": [1], "facts": {}}', '{"rows": [], "facts": 1}', "\xff"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    store = ExperimentResults(tmp_path)
    store.keep(KEY, FOUND)
    (path,) = tmp_path.glob("*.json")
    path.write_text(content, encoding="latin-1")
    assert store.find(KEY) is None
    store.keep(KEY, FOUND)
    assert store.find(KEY) == FOUND


def test_a_folder_that_cannot_be_made_is_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = ExperimentResults(tmp_path / "file" / "below")
    store.keep(KEY, FOUND)
    assert store.find(KEY) is None
