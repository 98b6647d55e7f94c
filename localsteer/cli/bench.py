"""``localsteer bench``: what this machine does with a model, and what steering costs on it."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import psutil

from localsteer.cli.options import FiniteRange, json_option, model_options
from localsteer.cli.output import echo, print_json, show_progress, size, table
from localsteer.cli.session import Home, Session
from localsteer.cli.versions import versions
from localsteer.engine.benching import Bench, BenchRow
from localsteer.engine.machine import inspect_build
from localsteer.engine.protocol import ModelCard
from localsteer.library.recipes import require_recipe


@click.command()
@model_options
@click.option(
    "--seconds",
    default=12.0,
    type=FiniteRange(0.1, 600),
    metavar="S",
    help="For each kind of measurement. [default: 12]",
)
@click.option("--recipe", default="mood", metavar="NAME", help="Makes a vector from this one.  [default: mood]")
@json_option
def bench(
    model: str | None,
    threads: int | None,
    gpu_layers: int | None,
    n_ctx: int | None,
    seconds: float,
    recipe: str,
    as_json: bool,
) -> None:
    """Measure, in about a minute, how fast a model reads and writes here, and what dials cost.

    Steered and unsteered take turns; every figure is a median with the quartiles it lies between. Close other programs
    first. Nothing is kept.
    """
    home = Home.find()
    path = home.model_path(model)
    contrasts = require_recipe(recipe, home.places).path
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Session(home, path, n_ctx=n_ctx, threads=threads, gpu_layers=gpu_layers) as session,
    ):
        rows = []
        for row in Bench(session, contrasts, Path(folder), seconds=seconds).run():
            rows.append(row)
            show_progress(f"measured: {row.group}, {row.what}")
        card = session.card
    if as_json:
        print_json(_document(card, rows))
    else:
        echo(_report(card, rows))


def _document(card: ModelCard, rows: Sequence[BenchRow]) -> dict[str, Any]:
    described = [
        {
            "what": f"{row.group}: {row.what}",
            "value": row.value,
            "unit": row.unit,
            "low": row.low,
            "high": row.high,
            **({"said": row.said} if row.said else {}),
        }
        for row in rows
    ]
    about = {
        "name": card.name,
        "architecture": card.architecture,
        "quantisation": card.quantisation,
        "parameters": card.n_params,
        "layers": card.n_layer,
        "width": card.n_embd,
        "size_bytes": card.size_bytes,
        "context": card.n_ctx,
    }
    return {"model": about, "machine": _machine(card), "versions": versions(), "rows": described}


def _machine(card: ModelCard) -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.processor() or platform.machine(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": card.n_threads,
        "gpu_layers": card.gpu_layers,
        "memory_bytes": psutil.virtual_memory().total,
        "llama_cpp_features": list(inspect_build().features),
    }


def _report(card: ModelCard, rows: Sequence[BenchRow]) -> str:
    where = f"{card.n_threads} threads" + (f", {card.gpu_layers} layers on the GPU" if card.gpu_layers else "")
    lines = [
        f"{card.name}, {card.quantisation}, {card.n_params / 1e6:,.1f} million parameters, "
        f"{size(card.size_bytes)}; {where}, context {card.n_ctx:,}",
    ]
    for group, members in groupby(rows, key=lambda row: row.group):
        cells = [(f"  {row.what}", _figure(row), _spread(row)) for row in members]
        lines += ["", group, table(cells, ("", "", "")).lstrip("\n")]
    if verdict := _verdict(rows):
        lines += ["", verdict]
    return "\n".join(lines)


def _figure(row: BenchRow) -> str:
    return row.said if row.value is None else f"{_number(row.value)} {row.unit}"


def _spread(row: BenchRow) -> str:
    if row.low is None or row.high is None or row.low == row.high:
        return ""
    return f"(half of the rounds: {_number(row.low)} to {_number(row.high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _verdict(rows: Sequence[BenchRow]) -> str:
    """What it comes to, in a sentence; nothing where dials do not work."""
    share = next((row for row in rows if (row.group, row.what) == ("writing a reply", "steered")), None)
    if share is None or share.value is None or share.low is None or share.high is None:
        return ""
    if share.low <= 100 <= share.high:
        return "Dials cost no measurable speed here."
    if share.value >= 100:
        return "Dials cost no speed here; the rest is the noise of this machine."
    return f"Dials cost {100 - share.value:.1f} % of the writing speed here."
