"""The models on this disk: found by looking at files, never by loading them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from localsteer.errors import ModelError
from localsteer.file_reading import home_folder, is_file, is_folder, real_path, typed_path
from localsteer.library.names import did_you_mean
from localsteer.library.places import Places, practice_model

if TYPE_CHECKING:
    from localsteer.gguf_header import GgufHeader
    from localsteer.library.memory_fit import MemoryFit
    from localsteer.library.model_facts import FactsBook, ModelFacts
    from localsteer.library.model_places import Candidate

PRACTICE = "practice"


def _no_facts() -> ModelFacts:
    from localsteer.library.model_facts import ModelFacts

    return ModelFacts()


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A GGUF model by the name under which ``--model`` takes it.

    ``path``: the file to load, the first one of a model in several; ``origin``: which program put it there;
    ``collection``: the repository it is from, where that is known.
    """

    name: str
    path: Path
    origin: str
    collection: str = ""
    facts: ModelFacts = field(default_factory=_no_facts)

    @property
    def size_bytes(self) -> int:
        """Size of all its files that are there; 0 where they cannot be read."""
        from localsteer.gguf_header import size_of_parts

        return size_of_parts(self.path)

    @property
    def problem(self) -> str:
        """Why it cannot chat, a sentence; empty where nothing is known against it."""
        from localsteer.gguf_header import check_parts

        try:
            check_parts(self.path)
        except ModelError as error:
            return str(error)
        return self.facts.problem

    def memory_fit(self, n_ctx: int = 0) -> MemoryFit:
        """Whether it fits this memory with a context of ``n_ctx`` tokens, 0: the default one."""
        from localsteer.library.memory_fit import memory_fit

        return memory_fit(self.facts.memory_need(self.path, n_ctx))

    def header(self) -> GgufHeader:
        """The GGUF header. Raises ModelError."""
        from localsteer.gguf_header import read_header

        return read_header(self.path)


def list_models(
    places: Places,
    *,
    more_folders: Iterable[Path] = (),
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> tuple[FoundModel, ...]:
    """The practice model, the person's own folders, then other programs' places. Each file once, each name once.

    Two files of one name are told apart by what they were collected under (``repository/name``), then by a number. A
    model in several files is one model. Files that hold no language model are left out; damaged ones are not, so that
    their :attr:`~FoundModel.problem` can be read.
    """
    from localsteer.library.model_facts import FactsBook

    environment = os.environ if environment is None else environment
    home = home_folder() if home is None else home
    candidates = _unique_files(_candidates(places, more_folders, environment, home))
    book = FactsBook(places.model_facts)
    found = list(_with_facts(candidates, book))
    book.save()
    return tuple(_unique_names(found))


def _candidates(
    places: Places, more_folders: Iterable[Path], environment: Mapping[str, str], home: Path
) -> Iterator[Candidate]:
    from localsteer.library.model_places import Candidate, gguf_files, other_programs

    yield Candidate(PRACTICE, practice_model(), "in the box")
    for folder in (places.models, *more_folders):
        yield from gguf_files(folder, "own folder")
    yield from other_programs(environment, home)


def _unique_files(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    from localsteer.library.model_places import is_gguf

    seen: set[Path] = set()
    for candidate in candidates:
        if candidate.path.name.lower().startswith(("mmproj", "ggml-vocab")):
            continue
        candidate, real = _whole(candidate)
        if real not in seen and is_gguf(candidate.path):
            seen.add(real)
            yield candidate


def _whole(candidate: Candidate) -> tuple[Candidate, Path]:
    """A part of a model stands for all of it, by the first one that is there."""
    from localsteer.gguf_header import part_named, parts_of

    part = part_named(candidate.path.name)
    if part is None:
        return candidate, real_path(candidate.path)
    first = next((path for path in parts_of(candidate.path) if is_file(path)), candidate.path)
    name = part.stem if part_named(candidate.name) else candidate.name
    return replace(candidate, name=name, path=first), real_path(first)


def _with_facts(candidates: Iterable[Candidate], book: FactsBook) -> Iterator[FoundModel]:
    from localsteer.library.model_facts import read_facts

    for one in candidates:
        # The practice model's header is short: nothing to remember.
        facts = read_facts(one.path) if one.name == PRACTICE else book.facts(one.path)
        if facts.listed:
            yield FoundModel(one.name, one.path, one.origin, one.collection, facts)


def _unique_names(models: list[FoundModel]) -> Iterator[FoundModel]:
    repeated = Counter(model.name.lower() for model in models)
    taken: set[str] = set()
    for model in models:
        name = model.name
        if repeated[name.lower()] > 1 and name != PRACTICE and model.collection not in ("", name):
            name = f"{model.collection}/{name}"
        plain, number = name, 2
        while name.lower() in taken:
            name, number = f"{plain} ({number})", number + 1
        taken.add(name.lower())
        yield replace(model, name=name)


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
        if not is_file(path):
            raise ModelError("The practice model is missing from this installation; install localsteer again.")
        return path
    path = typed_path(wanted)
    if is_file(path):
        return path.absolute()
    if path.name.lower().endswith(".gguf") or wanted.startswith((".", "~", "/", "\\")):
        if is_folder(path):
            raise ModelError(f"{wanted} is a folder; name the .gguf file in it.")
        raise ModelError(f"There is no file {wanted}; `localsteer models list` shows the models on this disk.")
    models = list_models(places, more_folders=more_folders, environment=environment, home=home)
    for model in models:
        if wanted.lower() == model.name.lower():
            return model.path
    if is_folder(path):
        raise ModelError(f"{wanted} is a folder; name the .gguf file in it.")
    hint = did_you_mean(wanted, [model.name for model in models])
    raise ModelError(f'There is no model named "{wanted}"{hint} `localsteer models list` shows those on this disk.')
