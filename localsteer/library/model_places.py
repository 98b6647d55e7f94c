"""Where other programs keep GGUF files, and how each of them lays them out. Read only.

Layouts as of late 2026: Hugging Face hub cache, llama.cpp's cache, LM Studio, Ollama (manifests that name blobs), Jan.
The places of every system are looked at on every system: what is not there costs nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from localsteer.file_reading import expanded, matching, open_file, read_file, walk
from localsteer.library.jan import jan_models

GGUF_MAGIC = b"GGUF"
_MOST_BYTES = 1_000_000  # of what other programs say of themselves
OLLAMA_SERVICE = Path("/usr/share/ollama/.ollama/models")
"""Where Ollama keeps models when Linux runs it as a service."""
OLLAMA_MODEL = "application/vnd.ollama.image.model"
_OLLAMA_REGISTRY, _OLLAMA_OWN = "registry.ollama.ai", "library"


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
    for folder in lm_studio_folders(home):
        yield from gguf_files(folder, "LM Studio")
    for folder in ollama_folders(environment, home):
        yield from _ollama(folder)
    for name, path in jan_models(environment, home):
        yield Candidate(name=name, path=path, origin="Jan", collection=name)


def hugging_face_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """``HF_HUB_CACHE`` (and its older name), ``HF_HOME/hub``, ``XDG_CACHE_HOME``, ``~/.cache/huggingface/hub``.

    The first is where that program keeps what it downloads now.
    """
    folders = [Path(hub) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") if (hub := environment.get(name))]
    if hf_home := environment.get("HF_HOME"):
        folders.append(Path(hf_home) / "hub")
    caches = [Path(cache)] if (cache := environment.get("XDG_CACHE_HOME")) else []
    folders += [cache / "huggingface" / "hub" for cache in (*caches, home / ".cache")]
    return [expanded(os.path.expandvars(folder)) for folder in folders]


def llama_cpp_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """``LLAMA_CACHE`` and llama.cpp's own default on Linux, macOS and Windows."""
    folders = [home / ".cache" / "llama.cpp", home / "Library" / "Caches" / "llama.cpp"]
    folders += [
        Path(root) / "llama.cpp" for name in ("XDG_CACHE_HOME", "LOCALAPPDATA") if (root := environment.get(name))
    ]
    if cache := environment.get("LLAMA_CACHE"):
        folders.insert(0, Path(cache))
    return folders


def lm_studio_folders(home: Path) -> list[Path]:
    """Where LM Studio's home lies (a file says so where it was moved), the folder chosen in its settings, and the
    place of its older versions.
    """
    homes = [home / ".lmstudio", home / ".cache" / "lm-studio"]
    try:
        moved = read_file(home / ".lmstudio-home-pointer", _MOST_BYTES).decode("utf-8").strip()
    except (OSError, ValueError):
        moved = ""
    if moved:
        homes.insert(0, Path(moved))
    folders = []
    for one in homes:
        try:
            chosen = json.loads(read_file(one / "settings.json", _MOST_BYTES))["downloadsFolder"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            chosen = None
        if isinstance(chosen, str) and chosen:
            folders.append(Path(chosen))
        folders.append(one / "models")
    return folders


def ollama_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """``OLLAMA_MODELS``, ``~/.ollama/models``, and where Ollama's Linux service keeps them."""
    folders = [home / ".ollama" / "models", OLLAMA_SERVICE]
    if chosen := environment.get("OLLAMA_MODELS"):
        folders.insert(0, Path(chosen))
    return folders


def gguf_files(folder: Path, origin: str) -> Iterator[Candidate]:
    """Every ``*.gguf`` below ``folder``, named by its stem, collected under its own folder."""
    for path in _walk(folder):
        yield Candidate(name=path.stem, path=path, origin=origin, collection=path.parent.name)


def _walk(folder: Path) -> list[Path]:
    found = []
    for root, _, files in walk(folder):
        found += [Path(root) / file for file in files if file.lower().endswith(".gguf") and not file.startswith(".")]
    return sorted(found)


def _hugging_face(hub: Path) -> Iterator[Candidate]:
    for repository in matching(hub, "models--*"):
        collection = repository.name.removeprefix("models--").replace("--", "/")
        seen: set[tuple[str, int]] = set()
        for path in _walk(repository / "snapshots"):
            # Without symbolic links every snapshot has a copy of its own, dearer in disk than in interest.
            place = path.relative_to(repository / "snapshots").parts[1:]
            copy = ("/".join(place), _size(path))
            if copy not in seen:
                seen.add(copy)
                yield Candidate(name=path.stem, path=path, origin="Hugging Face", collection=collection)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _ollama(models: Path) -> Iterator[Candidate]:
    manifests = models / "manifests"
    for root, _, files in sorted(walk(manifests)):
        for tag in sorted(files):
            blob = _ollama_blob(Path(root) / tag, models)
            if blob is not None and is_gguf(blob):
                name = _ollama_name(Path(root).relative_to(manifests).parts)
                yield Candidate(name=f"{name}:{tag}", path=blob, origin="Ollama", collection=name)


def _ollama_name(parts: tuple[str, ...]) -> str:
    """As Ollama says it: its own registry and its own models go unsaid, other hosts and people do not."""
    if parts[:1] == (_OLLAMA_REGISTRY,):
        parts = parts[1:]
        if parts[:1] == (_OLLAMA_OWN,):
            parts = parts[1:]
    return "/".join(parts)


def _ollama_blob(manifest: Path, models: Path) -> Path | None:
    try:
        layers = json.loads(read_file(manifest, _MOST_BYTES))["layers"]
        digest = next(str(layer["digest"]) for layer in layers if layer["mediaType"] == OLLAMA_MODEL)
    except (OSError, ValueError, LookupError, TypeError, StopIteration, RecursionError):
        return None
    kind, _, hexadecimal = digest.partition(":")
    # A manifest must not lead out of the blobs' folder.
    return models / "blobs" / f"{kind}-{hexadecimal}" if kind == "sha256" and hexadecimal.isalnum() else None


def is_gguf(path: Path) -> bool:
    """True where the file begins with the GGUF magic."""
    try:
        with open_file(path) as stream:
            return stream.read(4) == GGUF_MAGIC
    except OSError:
        return False
