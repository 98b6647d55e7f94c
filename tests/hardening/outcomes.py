"""What hostile input may lead to, counted: it works, or it costs one clear sentence."""

from __future__ import annotations

import hashlib
import signal
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from localsteer.errors import LocalsteerError

CPU_SECONDS = 10.0
_WALL_SECONDS = 120.0
MOST_MEMORY = 2 << 30
_LONGEST_SENTENCE = 2000


class Outcomes:
    """Counts by kind of input and outcome, for a whole run."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._memory = peak_memory()

    def case(self, kind: str, name: object, work: Callable[[], object], *files: Path) -> str:
        """Run ``work`` and count how it ended: "works" or "said". Raises AssertionError, with ``name``, for anything
        else: another exception, a sentence that is none, more than ten seconds, a file among ``files`` that changed.
        """
        before = [digest(file) for file in files]
        began = time.process_time()
        try:
            with _alarm():
                work()
            outcome = "works"
        except LocalsteerError as error:
            outcome = "said"
            check_sentence(str(error), f"{kind} {name}")
        except Exception as error:
            raise AssertionError(f"{kind} {name}: {type(error).__name__}: {str(error)[:300]}") from error
        assert time.process_time() - began < CPU_SECONDS, f"{kind} {name} took too long"
        assert [digest(file) for file in files] == before, f"{kind} {name} changed what was only read"
        self.counts[kind, outcome] += 1
        return outcome

    def count(self, kind: str, outcome: str) -> None:
        """Count what was done otherwise."""
        self.counts[kind, outcome] += 1

    def report(self) -> None:
        """Print the counts. Raises AssertionError where memory has grown by more than two gigabytes."""
        kinds = sorted({kind for kind, _ in self.counts})
        for kind in kinds:
            found = {outcome: count for (of, outcome), count in sorted(self.counts.items()) if of == kind}
            tell(f"{kind}: {sum(found.values())} cases, {', '.join(f'{n} {what}' for what, n in found.items())}")
        assert peak_memory() - self._memory < MOST_MEMORY


def tell(line: str) -> None:
    """A line among what pytest shows with ``-s`` or ``-rP``."""
    sys.stdout.write(f"{line}\n")


def check_sentence(said: str, where: str = "") -> None:
    """Raise AssertionError for what is no message for a person: several lines, a traceback, nothing, far too much."""
    assert said.strip(), f"{where}: nothing was said"
    assert len(said) < _LONGEST_SENTENCE, f"{where}: {len(said)} characters were said"
    assert "Traceback" not in said, said
    strange = {one for one in said if unicodedata.category(one) == "Cc"}
    assert not strange, f"{where}: {strange} in {said!r}"


def digest(path: Path) -> str:
    """Of what is in a file; empty for what is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def peak_memory() -> int:
    """Bytes that this process has taken at most so far; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def _alarm() -> Iterator[None]:
    """What waits for ever is woken, where the system can."""
    if sys.platform == "win32":
        yield
        return

    def wake(_signal: int, _frame: FrameType | None) -> Any:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, wake)
    signal.setitimer(signal.ITIMER_REAL, _WALL_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
