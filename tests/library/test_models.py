"""Models are found where people already have them, laid out as each program lays them out, without loading them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from localsteer.errors import ModelError
from localsteer.library.models import FoundModel, list_models, resolve_model
from localsteer.library.places import Places
from tests.library.conftest import write_vector
from tests.random_models import write_vocabulary_only


def put(model: Path, *targets: Path) -> None:
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model, target)


def found(places: Places, home: Path, environment: Mapping[str, str] | None = None) -> dict[str, FoundModel]:
    models = list_models(places, environment=environment or {}, home=home)
    return {model.name: model for model in models if model.origin != "in the box"}


def test_hugging_face_cache_with_several_snapshots_of_one_file(
    places: Places, random_bpe_model: Path, tmp_path: Path
) -> None:
    repository = tmp_path / ".cache/huggingface/hub/models--org--Small-GGUF"
    put(random_bpe_model, repository / "blobs" / "abcdef")
    put(random_bpe_model, repository / "blobs" / "012345.incomplete", repository / "blobs" / "0123.1a2b.incomplete")
    for commit in ("1111", "2222"):
        snapshot = repository / "snapshots" / commit
        snapshot.mkdir(parents=True)
        try:
            (snapshot / "small.Q8_0.gguf").symlink_to("../../blobs/abcdef")
        except OSError:
            pytest.skip("no symbolic links here")
    models = found(places, tmp_path)
    assert [(one.name, one.origin, one.collection) for one in models.values()] == [
        ("small.Q8_0", "Hugging Face", "org/Small-GGUF")
    ]


def test_hugging_face_cache_without_symbolic_links(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    repository = tmp_path / ".cache/huggingface/hub/models--org--Small-GGUF"
    put(random_bpe_model, *(repository / "snapshots" / commit / "small.gguf" for commit in ("1111", "2222")))
    put(random_bpe_model, repository / "snapshots/2222/other/small.gguf")
    assert sorted(found(places, tmp_path)) == ["org/Small-GGUF/small", "org/Small-GGUF/small (2)"]


def test_a_split_model_in_the_hugging_face_cache(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    repository = tmp_path / ".cache/huggingface/hub/models--org--Big-GGUF"
    snapshot = repository / "snapshots" / "1111" / "Q4_K_M"
    snapshot.mkdir(parents=True)
    for number, blob in ((1, "ff01"), (2, "aa02")):
        put(random_bpe_model, repository / "blobs" / blob)
        try:
            (snapshot / f"big-0000{number}-of-00002.gguf").symlink_to(f"../../../blobs/{blob}")
        except OSError:
            pytest.skip("no symbolic links here")
    (big,) = found(places, tmp_path).values()
    assert (big.name, big.size_bytes, big.problem) == ("big", 2 * random_bpe_model.stat().st_size, "")


@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("HF_HOME", "hub"),
        ("HF_HUB_CACHE", ""),
        ("HUGGINGFACE_HUB_CACHE", ""),
        ("XDG_CACHE_HOME", "huggingface/hub"),
        ("LLAMA_CACHE", None),
    ],
)
def test_places_named_by_variables(
    places: Places, random_bpe_model: Path, tmp_path: Path, variable: str, below: str | None
) -> None:
    folder = tmp_path / "elsewhere"
    file = folder / "small.gguf" if below is None else folder / below / "models--a--b/snapshots/1/small.gguf"
    put(random_bpe_model, file)
    assert list(found(places, tmp_path, {variable: str(folder)})) == ["small"]


@pytest.mark.parametrize(
    ("file", "name", "origin"),
    [
        (".cache/llama.cpp/small.gguf", "small", "llama.cpp"),
        ("Library/Caches/llama.cpp/small.gguf", "small", "llama.cpp"),
        (".lmstudio/models/org/repo/small.gguf", "small", "LM Studio"),
        (".cache/lm-studio/models/org/repo/small.gguf", "small", "LM Studio"),
        ("AppData/Local/llama.cpp/org_repo_small.gguf", "org_repo_small", "llama.cpp"),
        (".config/xdg/llama.cpp/small.gguf", "small", "llama.cpp"),
        (".local/share/Jan/data/llamacpp/models/small-1b/model.gguf", "small-1b", "Jan"),
        ("Library/Application Support/Jan/data/llamacpp/models/small-1b/model.gguf", "small-1b", "Jan"),
        ("AppData/Roaming/Jan/data/llamacpp/models/small-1b/model.gguf", "small-1b", "Jan"),
        (".local/share/Jan/data/llamacpp/models/org/Small-Q8_0/model.gguf", "org/Small-Q8_0", "Jan"),
    ],
)
def test_programs_that_keep_files_by_name(
    places: Places, random_bpe_model: Path, tmp_path: Path, file: str, name: str, origin: str
) -> None:
    put(random_bpe_model, tmp_path / file)
    environment = {
        "LOCALAPPDATA": str(tmp_path / "AppData/Local"),
        "APPDATA": str(tmp_path / "AppData/Roaming"),
        "XDG_CACHE_HOME": str(tmp_path / ".config/xdg"),
    }
    models = found(places, tmp_path, environment)
    assert [(model.name, model.origin) for model in models.values()] == [(name, origin)]


def test_lm_studios_home_and_downloads_can_be_elsewhere(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    moved, chosen = tmp_path / "disk" / "lmstudio", tmp_path / "disk" / "downloads"
    put(random_bpe_model, moved / "models/org/repo/one.gguf", chosen / "org/repo/two.gguf")
    (tmp_path / ".lmstudio-home-pointer").write_text(f"{moved}\n", encoding="utf-8")
    (moved / "settings.json").write_text(json.dumps({"downloadsFolder": str(chosen)}), encoding="utf-8")
    assert sorted(found(places, tmp_path)) == ["one", "two"]


def test_jan_says_where_its_data_and_each_file_lie(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    data, imported = tmp_path / "disk" / "jan", tmp_path / "my models" / "mine.gguf"
    put(random_bpe_model, data / "llamacpp/models/org/small/model.gguf", imported)
    for name, path in (("org/small", "llamacpp/models/org/small/model.gguf"), ("my-import", str(imported))):
        description = data / "llamacpp/models" / name / "model.yml"
        description.parent.mkdir(parents=True, exist_ok=True)
        description.write_text(f"embedding: false\nmodel_path: {path}\nname: {name}\n", encoding="utf-8")
    settings = tmp_path / ".local/share/Jan/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"data_folder": str(data)}), encoding="utf-8")
    by_settings = found(places, tmp_path)
    assert {name: model.path for name, model in by_settings.items()} == {
        "my-import": imported,
        "org/small": data / "llamacpp/models/org/small/model.gguf",
    }
    settings.unlink()
    assert found(places, tmp_path, {"JAN_DATA_FOLDER": str(data)}).keys() == by_settings.keys()


def test_ollama_manifests_name_blobs(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    ollama = tmp_path / "ollama"
    put(random_bpe_model, ollama / "blobs/sha256-00aa")
    (ollama / "blobs/sha256-00bb").write_text("a licence, no model")

    def manifest(tag: str, digest: str, kind: str = "application/vnd.ollama.image.model") -> None:
        path = ollama / "manifests/registry.ollama.ai" / tag
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"layers": [{"mediaType": kind, "digest": digest}]}))

    manifest("library/llama3.2/1b", "sha256:00aa")
    put(random_bpe_model, ollama / "blobs/sha256-00cc", ollama / "blobs/sha256-00dd-partial-0")
    put(random_bpe_model, ollama / "blobs/sha256-00ee")
    manifest("someone/llama3.2/1b", "sha256:00cc")
    hub = ollama / "manifests/hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF/Q4_K_M"
    hub.parent.mkdir(parents=True)
    hub.write_text(
        json.dumps({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:00ee"}]})
    )
    manifest("library/half/latest", "sha256:00dd")
    manifest("library/other/latest", "sha256:00bb")
    manifest("library/escaping/latest", "sha256:../../../secret")
    manifest("library/licence/latest", "sha256:00aa", "application/vnd.ollama.image.license")
    (ollama / "manifests/registry.ollama.ai/library/broken").write_text("{")
    models = found(places, tmp_path, {"OLLAMA_MODELS": str(ollama)})
    assert {model.origin for model in models.values()} == {"Ollama"}
    assert sorted(models) == ["hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M", "llama3.2:1b", "someone/llama3.2:1b"]
    put(random_bpe_model, tmp_path / ".ollama/models/blobs/sha256-00aa")
    shutil.copytree(ollama / "manifests", tmp_path / ".ollama/models/manifests")
    assert sorted(found(places, tmp_path)) == ["llama3.2:1b"]


def test_files_that_are_no_language_models_are_left_out(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    put(random_bpe_model, places.models / "good.gguf", places.models / "mmproj-good.gguf")
    put(random_bpe_model, places.models / "half.gguf.part", places.models / "half.gguf.incomplete")
    put(random_bpe_model, places.models / ".hidden.gguf")
    (places.models / "not.gguf").write_bytes(b"something else")
    write_vector(places.models / "vector.gguf")
    write_vocabulary_only(places.models / "ggml-vocab-small.gguf")
    write_vocabulary_only(places.models / "vocabulary.gguf")
    assert sorted(found(places, tmp_path)) == ["good"]


def test_a_damaged_file_is_shown_with_what_is_wrong(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    content = random_bpe_model.read_bytes()
    places.models.mkdir(parents=True)
    (places.models / "broken.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    (places.models / "cut.gguf").write_bytes(content[: len(content) // 2])
    models = found(places, tmp_path)
    assert "its header does not end. Get the file again." in models["broken"].problem
    assert "is cut off: tensor" in models["cut"].problem
    assert models["cut"].facts.steering == "no"


def test_a_model_in_parts_is_one_model_with_all_of_its_size(
    places: Places, random_bpe_model: Path, tmp_path: Path
) -> None:
    put(random_bpe_model, *(places.models / f"big-0000{number}-of-00003.gguf" for number in (1, 2, 3)))
    (big,) = found(places, tmp_path).values()
    assert (big.name, big.path.name) == ("big", "big-00001-of-00003.gguf")
    assert big.size_bytes == 3 * random_bpe_model.stat().st_size
    assert big.problem == ""
    assert resolve_model("big", places, environment={}, home=tmp_path) == big.path


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_missing_part_is_named(places: Places, random_bpe_model: Path, tmp_path: Path, missing: int) -> None:
    put(random_bpe_model, *(places.models / f"big-0000{one}-of-00003.gguf" for one in (1, 2, 3) if one != missing))
    (big,) = found(places, tmp_path).values()
    assert big.problem.startswith(f"Part {missing} of 3 of the model is missing")
    assert big.size_bytes == 2 * random_bpe_model.stat().st_size


def test_two_models_of_one_name_are_told_apart(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    put(random_bpe_model, *(tmp_path / ".lmstudio/models" / folder / "small.gguf" for folder in ("a/one", "b/two")))
    put(random_bpe_model, tmp_path / ".lmstudio/models/c/one/small.gguf")
    assert sorted(found(places, tmp_path)) == ["one/small", "one/small (2)", "two/small"]


def test_a_model_is_meant_by_path_or_by_name(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    put(random_bpe_model, places.models / "Small-Q8.gguf")

    def resolve(wanted: str) -> Path:
        return resolve_model(wanted, places, environment={}, home=tmp_path)

    assert resolve(str(random_bpe_model)) == random_bpe_model
    assert resolve("small-q8") == places.models / "Small-Q8.gguf"
    with pytest.raises(ModelError, match="did you mean Small-Q8"):
        resolve("small-q4")
    with pytest.raises(ModelError, match=r"no file .*missing\.gguf"):
        resolve(str(tmp_path / "missing.gguf"))
    with pytest.raises(ModelError, match="is a folder"):
        resolve(str(tmp_path))


def test_folders_named_in_the_settings_are_searched_before_other_programs(
    places: Places, random_bpe_model: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine" / "sub"
    put(random_bpe_model, mine / "small.gguf")
    models = list_models(
        places, more_folders=[tmp_path / "mine"], environment={"LLAMA_CACHE": str(mine)}, home=tmp_path
    )
    assert [(model.name, model.origin) for model in models] == [("practice", "in the box"), ("small", "own folder")]


def test_a_folder_that_may_not_be_read_is_passed_over(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    (tmp_path / ".lmstudio").write_text("a file where a folder should be")
    (tmp_path / ".ollama").write_text("another")
    put(random_bpe_model, places.models / "good.gguf")
    assert sorted(found(places, tmp_path)) == ["good"]


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 9999])
def test_folders_of_impossible_names_are_passed_over(
    places: Places, random_bpe_model: Path, tmp_path: Path, name: str
) -> None:
    for file, key in ((".lmstudio/settings.json", "downloadsFolder"), (".config/Jan/settings.json", "data_folder")):
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({key: name}), encoding="utf-8")
    (tmp_path / ".lmstudio-home-pointer").write_text(name, encoding="utf-8", errors="replace")
    put(random_bpe_model, places.models / "good.gguf")
    models = list_models(places, more_folders=[Path(name)], environment={}, home=tmp_path)
    assert [model.name for model in models] == ["practice", "good"]
