"""The list of models as a table that is no wider than the terminal, and the words it uses."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

import click

from localsteer.cli.output import one_line, size, table
from localsteer.library.memory_fit import MemoryFit
from localsteer.library.models import FoundModel

_HEADINGS = ("MODEL", "SIZE", "TYPE", "CONTEXT", "MEMORY", "STEERING", "FOUND IN")
_STEERING = {"yes": "yes", "no": "no", "unknown": "try it"}
_COLOURS = {"fits": "green", "tight": "yellow", "too large": "red"}
_VERDICT = 4
_DROPPED_FIRST = (6, 3, 2, 5)
"""Columns that a narrow terminal goes without, in this order."""
_SHORTEST_NAME = 16


def model_table(models: Sequence[FoundModel], n_ctx: int) -> str:
    """A row for each model, and why it cannot chat where it cannot: beside it in a pipe, under it in a terminal, whose
    width is never exceeded.
    """
    rows = [_row(model, n_ctx) for model in models]
    problems = [model.problem for model in models]
    if not sys.stdout.isatty():
        return table([(*row, problem) for row, problem in zip(rows, problems, strict=True)], (*_HEADINGS, ""))
    width = shutil.get_terminal_size().columns
    headings, *lines = _fitted(rows, width).split("\n")
    said = [click.style(headings, bold=True)]
    for line, row, problem, model in zip(lines, rows, problems, models, strict=True):
        if problem:
            said += [click.style(line, dim=True), click.style(_under(problem, model, width), fg="yellow")]
        else:
            said.append(_coloured(line, row[_VERDICT]))
    return "\n".join(said)


def _row(model: FoundModel, n_ctx: int) -> tuple[str, ...]:
    facts = model.facts
    return (
        model.name,
        size(model.size_bytes),
        facts.quantisation,
        f"{facts.context_length:,}" if facts.context_length else "",
        "" if model.problem else model.memory_fit(n_ctx).verdict,
        _STEERING["no" if model.problem else facts.steering],
        model.origin,
    )


def _fitted(rows: Sequence[tuple[str, ...]], width: int) -> str:
    """Columns are left out until names have room, and names that still have none are cut in the middle."""
    columns = list(range(len(_HEADINGS)))
    longest = max(len(row[0]) for row in (_HEADINGS, *rows))
    for dropped in (*_DROPPED_FIRST, None):
        others = sum(2 + max(len(row[column]) for row in (_HEADINGS, *rows)) for column in columns[1:])
        room = max(_SHORTEST_NAME, width - others)
        if dropped is None or room >= min(longest, 2 * _SHORTEST_NAME):
            break
        columns.remove(dropped)
    chosen = [[_middle_cut(row[0], room), *(row[column] for column in columns[1:])] for row in (_HEADINGS, *rows)]
    return table(chosen[1:], chosen[0])


def _middle_cut(name: str, room: int) -> str:
    """Both ends of a name tell models apart: the family in front, the quantisation behind."""
    if len(name) <= room:
        return name
    behind = (room - 1) // 2
    return f"{name[: room - 1 - behind]}…{name[len(name) - behind :]}"


def _under(problem: str, model: FoundModel, width: int) -> str:
    """The sentence in as many lines as it takes, with file names instead of whole paths."""
    short = one_line(problem.replace(f"{model.path.parent}{os.sep}", ""))
    return textwrap.fill(short, max(width, _SHORTEST_NAME), initial_indent="  ", subsequent_indent="  ")


def _coloured(line: str, verdict: str) -> str:
    before, found, after = line.rpartition(f"  {verdict}")
    return before + click.style(found, fg=_COLOURS.get(verdict)) + after if verdict and found else line


def fit_words(fit: MemoryFit) -> str:
    """The verdict, and what to do about it."""
    return f"{fit.verdict}: {fit.advice}" if fit.advice else fit.verdict


def steering_words(model: FoundModel) -> str:
    """Whether it can be steered, in words."""
    match model.facts.steering:
        case "yes":
            return "yes"
        case "no":
            return "no" if model.problem else "no: llama.cpp adds no control vectors in such a model"
        case _:
            return "found out by trying when it is loaded"
