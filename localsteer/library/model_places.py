"""Where other programs keep GGUF files, and how each of them lays them out. Read only.

Layouts as of late 2026: Hugging Face hub cache, llama.cpp's cache, LM Studio, Ollama (manifests that name blobs), Jan.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

GGUF_MAGIC = b"GGUF"
OLLAMA_MODEL = "application/vnd.ollama.image.model"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a model. ``origin``: which program put it there; ``collection``: the repository it is from."""

    name: str
    path: Path
    origin: str
    collection: str = ""


def other_programs(environment: Mapping[str, str], home: Path) -> Iterator[Candidate]:
    """Every GGUF in the places where other programs keep theirs; a place that cannot be read is passed over."""
    for folder in hugging_face_folders(environment, home):
        yield from _hugging_face(folder)
    for folder in llama_cpp_folders(environment, home):
        yield from gguf_files(folder, "llama.cpp")
    for folder in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        yield from gguf_files(folder, "LM Studio")
    yield from _ollama(Path(environment.get("OLLAMA_MODELS") or home / ".ollama" / "models"))
    for folder in jan_folders(environment, home):
        yield from _jan(folder)


def hugging_face_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """``HF_HUB_CACHE``, ``HF_HOME/hub``, ``~/.cache/huggingface/hub``."""
    folders = [home / ".cache" / "huggingface" / "hub"]
    if hf_home := environment.get("HF_HOME"):
        folders.insert(0, Path(hf_home) / "hub")
    if hub := environment.get("HF_HUB_CACHE"):
        folders.insert(0, Path(hub))
    return folders


def llama_cpp_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """``LLAMA_CACHE`` and llama.cpp's own default on Linux, macOS and Windows."""
    folders = [home / ".cache" / "llama.cpp", home / "Library" / "Caches" / "llama.cpp"]
    if local := environment.get("LOCALAPPDATA"):
        folders.append(Path(local) / "llama.cpp")
    if cache := environment.get("LLAMA_CACHE"):
        folders.insert(0, Path(cache))
    return folders


def jan_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """``…/Jan/data/llamacpp/models`` under each system's folder for application data."""
    roots = [home / ".local" / "share", home / ".config", home / "Library" / "Application Support"]
    roots += [Path(root) for name in ("APPDATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME") if (root := environment.get(name))]
    return [root / "Jan" / "data" / "llamacpp" / "models" for root in roots]


def gguf_files(folder: Path, origin: str) -> Iterator[Candidate]:
    """Every ``*.gguf`` below ``folder``, named by its stem, collected under its own folder."""
    for path in _walk(folder):
        yield Candidate(name=path.stem, path=path, origin=origin, collection=path.parent.name)


def _walk(folder: Path) -> list[Path]:
    found = []
    for root, _, files in os.walk(folder):
        found += [Path(root) / file for file in files if file.lower().endswith(".gguf") and not file.startswith(".")]
    return sorted(found)


def _hugging_face(hub: Path) -> Iterator[Candidate]:
    for repository in sorted(hub.glob("models--*")):
        collection = repository.name.removeprefix("models--").replace("--", "/")
        for path in _walk(repository / "snapshots"):
            yield Candidate(name=path.stem, path=path, origin="Hugging Face", collection=collection)


def _jan(models: Path) -> Iterator[Candidate]:
    # Jan calls every file model.gguf; the folder carries the name.
    for path in _walk(models):
        name = path.parent.name if path.stem == "model" else path.stem
        yield Candidate(name=name, path=path, origin="Jan", collection=path.parent.parent.name)


def _ollama(models: Path) -> Iterator[Candidate]:
    manifests = models / "manifests"
    for root, _, files in sorted(os.walk(manifests)):
        for tag in sorted(files):
            blob = _ollama_blob(Path(root) / tag, models)
            if blob is not None and is_gguf(blob):
                repository = Path(root).relative_to(manifests).parts[1:]
                name = "/".join(part for part in repository if part != "library")
                yield Candidate(name=f"{name}:{tag}", path=blob, origin="Ollama", collection=name)


def _ollama_blob(manifest: Path, models: Path) -> Path | None:
    try:
        layers = json.loads(manifest.read_bytes())["layers"]
        digest = next(str(layer["digest"]) for layer in layers if layer["mediaType"] == OLLAMA_MODEL)
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        return None
    kind, _, hexadecimal = digest.partition(":")
    # A manifest must not lead out of the blobs' folder.
    return models / "blobs" / f"{kind}-{hexadecimal}" if kind == "sha256" and hexadecimal.isalnum() else None


def is_gguf(path: Path) -> bool:
    """True where the file begins with the GGUF magic."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) == GGUF_MAGIC
    except OSError:
        return False
