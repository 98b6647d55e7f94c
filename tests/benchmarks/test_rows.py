from __future__ import annotations

import json

from tests.benchmarks.rows import Row, Target, as_json, table


def test_a_row_is_the_median_of_its_samples_and_their_quartiles() -> None:
    row = Row.of("speed", Target("≥", 0.98), [1.0, 3.0, 2.0, 5.0, 4.0])
    assert (row.value, row.low, row.high, row.met) == (3.0, 2.0, 4.0, True)
    few = Row.of("time", Target("≤", 2.5), [1.0, 3.0, 2.9], "ms")
    assert (few.value, few.low, few.high, few.met) == (2.9, 1.0, 3.0, False)


def test_what_was_not_measured_has_no_verdict_and_says_why() -> None:
    rows = [Row.missing("speed", Target("≥", 30), "tool not found: put it on PATH"), Row.of("size", None, [3.0], "MB")]
    assert [row.met for row in rows] == [None, None]
    first, second = json.loads(as_json(rows))["rows"]
    assert first["value"] is None
    assert first["target"] == "≥ 30"
    assert first["remark"] == "tool not found: put it on PATH"
    assert (second["value"], second["unit"], second["target"]) == (3.0, "MB", None)
    lines = table(rows).splitlines()
    assert lines[2] == "| speed | ≥ 30 | not measured |  |  | tool not found: put it on PATH |"
    assert lines[3] == "| size |  | 3.000 MB | 3.000 to 3.000 |  |  |"
