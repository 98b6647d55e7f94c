"""Writing under a dial beside saklas, which does it in PyTorch."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from tests.benchmarks import foreign
from tests.benchmarks.extraction_rows import ELSEWHERE
from tests.benchmarks.rows import Row, Target, tell
from tests.benchmarks.timed_engine import TimedEngine


def against_saklas(
    name: str, model: Path, *, python: Path | None, home: Path, n_tokens: int, times: int, n_threads: int
) -> Row:
    """How many times as many tokens per second, one dial on all layers. ``home``: where saklas keeps what it measures
    of a model before its first steered reply; that takes minutes once, and no part of it is counted.
    """
    row, target = f"writing, one dial on all layers, {name}: times faster than saklas (float32)", Target("≥", 8)
    try:
        found = foreign.find_python(python, "saklas")
        ours, theirs = [], []
        with tempfile.TemporaryDirectory() as folder, TimedEngine(model, n_threads) as engine:
            dials = engine.random_dials(Path(folder), 1)
            engine.reply(dials, 8)
            for seed in range(times):
                done = foreign.run(
                    [found, ELSEWHERE, "saklas", model, str(n_tokens), str(n_threads)],
                    environment={"SAKLAS_HOME": str(home), "HF_HUB_OFFLINE": "1"},
                )
                theirs.append(float(done.output.splitlines()[-1]))
                ours.append(engine.reply(dials, n_tokens, seed=seed).tokens_per_second)
                tell(f"{row}: {ours[-1]:.1f} and {theirs[-1]:.1f} tokens/s")
    except (foreign.MissingError, foreign.BrokenError) as why:
        return Row.missing(row, target, str(why))
    remark = f"{median(ours):.1f} and {median(theirs):.1f} tokens/s, {n_tokens} tokens, {n_threads} threads"
    return Row.of(row, target, [own / other for own, other in zip(ours, theirs, strict=True)], remark=remark)
