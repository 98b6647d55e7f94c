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


def test_hugging_face_cache(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    repository = tmp_path / ".cache/huggingface/hub/models--org--Small-GGUF"
    put(random_bpe_model, repository / "blobs" / "abcdef")
    for commit in ("1111", "2222"):
        snapshot = repository / "snapshots" / commit
        snapshot.mkdir(parents=True)
        try:
            (snapshot / "small.Q8_0.gguf").symlink_to(repository / "blobs" / "abcdef")
        except OSError:
            pytest.skip("no symbolic links here")
    models = found(places, tmp_path)
    assert [(one.name, one.origin, one.collection) for one in models.values()] == [
        ("small.Q8_0", "Hugging Face", "org/Small-GGUF")
    ]


@pytest.mark.parametrize(("variable", "below"), [("HF_HOME", "hub"), ("HF_HUB_CACHE", ""), ("LLAMA_CACHE", None)])
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
        (".local/share/Jan/data/llamacpp/models/small-1b/model.gguf", "small-1b", "Jan"),
        ("Library/Application Support/Jan/data/llamacpp/models/small-1b/model.gguf", "small-1b", "Jan"),
    ],
)
def test_programs_that_keep_files_by_name(
    places: Places, random_bpe_model: Path, tmp_path: Path, file: str, name: str, origin: str
) -> None:
    put(random_bpe_model, tmp_path / file)
    models = found(places, tmp_path)
    assert [(model.name, model.origin) for model in models.values()] == [(name, origin)]


def test_ollama_manifests_name_blobs(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    ollama = tmp_path / "ollama"
    put(random_bpe_model, ollama / "blobs/sha256-00aa")
    (ollama / "blobs/sha256-00bb").write_text("a licence, no model")

    def manifest(tag: str, digest: str, kind: str = "application/vnd.ollama.image.model") -> None:
        path = ollama / "manifests/registry.ollama.ai" / tag
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"layers": [{"mediaType": kind, "digest": digest}]}))

    manifest("library/llama3.2/1b", "sha256:00aa")
    manifest("library/other/latest", "sha256:00bb")
    manifest("library/escaping/latest", "sha256:../../../secret")
    manifest("library/licence/latest", "sha256:00aa", "application/vnd.ollama.image.license")
    (ollama / "manifests/registry.ollama.ai/library/broken").write_text("{")
    models = found(places, tmp_path, {"OLLAMA_MODELS": str(ollama)})
    assert [(model.name, model.origin) for model in models.values()] == [("llama3.2:1b", "Ollama")]


def test_files_that_are_no_language_models_are_left_out(places: Places, random_bpe_model: Path, tmp_path: Path) -> None:
    put(random_bpe_model, places.models / "good.gguf", places.models / "big-00001-of-00002.gguf")
    put(random_bpe_model, places.models / "big-00002-of-00002.gguf", places.models / "mmproj-good.gguf")
    (places.models / "broken.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    (places.models / "not.gguf").write_bytes(b"something else")
    write_vector(places.models / "vector.gguf")
    write_vocabulary_only(places.models / "ggml-vocab-small.gguf")
    assert sorted(found(places, tmp_path)) == ["big-00001-of-00002", "good"]


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
