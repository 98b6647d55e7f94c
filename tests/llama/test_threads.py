"""Threads follow the cores there are, and a small model takes one."""

from __future__ import annotations

import os

from localsteer.llama.threads import default_threads


def test_a_large_model_takes_at_most_the_processors_it_may_run_on() -> None:
    assert 1 <= default_threads() <= (os.cpu_count() or 1)
    assert default_threads(2_000_000_000) == default_threads()


def test_a_tiny_model_takes_one_thread() -> None:
    assert default_threads(3_000_000) == 1
