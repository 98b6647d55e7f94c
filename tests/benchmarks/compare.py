"""What writing side by side costs: the time of N sides over the time of one reply written alone.

    python -m tests.benchmarks.compare [--sides 2] [--tokens 60] [--repetitions 15] [--model PATH]

The same prompt, the same number of tokens, as fast as it goes; medians over repetitions that take turns. One side is
steered by 1.0 and the others lie evenly from there to −1.0; with two, the other is unsteered. Printed are the ratios of
the times, all included, with the prompt unread and with the prompt in the chat's cache.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    Compare,
    DialSetting,
    Extract,
    Finished,
    Generate,
    Load,
    Sampling,
    SideFinished,
    Turn,
)
from localsteer.library.places import practice_model

ROOT = Path(__file__).parents[2]
TURNS = (Turn("user", "Tell me about gardens."),)
OTHER = (Turn("user", "What do you think of the sea?"),)


def ratios(
    engine: Engine, dial: DialSetting, *, sides: int, tokens: int, repetitions: int, cached: bool
) -> tuple[float, float, float]:
    """Seconds alone and side by side for as many tokens each, medians, and the median of their ratios."""
    strengths = [1.0, 0.0] if sides == 2 else [1.0 - 2.0 * place / max(1, sides - 1) for place in range(sides)]
    settings = tuple((replace(dial, strength=strength),) for strength in strengths)
    alone, together = [], []
    for seed in range(repetitions):
        # Warm enough to go on for long; repetitions in which a reply ends early are not counted.
        sampling = Sampling(temperature=1.5, top_k=0, top_p=1.0, min_p=0.0, seed=seed, max_tokens=tokens)
        prepare(engine, cached)
        began = time.perf_counter()
        (one,) = [e for e in engine.generate(Generate(1, TURNS, settings[0], sampling)) if isinstance(e, Finished)]
        first = time.perf_counter() - began
        prepare(engine, cached)
        began = time.perf_counter()
        all_of_them = [
            e.reply for e in engine.compare(Compare(2, TURNS, settings, sampling)) if isinstance(e, SideFinished)
        ]
        second = time.perf_counter() - began
        if all(len(reply.tokens) == tokens for reply in [one, *all_of_them]):
            alone.append(first)
            together.append(second)
    if not alone:
        sys.exit("no seed gave replies that are long enough; try fewer tokens")
    each = [b / a for a, b in zip(alone, together, strict=True)]
    return statistics.median(alone), statistics.median(together), statistics.median(each)


def prepare(engine: Engine, cached: bool) -> None:
    """Have the prompt in the chat's cache, or something else."""
    list(engine.generate(Generate(0, TURNS if cached else OTHER, (), Sampling(max_tokens=1))))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--repetitions", type=int, default=31)
    parser.add_argument("--model", type=Path, default=practice_model())
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Engine() as engine:
        card = engine.load(Load(0, str(asked.model)))
        vector = Path(folder) / "mood.gguf"
        list(engine.extract(Extract(1, str(ROOT / "vectors" / "mood.toml"), str(vector), calibrate=False)))
        dial = DialSetting("mood", str(vector), 1.0)
        sys.stdout.write(f"{card.name}, {card.n_threads} threads, {asked.sides} sides of {asked.tokens} tokens\n")
        for cached in (False, True):
            one, many, ratio = ratios(
                engine,
                dial,
                sides=asked.sides,
                tokens=asked.tokens,
                repetitions=asked.repetitions,
                cached=cached,
            )
            sys.stdout.write(
                f"prompt {'cached' if cached else 'unread'}: alone {one * 1000:.1f} ms, "
                f"side by side {many * 1000:.1f} ms, ratio {ratio:.2f}\n"
            )


if __name__ == "__main__":
    main()
