"""How fast the engine is, beside llama.cpp's own programs and PyTorch's tools, on random models of real shapes.

    python -m tests.benchmarks.engine_rows [ROW ...] [--model-folder FOLDER] [--llama-bench PATH]
        [--llama-cvector-generator PATH] [--others-python PATH] [--statements FILE] [--threads N]
        [--times N] [--only SHAPE] [--json]

Rows: writing, turning, extraction, repeng, saklas, sweep; all of them unless some are named. Every value is a ratio of
two things measured in turns in one run; let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from localsteer.llama.threads import default_threads
from tests.benchmarks import statements
from tests.benchmarks.extraction_rows import against_llama_cpp, against_repeng
from tests.benchmarks.generation_rows import dial_turned, steered_against_bare
from tests.benchmarks.rows import Row, Target, report
from tests.benchmarks.saklas_row import against_saklas
from tests.benchmarks.shapes import LARGE, SMALL, usual_folder
from tests.benchmarks.sweep_rows import sweep_together

ROWS = ("writing", "turning", "extraction", "repeng", "saklas", "sweep")


@dataclass(frozen=True, slots=True)
class _Shape:
    """``alone``: how many prompts of the sweep are answered one after the other."""

    name: str
    path: Path
    speed: Target
    together: Target
    alone: int


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="those named at the top; none for all")
    parser.add_argument("--model-folder", type=Path, default=usual_folder(), help="where the models are written")
    parser.add_argument("--only", choices=("135M", "1B"), help="one of the shapes")
    parser.add_argument("--llama-bench", type=Path)
    parser.add_argument("--llama-cvector-generator", type=Path)
    parser.add_argument("--others-python", type=Path, help="a Python with torch, transformers, repeng and saklas")
    parser.add_argument("--statements", type=Path, help="a JSON list of truncated statements; made up without it")
    parser.add_argument("--threads", type=int, help="as many as the engine takes by itself without it")
    parser.add_argument("--times", type=int, help="repetitions of every row")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions of the app's rows, in the whole table")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no rows are called {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    return options


def measured(options: argparse.Namespace) -> list[Row]:
    """The rows that were asked for."""
    wanted = options.rows or ROWS
    small, large = SMALL.write(options.model_folder), LARGE.write(options.model_folder)
    threads = options.threads or default_threads(SMALL.n_params)
    texts = statements.read(options.statements) if options.statements else statements.made_up()
    shapes = (
        _Shape("1B Q4_0", large, Target("≥", 0.98), Target("≥", 2.0), 2),
        _Shape("135M Q8_0", small, Target("≥", 0.95), Target("≥", 2.5), 4),
    )
    rows: list[Row] = []
    for shape in shapes:
        if options.only not in (None, shape.name.split()[0]):
            continue
        name, path = shape.name, shape.path
        if "writing" in wanted:
            rows.append(
                steered_against_bare(
                    name,
                    path,
                    shape.speed,
                    llama_bench=options.llama_bench,
                    n_tokens=96,
                    times=options.times or 7,
                    n_threads=threads,
                )
            )
        if "turning" in wanted:
            rows.extend(dial_turned(name, path, n_tokens=160, times=options.times or 3, n_threads=threads))
        if "sweep" in wanted:
            rows.append(
                sweep_together(
                    name, path, shape.together, alone=shape.alone, times=options.times or 1, n_threads=threads
                )
            )
    if options.only != "1B":
        once = options.times or 1
        name = "135M"
        if "extraction" in wanted:
            program = options.llama_cvector_generator
            rows.extend(against_llama_cpp(name, small, texts, program=program, times=once, n_threads=threads))
        if "repeng" in wanted:
            rows.append(against_repeng(name, small, texts, python=options.others_python, times=once, n_threads=threads))
        if "saklas" in wanted:
            rows.append(
                against_saklas(
                    name,
                    small,
                    python=options.others_python,
                    home=options.model_folder / "saklas",
                    n_tokens=64,
                    times=options.times or 3,
                    n_threads=threads,
                )
            )
    return rows


def main() -> None:
    """Measure and print."""
    options = asked()
    report(measured(options), json_wanted=options.json)


if __name__ == "__main__":
    main()
