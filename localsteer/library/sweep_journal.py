"""What sweeps have found, kept line by line, so that a sweep that was stopped goes on where it was.

One file of JSON lines for everything on which the figures depend. A line is written whole when its finding is made;
lines that are torn or damaged are passed over, and what they told is measured again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from localsteer.engine.findings import Setting, as_record, from_record, setting_of
from localsteer.engine.protocol import Finding
from localsteer.errors import StorageError
from localsteer.file_reading import read_file
from localsteer.library.files import append_line
from localsteer.library.places import Places

_MOST_BYTES = 200_000_000
_FORMAT = 1
"""To be raised when the same setting would be measured otherwise."""


@dataclass(frozen=True, slots=True)
class SweepKey:
    """All that the figures of a sweep depend on, but for the single setting.

    ``effort``: how much is measured on, in the order of the command's fields. ``versions``: of the programs that
    compute.
    """

    model_id: str
    vector_digest: str
    recipe_digest: str
    seed: int
    effort: tuple[int, ...]
    versions: Mapping[str, str]

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that are the same for the same sweep only."""
        content = json.dumps({"format": _FORMAT, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]


class SweepJournal:
    """The findings of one sweep, in a file of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def at(cls, places: Places, key: SweepKey) -> SweepJournal:
        """That of the sweep ``key``; the file is there once something was kept."""
        return cls(places.sweeps / f"{key.digest}.jsonl")

    def read(self) -> dict[Setting, Finding]:
        """What was found before, by setting; where one was measured twice, the later. Nothing where nothing can be
        read.
        """
        try:
            lines = read_file(self.path, _MOST_BYTES).split(b"\n")
        except OSError:
            return {}
        return {setting_of(finding): finding for line in lines if (finding := _finding(line)) is not None}

    def keep(self, finding: Finding) -> None:
        """Write one more, durably. Raises StorageError."""
        append_line(self.path, json.dumps(as_record(finding), allow_nan=False).encode())

    def forget(self) -> None:
        """Begin anew. Raises StorageError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be removed: {(error.strerror or str(error)).lower()}.") from error


def _finding(line: bytes) -> Finding | None:
    with suppress(ValueError, RecursionError):
        return from_record(json.loads(line))
    return None
