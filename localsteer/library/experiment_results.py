"""Results of experiments that are done, kept so that one that was stopped goes on with the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localsteer.errors import StorageError
from localsteer.file_reading import read_file
from localsteer.library.files import private_folder
from localsteer.steering.whole_file import write_whole

_KEPT = 500
_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class KeptResults:
    """``rows``: (table, {key: value}) in their order. ``facts``: what was said at the end."""

    rows: tuple[tuple[str, dict[str, Any]], ...]
    facts: dict[str, Any]


class ExperimentResults:
    """A folder with a file for each part of an experiment that was done, named by all that it depends on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: Mapping[str, object]) -> KeptResults | None:
        """What the same part gave before; None where it was never done, or its file is damaged."""
        try:
            written = json.loads(read_file(self._path(key), _MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        match written:
            case {"rows": [*rows], "facts": dict(facts)}:
                found = tuple((row[0], row[1]) for row in rows if _is_row(row))
                return KeptResults(found, facts) if len(found) == len(rows) else None
            case _:
                return None

    def keep(self, key: Mapping[str, object], results: KeptResults) -> None:
        """Remember a part that is done, and forget the oldest ones. Not being able to is no harm."""
        try:
            private_folder(self._folder)
            with write_whole(self._path(key)) as beside:
                document = {"rows": results.rows, "facts": results.facts}
                beside.write_text(json.dumps(document, ensure_ascii=True), encoding="utf-8")
            kept = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in kept[:-_KEPT]:
                path.unlink(missing_ok=True)
        except (OSError, StorageError):
            return

    def _path(self, key: Mapping[str, object]) -> Path:
        content = json.dumps(key, sort_keys=True, ensure_ascii=True, default=str)
        return self._folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.json"


def _is_row(row: object) -> bool:
    match row:
        case [str(), dict()]:
            return True
        case _:
            return False
