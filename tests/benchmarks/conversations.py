"""How a conversation of 10,000 messages compares with one of 100: opening it, searching, what the engine is given.

python -m tests.benchmarks.conversations
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from localsteer.chat.store import ConversationStore
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.engine.protocol import DialMark
from tests.chat.conftest import CARD, HAPPY, record

SHORT, LONG = 100, 10_000
_WORDS = [f"{begin}{middle}{end}" for begin in "bdfghklm" for middle in ("a", "ei", "ou") for end in ("n", "st", "ver")]


def conversation(length: int, *, words: int = 60) -> ConversationTree:
    """Questions and replies in a row, so many ``words`` each."""
    draw = random.Random(length)
    replied = record(DialMark(0, (HAPPY,)))
    return ConversationTree(
        title=f"{length} messages",
        messages=tuple(
            TreeMessage(
                number - 1 if number else None,
                "assistant" if number % 2 else "user",
                f"number{number} {' '.join(draw.choices(_WORDS, k=words))}",
                float(number),
                replied if number % 2 else None,
            )
            for number in range(length)
        ),
    )


def milliseconds(work: Callable[[], object], times: int = 15) -> float:
    """The median of several runs."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return median(taken)


def measure(path: Path, length: int) -> dict[str, float]:
    """Milliseconds for what a person waits for, in a database that holds one conversation."""
    with ConversationStore(path) as store:
        talk = store.add_tree(conversation(length)).id
        first = milliseconds(lambda: store.search("bast"), times=1)
    with ConversationStore(path) as store:
        opening = milliseconds(lambda: store.open(talk), times=1)
        top = store.open(talk).messages[0].id
        return {
            "open, the first time": opening,
            "open": milliseconds(lambda: store.open(talk)),
            "the page before": milliseconds(lambda: store.older(top)),
            "list": milliseconds(store.summaries),
            "first search, which indexes all": first,
            "search, a rare word": milliseconds(lambda: store.search(f"number{length - 1}")),
            "search, a word of every message": milliseconds(lambda: store.search("bast")),
            "search, one letter": milliseconds(lambda: store.search("b")),
            "search, three words": milliseconds(lambda: store.search("bast dan mou")),
            "search, nothing": milliseconds(lambda: store.search("quetzal")),
            "all turns for the engine": milliseconds(lambda: store.turns(talk, CARD)),
        }


def main() -> None:
    """Print a table: milliseconds for either length, and how many times longer the long one takes."""
    with TemporaryDirectory() as folder:
        short, long = (measure(Path(folder) / f"{length}.sqlite3", length) for length in (SHORT, LONG))
    write = sys.stdout.write
    write(f"{'':34}{SHORT:>10} ms{LONG:>10} ms{'ratio':>10}\n")
    for name in short:
        write(f"{name:34}{short[name]:13.2f}{long[name]:13.2f}{long[name] / short[name]:10.1f}\n")


if __name__ == "__main__":
    main()
