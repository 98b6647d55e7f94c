"""``vectors``, ``models``, ``paths``: what is on this disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest

from localsteer.steering.fit import ModelStamp
from tests.cli.conftest import Run, stamp, write_vector


def test_an_imported_vector_is_listed_shown_exported_and_removed(
    localsteer: Run, random_bpe_model: Path, tmp_path: Path
) -> None:
    file = write_vector(tmp_path / "mood.gguf", stamp(random_bpe_model))
    assert localsteer("vectors", "import", file).status == 0
    (listed,) = localsteer("vectors", "list", "--json").document["vectors"]
    assert (listed["name"], listed["positive"], listed["negative"]) == ("mood", "happy", "sad")
    assert listed["model"] == stamp(random_bpe_model).name
    card = localsteer("vectors", "show", "mood").out
    for fact in ("sad ↔ happy", "-2.00 to +2.00", "4 layers, 64 wide", "*2"):
        assert fact in card
    assert localsteer("vectors", "export", "mood", tmp_path / "copy.gguf").status == 0
    assert localsteer("vectors", "show", tmp_path / "copy.gguf", "--json").document["default_layers"] == [2]
    assert localsteer("vectors", "remove", "mood").status == 0
    assert localsteer("vectors", "list", "--json").document["vectors"] == []


def test_a_vector_that_is_one_layer_late_is_moved_on_import(localsteer: Run, tmp_path: Path) -> None:
    file = write_vector(tmp_path / "late.gguf", ModelStamp(n_embd=8), layer=3)
    assert localsteer("vectors", "import", file, "--layer-offset", -1).status == 0
    assert localsteer("vectors", "show", "late", "--json").document["default_layers"] == [2]


@pytest.mark.parametrize(
    ("tool", "metadata", "layers", "kept"),
    [
        ("llama-cvector-generator", {"controlvector.layer_count": np.int32(3)}, (1, 2, 3), (1, 2)),
        ("jukofyork's control-vectors", {"controlvector.layer_count": np.uint32(8)}, (2, 3, 4), (1, 2, 3)),
        ("repeng", {"controlvector.layer_count": np.uint32(3)}, (3, 4, 5), (3, 4, 5)),
        ("EasySteer", {"controlvector.method": "diffmean"}, (0, 1, 2), (1, 2)),
    ],
)
def test_the_tool_that_wrote_a_vector_is_recognised(
    localsteer: Run,
    tmp_path: Path,
    tool: str,
    metadata: dict[str, object],
    layers: tuple[int, ...],
    kept: tuple[int, ...],
) -> None:
    file = write_foreign_vector(tmp_path / "theirs.gguf", metadata, layers)
    said = localsteer("vectors", "import", file)
    assert said.status == 0
    assert f"Written by {tool}" in said.err
    assert ("layer 0, which cannot be steered" in said.err) is (0 in layers)
    assert localsteer("vectors", "show", "theirs", "--json").document["default_layers"] == list(kept)


def test_a_vector_that_is_too_wide_for_the_present_model_is_kept_and_that_is_said(
    localsteer: Run, tmp_path: Path
) -> None:
    metadata: dict[str, object] = {"controlvector.model_hint": "qwen2.5", "controlvector.method": "diffmean"}
    said = localsteer("vectors", "import", write_foreign_vector(tmp_path / "theirs.gguf", metadata, (0, 1)))
    assert said.status == 0
    assert "cannot be used on practice model" in said.err
    assert "made for a qwen2.5 model 8 wide" in said.err
    assert "8 wide, kept for any qwen2.5 model 8 wide" in said.out
    assert "any qwen2.5 model 8 wide" in localsteer("vectors", "list").out
    assert "was made for a qwen2.5 model" in localsteer("say", "Hi", "--dial", "theirs=1").err


def test_a_vector_that_shows_no_tool_is_taken_as_it_is_and_that_is_said(localsteer: Run, tmp_path: Path) -> None:
    file = write_foreign_vector(tmp_path / "theirs.gguf", {}, (1, 2))
    said = localsteer("vectors", "import", file)
    assert "does not say which tool wrote it" in said.err
    assert localsteer("vectors", "show", "theirs", "--json").document["default_layers"] == [1, 2]


def write_foreign_vector(path: Path, metadata: dict[str, object], layers: tuple[int, ...]) -> Path:
    """A control vector without anything of ours; NumPy integers become GGUF's of the same kind."""
    writer = gguf.GGUFWriter(path, "controlvector")
    for key, value in metadata.items():
        if isinstance(value, np.int32):
            writer.add_int32(key, int(value))
        elif isinstance(value, np.uint32):
            writer.add_uint32(key, int(value))
        else:
            writer.add_string(key, str(value))
    for layer in layers:
        writer.add_tensor(f"direction.{layer}", np.ones(8, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_vector_of_another_family_of_the_same_size_is_warned_about(
    localsteer: Run, random_bpe_model: Path, tmp_path: Path
) -> None:
    mine = stamp(random_bpe_model)
    file = write_vector(tmp_path / "other.gguf", ModelStamp("Other", "qwen3", mine.n_layer, mine.n_embd, "v", "id"))
    said = localsteer("vectors", "import", file, "-m", random_bpe_model)
    assert said.status == 0
    assert "another family of the same size" in said.err


def test_an_import_never_replaces_a_vector(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    file = write_vector(tmp_path / "mood.gguf", stamp(random_bpe_model))
    assert localsteer("vectors", "import", file).status == 0
    again = localsteer("vectors", "import", file)
    assert again.status == 2
    assert "already" in again.err
    assert localsteer("vectors", "import", file, "--name", "mood 2").status == 0


def test_an_extraction_never_replaces_an_imported_vector(
    localsteer: Run, random_bpe_model: Path, tmp_path: Path
) -> None:
    file = write_vector(tmp_path / "glad.gguf", stamp(random_bpe_model))
    assert localsteer("vectors", "import", file).status == 0
    before = localsteer("vectors", "show", "glad", "--json").document
    said = localsteer("extract", "glad", "-m", random_bpe_model)
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "imported vector" in said.err
    assert localsteer("vectors", "show", "glad", "--json").document == before


def test_recipes_are_listed_with_their_poles_and_a_broken_one_says_so(localsteer: Run, home: Path) -> None:
    (home / "recipes" / "broken.toml").write_text("poles = {")
    recipes = {one["name"]: one for one in localsteer("vectors", "list", "--json").document["recipes"]}
    assert (recipes["glad"]["negative"], recipes["glad"]["positive"], recipes["glad"]["origin"]) == (
        "sad",
        "happy",
        "own",
    )
    assert recipes["mood"]["origin"] == "packaged"
    assert "syntax error" in recipes["broken"]["error"]
    listed = localsteer("vectors", "list")
    assert listed.status == 0
    assert "syntax error" in listed.out


def test_models_are_listed_and_described_without_loading_them(
    localsteer: Run, random_spm_model: Path, home: Path
) -> None:
    (home / "models").mkdir()
    shutil.copyfile(random_spm_model, home / "models" / "Small.gguf")
    listed = {one["name"]: one for one in localsteer("models", "list", "--json").document["models"]}
    assert (listed["Small"]["quantisation"], listed["Small"]["found_in"]) == ("Q8_0", "own folder")
    info = localsteer("models", "info", "small", "--json").document
    assert (info["architecture"], info["n_layer"], info["chat_template"], info["problem"]) == ("llama", 4, True, None)
    assert "Small" in localsteer("models", "list").out
    assert "can chat here   yes" in localsteer("models", "info", "small").out


def test_paths_names_every_place(localsteer: Run, home: Path) -> None:
    paths = localsteer("paths", "--json").document
    for name in ("conversations", "vectors", "recipes", "models", "settings", "remembered", "engine_log"):
        assert Path(paths[name]).is_relative_to(home), name
    assert localsteer("paths").out.count("\n") == len(paths)


@pytest.mark.parametrize("command", ["chat", "say", "extract", "vectors", "models", "doctor", "paths"])
def test_every_command_explains_itself(localsteer: Run, command: str) -> None:
    said = localsteer(command, "--help")
    assert said.status == 0
    assert "Usage: localsteer" in said.out


def test_a_vector_takes_the_place_of_nothing_but_a_vector(
    localsteer: Run, random_bpe_model: Path, tmp_path: Path
) -> None:
    file = write_vector(tmp_path / "mood.gguf", stamp(random_bpe_model))
    assert localsteer("vectors", "import", file).status == 0
    model, mine = tmp_path / "model.gguf", tmp_path / "mine.txt"
    model.write_bytes(random_bpe_model.read_bytes())
    mine.write_text("mine", encoding="utf-8")
    for there in (model, mine):
        before = there.read_bytes()
        for command in (
            ("vectors", "export", "mood", there),
            ("extract", "--words", "sea/day", "-m", model, "-o", there),
        ):
            said = localsteer(*command)
            assert said.status == 2
            assert "is no vector; name another file" in said.err
        assert there.read_bytes() == before
    for option, name in (("--html", "mine.txt"), ("--png", "mine.txt")):
        said = localsteer("vectors", "see", "mood", "the sea", "-m", model, option, tmp_path / name)
        assert said.status == 2
        assert "let it end in ." in said.err
    assert mine.read_text(encoding="utf-8") == "mine"
    # A vector, even another one, may be replaced.
    other = write_vector(tmp_path / "other.gguf", stamp(random_bpe_model), layer=3)
    assert localsteer("vectors", "export", "mood", other).status == 0
