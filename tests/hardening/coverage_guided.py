"""Hostile input that is bred: what reaches a line of the program that nothing before it reached is spoilt further.

::

    python -m tests.hardening.coverage_guided                           what there is
    python -m tests.hardening.coverage_guided KIND --seconds 300        one kind, in a process of its own

Needs atheris (``pip install -e ".[fuzz]"``), which has wheels for some Pythons and systems only. Half of the mutations
are libFuzzer's, half those of the kind itself. A finding does not end the run: it is kept in ``--keep`` with its
traceback, and another of the same place is passed over.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hardening.hostile_kinds import Kind

# Nothing of localsteer is imported here: it has to be instrumented while it is.
_NAME, _ROOT = "tests.hardening.coverage_guided", Path(__file__).parents[2]
_INSTRUMENTED = ["localsteer", "tomllib", "jinja2", "markdown_it", "tests.hardening.planted"]
_MOST_MEGABYTES = 2048
_TO_BEGIN_AND_END = 180
"""Seconds, beside those that were asked for; the longest case ends within them."""


@dataclass(frozen=True)
class Bred:
    """What a run came to. ``executions``: inputs, each of which is used in every way of its kind."""

    kind: str
    executions: int
    findings: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.kind}: {self.executions:,} inputs, {len(self.findings)} findings", *self.findings])


def bred(kind: str, seconds: int, keep: Path, *, seed: int = 1) -> Bred:
    """Breed inputs of ``kind`` for so many seconds. ``keep``: a folder for findings, and for what was bred, which the
    next run there begins with.
    """
    keep.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", _NAME, kind, "--seconds", str(seconds), "--seed", str(seed)]
    ended = "it hangs"
    with (
        tempfile.TemporaryDirectory() as here,
        (keep / "log.txt").open("w") as log,
        suppress(subprocess.TimeoutExpired),
    ):
        status = subprocess.run(
            [*command, "--keep", str(keep.resolve()), "--here", here],
            stdout=log,
            stderr=log,
            timeout=seconds + _TO_BEGIN_AND_END,
            cwd=_ROOT,
            check=False,
        ).returncode
        ended = "" if status == 0 else f"its process ended with {status}, see {log.name}"
    said = (keep / "log.txt").read_text("utf-8", "replace")
    counted = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    findings = [path.read_text("utf-8", "replace") for path in sorted(keep.glob("finding-*.txt"))]
    return Bred(kind, int(counted[1]) if counted else 0, (*findings, *([ended] if ended else [])))


# ---------------------------------------------------------------- in the process of its own


class _Tried:
    """Uses each input in every way of its kind, and keeps what was found."""

    def __init__(self, kind: Kind, folder: Path, keep: Path) -> None:
        from tests.hardening.outcomes import Outcomes

        self._kind = kind
        self._path = folder / "spoilt" / kind.file
        self._keep = keep
        self._outcomes = Outcomes()
        self._path.parent.mkdir()

    def use(self, content: bytes) -> None:
        """All that is done with such an input."""
        self._path.write_bytes(content)
        watched = [self._path] if self._kind.read_only else []
        for number, use in enumerate(self._kind.uses):
            try:
                self._outcomes.case(self._kind.name, f"use {number}", lambda use=use: use(self._path), *watched)  # type: ignore[misc]
            except AssertionError as found:
                self._found(content, number, found)
                self._path.write_bytes(content)

    def mutate(self, content: bytes, longest: int, seed: int) -> bytes:
        """Another input from this one."""
        import atheris

        rng = random.Random(seed)
        if rng.random() < 0.5:
            # An input that was spoilt before need no longer have the parts that the kind's own mutations look for.
            with suppress(Exception):
                return self._kind.mutate(rng, content)[:longest]
        return bytes(atheris.Mutate(content, longest))

    def _found(self, content: bytes, number: int, found: AssertionError) -> None:
        cause = found.__cause__ or found
        place = hashlib.sha256(f"{number} {type(cause)} {_where(cause.__traceback__)}".encode()).hexdigest()[:12]
        told = self._keep / f"finding-{place}.txt"
        if not told.exists():
            (self._keep / f"input-{place}").write_bytes(content)
            told.write_text("".join(traceback.format_exception(found)), "utf-8", "replace")


def _where(trace: TracebackType | None) -> str:
    """The innermost line of ours, for a defect shows in many inputs."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if "localsteer" in Path(frame.filename).parts] or frames
    return f"{ours[-1].filename}:{ours[-1].lineno}" if ours else ""


def _breed(name: str, seconds: int, keep: Path, seed: int, folder: Path) -> None:
    """Does not come back: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.hardening.every_kind import kind_named

        kind = kind_named(name, folder)
        tried = _Tried(kind, folder, keep)
        for content in kind.sound:
            tried.use(content)  # whatever is imported late
    corpus = keep / "corpus"
    corpus.mkdir(exist_ok=True)
    for content in kind.sound:
        (corpus / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={max(1024, 2 * max(map(len, kind.sound)))}",
        f"-rss_limit_mb={_MOST_MEGABYTES}",
        f"-artifact_prefix={keep}/",
        f"-seed={seed}",
        "-timeout=0",  # the alarm is taken: each case has its own
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], tried.use, custom_mutator=tried.mutate)
    atheris.Fuzz()


def main() -> int:
    """Print what was found; the exit status says whether something was."""
    parser = argparse.ArgumentParser(prog=f"python -m {_NAME}")
    parser.add_argument("kind", nargs="?")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        _breed(given.kind, given.seconds, given.keep, given.seed, given.here)
    if given.kind is None:
        from tests.hardening.every_kind import NAMES

        print("\n".join([*NAMES, "database"]))
        return 0
    keep = given.keep or Path(tempfile.mkdtemp(prefix="bred-"))
    found = bred(given.kind, given.seconds, keep, seed=given.seed)
    print(found)
    if found.findings:
        print(f"They are kept in {keep}.")
    return 1 if found.findings else 0


if __name__ == "__main__":
    sys.exit(main())
