"""Making a vector from two personas' statements: beside llama.cpp's own tool, and beside repeng."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from tests.benchmarks import foreign, statements
from tests.benchmarks.rows import Row, Target, tell

ELSEWHERE = Path(__file__).with_name("elsewhere.py")


class Extraction:
    """One vector, made in several ways from the same pairs of texts; every way is a process of its own, measured from
    when its model is loaded to its end.
    """

    def __init__(self, model: Path, texts: Sequence[str], n_threads: int, folder: Path) -> None:
        self._model = model
        self._n_threads = str(n_threads)
        self._folder = folder
        self.pairs = statements.pairs(list(texts))
        self._json = folder / "pairs.json"
        self._json.write_text(
            json.dumps([{"positive": one, "negative": other} for one, other in self.pairs]), encoding="utf-8"
        )
        for side, name in enumerate(("positive", "negative")):
            # The tool makes line breaks of these two characters.
            lines = "".join(pair[side].replace("\n", "\\n") + "\n" for pair in self.pairs)
            (folder / f"{name}.txt").write_text(lines, encoding="utf-8")

    def ours(self) -> foreign.Run:
        """By the engine; its last line of output says: prompts, tokens evaluated, tokens one by one."""
        program = [sys.executable, "-m", "tests.benchmarks.extraction_child"]
        return foreign.run(
            [*program, self._model, self._json, self._folder / "a.gguf", self._n_threads], since="loaded"
        )

    def llama_cpp(self, program: Path) -> foreign.Run:
        """By llama.cpp's tool with the mean difference, as ours; it reads every position of every layer."""
        files: list[str | Path] = [
            "--positive-file",
            self._folder / "positive.txt",
            "--negative-file",
            self._folder / "negative.txt",
        ]
        settings: list[str | Path] = [
            "--method",
            "mean",
            "-t",
            self._n_threads,
            "-c",
            "512",
            "-ngl",
            "0",
            "-o",
            self._folder / "b.gguf",
        ]
        return foreign.run([program, "-m", self._model, *files, *settings], since="n_total_tokens")

    def repeng(self, python: Path) -> foreign.Run:
        """By repeng on a Llama of the same shape and vocabulary in float32, as it is by itself: batches of 32, PCA."""
        return foreign.run([python, ELSEWHERE, "repeng", self._model, self._json, self._n_threads], since="loaded")


def against_llama_cpp(
    name: str, model: Path, texts: Sequence[str], *, program: Path | None, times: int, n_threads: int
) -> list[Row]:
    """How many times faster, and how much smaller above the model's own size."""
    speed, memory = Target("≥", 30), Target("≤", 0.25)
    faster = f"vector from {2 * len(texts):,} prompts, {name}: times faster than llama-cvector-generator"
    smaller = "memory above the model's ÷ llama-cvector-generator's, the same"
    try:
        found = foreign.find("llama-cvector-generator", program, "--llama-cvector-generator")
        runs = _by_turns(model, texts, n_threads, times, lambda making: making.llama_cpp(found), faster)
    except (foreign.MissingError, foreign.BrokenError) as why:
        return [Row.missing(faster, speed, str(why)), Row.missing(smaller, memory, str(why))]
    size = model.stat().st_size
    above = [((ours.peak - size) / 1e6, (theirs.peak - size) / 1e6) for ours, theirs in runs]
    remark = f"{median(own for own, _ in above):,.0f} ÷ {median(other for _, other in above):,.0f} MB"
    return [
        Row.of(faster, speed, [theirs.seconds / ours.seconds for ours, theirs in runs], remark=_remark(runs)),
        Row.of(smaller, memory, [own / other for own, other in above], remark=remark),
    ]


def against_repeng(
    name: str, model: Path, texts: Sequence[str], *, python: Path | None, times: int, n_threads: int
) -> Row:
    """How many times faster."""
    row, target = f"vector from {2 * len(texts):,} prompts, {name}: times faster than repeng", Target("≥", 30)
    try:
        found = foreign.find_python(python, "repeng")
        runs = _by_turns(model, texts, n_threads, times, lambda making: making.repeng(found), row)
    except (foreign.MissingError, foreign.BrokenError) as why:
        return Row.missing(row, target, str(why))
    return Row.of(row, target, [theirs.seconds / ours.seconds for ours, theirs in runs], remark=_remark(runs))


def _by_turns(
    model: Path,
    texts: Sequence[str],
    n_threads: int,
    times: int,
    other: Callable[[Extraction], foreign.Run],
    row: str,
) -> list[tuple[foreign.Run, foreign.Run]]:
    """Ours and the other's in pairs. Theirs takes a minute or more, so ours before and after it are both counted."""
    with tempfile.TemporaryDirectory() as folder:
        making = Extraction(model, texts, n_threads, Path(folder))
        ours = [making.ours()]
        runs = []
        for _ in range(times):
            theirs = other(making)
            ours.append(making.ours())
            runs += [(ours[-2], theirs), (ours[-1], theirs)]
            tell(f"{row}: {ours[-2].seconds:.2f} and {ours[-1].seconds:.2f} s, theirs {theirs.seconds:.1f} s")
    return runs


def _remark(runs: Sequence[tuple[foreign.Run, foreign.Run]]) -> str:
    own, other = (median(run.seconds for run in side) for side in zip(*runs, strict=True))
    _, evaluated, one_by_one = runs[0][0].output.splitlines()[-1].split()
    return f"{own:.2f} s and {other:.1f} s; {int(evaluated):,} tokens evaluated instead of {int(one_by_one):,}"
