"""Two-choice questions where they lie on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localsteer.errors import RecipeError
from localsteer.library.letter_sets import find_letter_set


def test_a_file_is_a_set_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "power.json"
    path.write_text("[]", encoding="utf-8")
    found = find_letter_set(path)
    assert (found.name, found.train, found.test, found.prompts) == ("power", path, None, ())


def test_a_folder_has_its_parts_by_their_names(tmp_path: Path) -> None:
    for name in ("generate_dataset.json", "test_dataset_ab.json"):
        (tmp_path / name).write_text("[]", encoding="utf-8")
    prompts = {"positive": "Be bold.", "negative": "Be shy."}
    (tmp_path / "prompts.json").write_text(json.dumps(prompts), encoding="utf-8")
    found = find_letter_set(tmp_path)
    assert found.name == tmp_path.name
    assert found.train == tmp_path / "generate_dataset.json"
    assert found.test == tmp_path / "test_dataset_ab.json"
    assert found.prompts == ("Be bold.", "Be shy.")


@pytest.mark.parametrize("written", ["[]", "{", '{"positive": "Be bold."}', '{"positive": "", "negative": "x"}'])
def test_prompts_that_are_none_are_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "generate_dataset.json").write_text("[]", encoding="utf-8")
    (tmp_path / "prompts.json").write_text(written, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"prompts\.json does not name two system prompts"):
        find_letter_set(tmp_path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no file"):
        find_letter_set(tmp_path / "nowhere.json")
    with pytest.raises(RecipeError, match=r"holds no generate_dataset\.json"):
        find_letter_set(tmp_path)
