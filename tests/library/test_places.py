"""Everything lies where the system wants it, or where LOCALSTEER_HOME says."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from localsteer.errors import StorageError
from localsteer.library.files import is_safe_name, private_folder, write_private
from localsteer.library.places import Places, find_places, packaged_recipes


def every_path(places: Places) -> list[Path]:
    return [
        places.conversations,
        places.vectors,
        places.recipes,
        places.models,
        places.settings,
        places.remembered,
        places.engine_log,
    ]


def test_localsteer_home_overrides_every_place(tmp_path: Path) -> None:
    places = find_places({"LOCALSTEER_HOME": str(tmp_path)})
    assert all(path.is_relative_to(tmp_path) for path in every_path(places))


def test_without_it_the_systems_places_are_taken() -> None:
    assert all(path.is_absolute() and "localsteer" in path.parts for path in every_path(find_places({})))


def test_asking_for_places_creates_nothing(tmp_path: Path) -> None:
    find_places({"LOCALSTEER_HOME": str(tmp_path / "home")})
    assert list(tmp_path.iterdir()) == []


def test_the_packaged_recipes_are_found() -> None:
    assert sorted(packaged_recipes().glob("*.toml"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_folders_and_files_are_for_their_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "home" / "file.json", b"{}")
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "file.json").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here stands a file")
    with pytest.raises(StorageError, match="LOCALSTEER_HOME"):
        private_folder(tmp_path / "file" / "home")


@pytest.mark.parametrize("name", ["mood", "my mood 2", "sea.v2", "Größe", "a" * 100, "mood (2)", "llama+q4-k_m"])
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a..b", "a:b", "x\n", "a" * 101, "-x", "x."]
)
def test_names_that_leave_their_folder_or_break_a_system_are_not(name: str) -> None:
    assert not is_safe_name(name)


def test_the_library_looks_at_the_disk_without_numpy_and_llama_cpp() -> None:
    program = (
        "import sys\n"
        "from localsteer.library import dials, models, places, recipes, remembered, settings, vectors\n"
        "recipes.recipe_cards(places.find_places())\n"
        "vectors.VectorLibrary.at(places.find_places()).all()\n"
        "print([name for name in ('numpy', 'llama_cpp', 'textual') if name in sys.modules])\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_a_home_that_no_folder_can_be_called_is_told() -> None:
    with pytest.raises(StorageError, match="too long"):
        find_places({"LOCALSTEER_HOME": "x" * 5000})
