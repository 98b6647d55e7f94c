"""The whole table: the engine beside other programs, and the app beside its engine.

    python -m tests.benchmarks [the options of engine_rows]

Takes about twenty minutes on two cores with everything that it compares with installed; let nothing else run meanwhile.
Rows of what is not installed say so.
"""

from __future__ import annotations

from tests.benchmarks import app_rows, engine_rows
from tests.benchmarks.rows import report


def main() -> None:
    """Measure everything, and print it."""
    options = engine_rows.asked()
    report(
        [*engine_rows.measured(options), *app_rows.rows(options.model_folder, quick=options.quick)],
        json_wanted=options.json,
    )


if __name__ == "__main__":
    main()
