"""Makes one vector in a process of its own, which is measured from the outside: ``loaded`` is printed when it begins.

python -m tests.benchmarks.extraction_child MODEL PAIRS.json OUT.gguf [THREADS]
"""

from __future__ import annotations

import sys

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import Extract, Extracted, Load


def main() -> None:
    """Load, extract, print how many tokens that took."""
    model, pairs, out, *threads = sys.argv[1:]
    with Engine() as engine:
        engine.load(Load(0, model, n_threads=int(threads[0]) if threads else None))
        sys.stdout.write("loaded\n")
        sys.stdout.flush()
        *_, last = engine.extract(Extract(1, pairs, out, calibrate=False))
        assert isinstance(last, Extracted), last
        sys.stdout.write(f"{last.prompts} {last.tokens_evaluated} {last.tokens_one_by_one}\n")


if __name__ == "__main__":
    main()
