"""The results of an experiment: gathered, as tables for a person, or as one JSON document."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from localsteer.cli.output import echo, note, print_json, table
from localsteer.cli.session import Session
from localsteer.cli.versions import versions
from localsteer.engine.experiment_protocol import Experiment, ExperimentDone, ResultRow, Value
from localsteer.library.experiment_results import ExperimentResults, KeptResults
from localsteer.library.files import file_digest

_INTERVAL = ("_low", "_high")


@dataclass
class Results:
    """What came of an experiment so far. ``files``: the SHA-256 (hex) of each that it reads, as it was when it began.
    ``tables``: rows by table, in the order in which they came.
    """

    suite: str
    model: str
    model_id: str
    files: dict[str, str]
    tables: dict[str, list[dict[str, Value]]] = field(default_factory=dict)
    facts: dict[str, Value] = field(default_factory=dict)
    seconds: float = 0.0
    complete: bool = False

    def add(self, row: ResultRow) -> None:
        self.tables.setdefault(row.table, []).append(dict(row.values))


def run(
    suite: str, session: Session, model_id: str, parts: Sequence[Experiment], files: Sequence[str], kept: Path | None
) -> Results:
    """Do the parts of an experiment, one after the other. Those that were done before with the same model, files and
    versions are taken from the folder ``kept``; None does all afresh. Ctrl+C keeps what is done and says so; the
    results are then not ``complete``. Raises StorageError for a file that cannot be read.
    """
    digests = {path: file_digest(Path(path)) for path in files if path}
    results = Results(suite, session.card.name, model_id, digests)
    store = None if kept is None else ExperimentResults(kept)
    began = time.monotonic()
    try:
        for number, part in enumerate(parts):
            asked = repr(replace(part, request=0))
            key = {
                "model": model_id,
                "command": asked,
                "files": {path: digest for path, digest in digests.items() if repr(path) in asked},
                "versions": _conditions(),
            }
            known = None if store is None else store.find(key)
            if known is None:
                known = _do(session, part, results)
                if store is not None:
                    store.keep(key, known)
            else:
                for table, values in known.rows:
                    results.tables.setdefault(table, []).append(values)
                note(f"Part {number + 1} of {len(parts)} was done before; --fresh does it again.")
            results.facts |= known.facts
        results.complete = True
    except KeyboardInterrupt:
        note(
            f"Stopped after {sum(map(len, results.tables.values()))} rows; here is what they gave."
            + (" The same command goes on with the rest." if len(parts) > 1 else "")
        )
    results.seconds = time.monotonic() - began
    return results


def _do(session: Session, part: Experiment, results: Results) -> KeptResults:
    rows: list[tuple[str, dict[str, Value]]] = []
    facts: dict[str, Value] = {}
    for event in session.experiment(part):
        if isinstance(event, ResultRow):
            results.add(event)
            rows.append((event.table, dict(event.values)))
        elif isinstance(event, ExperimentDone):
            facts = dict(event.facts)
    return KeptResults(tuple(rows), facts)


def show(results: Results, seed: int, *, as_json: bool) -> None:
    """Print them. Raises KeyboardInterrupt where the experiment was stopped, so that the exit status says so."""
    if as_json:
        print_json(document(results, seed))
    else:
        echo(text(results))
    if not results.complete:
        raise KeyboardInterrupt


def document(results: Results, seed: int) -> dict[str, object]:
    """All there is, with what is needed to repeat it."""
    return {
        "suite": results.suite,
        "model": results.model,
        "model_id": results.model_id,
        "complete": results.complete,
        "seconds": round(results.seconds, 3),
        "seed": seed,
        "versions": _conditions(),
        "files": results.files,
        "facts": results.facts,
        "tables": results.tables,
    }


def _conditions() -> dict[str, str]:
    """What the figures depend on beside the files."""
    return {**versions(), "python": platform.python_version(), "machine": platform.machine()}


def text(results: Results) -> str:
    """Tables with a line above each, and the facts below."""
    parts = [f"{results.suite} on {results.model}"]
    for name, rows in results.tables.items():
        parts += ["", name, _table(rows)]
    facts = [f"{key.replace('_', ' ')}: {_spoken(value)}" for key, value in results.facts.items()]
    if facts:
        parts += ["", "; ".join(facts)]
    return "\n".join(parts)


def _table(rows: Sequence[dict[str, Value]]) -> str:
    keys = _columns(rows)
    return table([[_cell(row, key) for key in keys] for row in rows], [key.replace("_", " ") for key in keys])


def _columns(rows: Iterable[dict[str, Value]]) -> list[str]:
    """Every key of any row, without the ends of intervals: they stand with their mean."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return [key for key in keys if not any(key.endswith(end) and key.removesuffix(end) in keys for end in _INTERVAL)]


def _cell(row: dict[str, Value], key: str) -> str:
    value = _spoken(row.get(key))
    low, high = (row.get(f"{key}{end}") for end in _INTERVAL)
    return value if low is None or high is None else f"{value} ({_spoken(low)} to {_spoken(high)})"


def _spoken(value: Value) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
