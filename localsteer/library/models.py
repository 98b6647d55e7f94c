"""The models on this disk: found by looking at files, never by loading them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from localsteer.errors import ModelError
from localsteer.gguf_header import GgufHeader, read_header
from localsteer.library.model_places import Candidate, gguf_files, is_gguf, other_programs
from localsteer.library.names import did_you_mean
from localsteer.library.places import Places, practice_model

PRACTICE = "practice"

_LATER_PART = re.compile(r"-(\d{5})-of-\d{5}$")
# Architectures and kinds of GGUF files that are no language models.
_NOT_MODELS = {"controlvector", "clip", "mmproj", "imatrix", "t5encoder"}


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A GGUF model by the name under which ``--model`` takes it."""

    name: str
    path: Path
    origin: str
    collection: str = ""

    @property
    def size_bytes(self) -> int:
        """Size of the file; 0 where it cannot be read."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def header(self) -> GgufHeader:
        """The GGUF header. Raises ModelError."""
        return read_header(self.path)


def list_models(
    places: Places,
    *,
    more_folders: Iterable[Path] = (),
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> tuple[FoundModel, ...]:
    """The practice model, the person's own folders, then other programs' places. Each file once, each name once.

    Two files of one name are told apart by what they were collected under (``repository/name``), then by a number.
    """
    environment = os.environ if environment is None else environment
    home = Path.home() if home is None else home
    candidates = _unique_files(_candidates(places, more_folders, environment, home))
    return tuple(FoundModel(one.name, one.path, one.origin, one.collection) for one in _unique_names(candidates))


def _candidates(
    places: Places, more_folders: Iterable[Path], environment: Mapping[str, str], home: Path
) -> Iterator[Candidate]:
    yield Candidate(PRACTICE, practice_model(), "in the box")
    for folder in (places.models, *more_folders):
        yield from gguf_files(folder, "own folder")
    yield from other_programs(environment, home)


def _unique_files(candidates: Iterable[Candidate]) -> list[Candidate]:
    seen: set[Path] = set()
    kept = []
    for candidate in candidates:
        real = candidate.path.resolve()
        if real in seen or not _may_be_a_model(candidate.path):
            continue
        seen.add(real)
        kept.append(candidate)
    return kept


def _may_be_a_model(path: Path) -> bool:
    part = _LATER_PART.search(path.stem)
    if part is not None and part[1] != "00001":
        return False
    if path.name.lower().startswith(("mmproj", "ggml-vocab")) or not is_gguf(path):
        return False
    try:
        header = read_header(path)
    except ModelError:
        return False
    return header.architecture not in _NOT_MODELS and header.metadata.get("general.type") not in {"adapter", "mmproj"}


def _unique_names(candidates: list[Candidate]) -> Iterator[Candidate]:
    repeated = Counter(candidate.name.lower() for candidate in candidates)
    taken: set[str] = set()
    for candidate in candidates:
        name = candidate.name
        if repeated[name.lower()] > 1 and name != PRACTICE and candidate.collection:
            name = f"{candidate.collection}/{name}"
        plain, number = name, 2
        while name.lower() in taken:
            name, number = f"{plain} ({number})", number + 1
        taken.add(name.lower())
        yield replace(candidate, name=name)


def resolve_model(
    wanted: str,
    places: Places,
    *,
    more_folders: Iterable[Path] = (),
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Path:
    """The file that ``wanted`` means: ``practice``, a path, or a name that :func:`list_models` shows.

    Raises ModelError where it means none. What is *in* the file is not looked at.
    """
    if wanted == PRACTICE:
        path = practice_model()
        if not path.is_file():
            raise ModelError("The practice model is missing from this installation; install localsteer again.")
        return path
    path = Path(wanted).expanduser()
    if path.is_file():
        return path.absolute()
    if path.name.lower().endswith(".gguf") or wanted.startswith((".", "~", "/", "\\")):
        if path.is_dir():
            raise ModelError(f"{wanted} is a folder; name the .gguf file in it.")
        raise ModelError(f"There is no file {wanted}; `localsteer models list` shows the models on this disk.")
    models = list_models(places, more_folders=more_folders, environment=environment, home=home)
    for model in models:
        if wanted.lower() == model.name.lower():
            return model.path
    if path.is_dir():
        raise ModelError(f"{wanted} is a folder; name the .gguf file in it.")
    hint = did_you_mean(wanted, [model.name for model in models])
    raise ModelError(f'There is no model named "{wanted}"{hint} `localsteer models list` shows those on this disk.')
