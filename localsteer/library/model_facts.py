"""What lists of models show of a file, read from its header once and remembered until the file changes.

Walking over the vocabulary of a large model takes a tenth of a second; a hundred of them, ten. So the few facts that
are shown are kept in a file of their own. Losing that loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from localsteer.errors import ModelError, StorageError
from localsteer.file_reading import read_file, real_path
from localsteer.gguf_header import (
    GgufHeader,
    MemoryNeed,
    Steerability,
    buffer_bytes,
    cache_bytes_per_token,
    check_kind,
    default_context,
    read_header,
    size_of_parts,
    steerability,
)
from localsteer.library.files import write_private

_VERSION = 1
_MOST_BYTES = 20_000_000
_FILES_REMEMBERED = 2000
# Architectures and kinds of GGUF files that are no language models.
_NOT_MODELS = {"controlvector", "clip", "mmproj", "imatrix", "t5encoder"}
_NOT_MODEL_KINDS = {"adapter", "mmproj", "imatrix"}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What one file's header says. ``problem``: why it cannot chat, a sentence, or empty; ``listed`` False: it is no
    language model at all, and nobody who looks for one wants to see it.

    ``context_length`` in tokens, 0 where unknown; ``cache_per_token`` in bytes; ``buffers_per_token`` in bytes per
    token of context, beside ``buffers``.
    """

    own_name: str = ""
    architecture: str = ""
    quantisation: str = ""
    context_length: int = 0
    n_params: int = 0
    n_layer: int = 0
    chat_template: bool = False
    cache_per_token: int = 0
    buffers: int = 0
    buffers_per_token: int = 0
    problem: str = ""
    listed: bool = True

    @property
    def steering(self) -> Steerability:
        """Whether llama.cpp can steer it: "yes", "no", "unknown" (found out by trying)."""
        return "no" if self.problem else steerability(self.architecture, self.n_layer)

    def memory_need(self, path: Path, n_ctx: int = 0) -> MemoryNeed:
        """What loading it takes with a context of ``n_ctx`` tokens, 0: the one it is loaded with by default."""
        n_ctx = n_ctx or default_context(self.context_length)
        buffers = self.buffers + self.buffers_per_token * n_ctx
        return MemoryNeed(n_ctx, size_of_parts(path), self.cache_per_token * n_ctx, buffers)


def read_facts(path: Path) -> ModelFacts:
    """The facts, straight from the file. Never raises: what is wrong with it is its ``problem``."""
    try:
        header = read_header(path)
    except ModelError as error:
        return ModelFacts(problem=str(error))
    try:
        check_kind(path, header)
        problem = ""
    except ModelError as error:
        problem = str(error)
    try:
        cache = cache_bytes_per_token(path, header)
    except OSError:
        cache = 0
    return ModelFacts(
        own_name=header.name,
        architecture=header.architecture,
        quantisation=header.quantisation,
        context_length=header.context_length,
        n_params=header.n_params,
        n_layer=header.n_layer,
        chat_template=bool(header.chat_template),
        cache_per_token=cache,
        buffers=buffer_bytes(header, 0),
        buffers_per_token=buffer_bytes(header, 1) - buffer_bytes(header, 0),
        problem=problem,
        listed=_is_language_model(header),
    )


def _is_language_model(header: GgufHeader) -> bool:
    return (
        bool(header.tensors)
        and header.architecture not in _NOT_MODELS
        and header.metadata.get("general.type") not in _NOT_MODEL_KINDS
    )


class FactsBook:
    """Facts by file, looked up in ``file`` and read where a model is new or has changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _read_book(file)
        self._asked: dict[str, Any] = {}
        self._learnt = False

    def facts(self, path: Path) -> ModelFacts:
        """The facts of a model file. Never raises."""
        try:
            real = real_path(path)
            state = real.stat()
        except OSError:
            return read_facts(path)
        key = f"{path}\n{state.st_size}\n{state.st_mtime_ns}"
        facts = _facts(self._known.get(key))
        if facts is None:
            facts = read_facts(path)
            self._learnt = True
        self._asked[key] = asdict(facts)
        return facts

    def save(self) -> None:
        """Keep what was learnt; where the disk refuses, it is learnt again next time."""
        if not self._learnt:
            return
        entries = dict(list({**self._known, **self._asked}.items())[-_FILES_REMEMBERED:])
        content = json.dumps({"version": _VERSION, "files": entries}, ensure_ascii=False)
        with suppress(StorageError):
            write_private(self._file, content.encode("utf-8", "replace"))
        self._learnt = False


def _read_book(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(read_file(file, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = found.get("files") if isinstance(found, dict) and found.get("version") == _VERSION else None
    return entries if isinstance(entries, dict) else {}


def _facts(entry: Any) -> ModelFacts | None:
    wanted = {field.name: type(field.default) for field in fields(ModelFacts)}
    if not isinstance(entry, dict) or entry.keys() != wanted.keys():
        return None
    return ModelFacts(**entry) if all(type(entry[name]) is kind for name, kind in wanted.items()) else None
