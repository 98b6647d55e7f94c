"""Writing under dials: beside llama.cpp's own benchmark program, and while a dial is turned."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from tests.benchmarks import foreign
from tests.benchmarks.rows import Row, Target, tell
from tests.benchmarks.timed_engine import TimedEngine

_TURN_EVERY = 16


def steered_against_bare(
    name: str,
    model: Path,
    target: Target,
    *,
    llama_bench: Path | None,
    n_tokens: int,
    times: int,
    n_threads: int | None,
) -> Row:
    """Tokens per second under four dials over those of llama-bench, which decodes and draws nothing."""
    row = f"writing, four dials on all layers, {name} ÷ llama-bench"
    try:
        program = foreign.find("llama-bench", llama_bench, "--llama-bench")
    except foreign.MissingError as missing:
        return Row.missing(row, target, str(missing))
    ratios, ours, theirs = [], [], []
    with tempfile.TemporaryDirectory() as folder, TimedEngine(model, n_threads) as engine:
        dials = engine.random_dials(Path(folder), 4)
        depth = engine.reply(dials, 8).finished.context_used - 8
        for seed in range(times):
            bare = _bare(program, model, n_tokens, depth, engine.card.n_threads)
            steered = engine.reply(dials, n_tokens + 1, seed=seed).tokens_per_second
            tell(f"{row}: {steered:.1f} ÷ {bare:.1f} tokens/s")
            ratios.append(steered / bare)
            ours.append(steered)
            theirs.append(bare)
        remark = (
            f"{median(ours):.1f} ÷ {median(theirs):.1f} tokens/s, {n_tokens} tokens after {depth}, "
            f"{engine.card.n_threads} threads, child process and sampling included"
        )
    return Row.of(row, target, ratios, remark=remark)


def _bare(program: Path, model: Path, n_tokens: int, depth: int, n_threads: int) -> float:
    command = [program, "-m", model, "-p", "0", "-n", n_tokens, "-d", depth, "-t", n_threads, "-r", "1", "-o", "json"]
    done = foreign.run([str(part) for part in command])
    found = json.loads(done.output[done.output.index("[\n") :])
    return float(found[0]["avg_ts"])


def dial_turned(name: str, model: Path, *, n_tokens: int, times: int, n_threads: int | None) -> list[Row]:
    """What a turned dial costs: prompt tokens read again, and how long the next token takes."""
    ratios: list[float] = []
    again: list[float] = []
    with tempfile.TemporaryDirectory() as folder, TimedEngine(model, n_threads) as engine:
        first, *others = engine.random_dials(Path(folder), 4)
        engine.reply([first, *others], 8)
        for seed in range(times):

            def turn(index: int, seed: int = seed) -> None:
                if index % _TURN_EVERY == _TURN_EVERY // 2:
                    engine.turn([replace(first, strength=0.01 * (index + 1) + 0.001 * seed), *others])

            reply = engine.reply([first, *others], n_tokens, seed=seed, on_token=turn)
            # The token chosen under new dials is the first to wait for them.
            turned = {mark.start for mark in reply.finished.marks} - {0}
            waits = dict(enumerate(reply.waits(), 1))
            normal = median(wait for token, wait in waits.items() if token not in turned)
            ratios.extend(waits[token] / normal for token in turned)
            again.append(float(reply.started.prompt_tokens_evaluated))
            again.append(float(reply.finished.prompt_tokens_evaluated))
        remark = f"{len(ratios)} turns in {times} replies of {n_tokens} tokens"
    return [
        Row.of(f"prompt tokens read again after a dial was turned, {name}", Target("≤", 0), again, "tokens", remark),
        Row.of(f"the token after a turned dial ÷ a normal one, {name}", Target("≤", 1.25), ratios, remark=remark),
    ]
