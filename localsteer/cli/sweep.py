"""``localsteer sweep``: what a vector does and costs, strength by strength."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from localsteer.cli.contrasts import contrast_options, read_contrast_options
from localsteer.cli.dials import find_vectors, make_dials
from localsteer.cli.options import json_option, model_options, read_layers
from localsteer.cli.output import echo, note, print_json
from localsteer.cli.session import Home, Session, identify
from localsteer.cli.sweep_report import SweepFacts, SweepFindings, as_document, as_text
from localsteer.cli.versions import versions
from localsteer.engine.findings import finding_in, setting_of
from localsteer.engine.protocol import Finding, ModelCard, Sweep, SweepRow
from localsteer.engine.steerable_layers import check_layers
from localsteer.errors import DialError, LocalsteerError, RecipeError, StorageError
from localsteer.file_reading import is_file, typed_path
from localsteer.library.dials import VectorToUse
from localsteer.library.files import file_digest
from localsteer.library.measured import keep_sweep
from localsteer.library.places import Places
from localsteer.library.recipes import ContrastOptions, contrast_digest, find_recipe
from localsteer.library.sweep_journal import SweepJournal, SweepKey
from localsteer.library.vector_cards import VectorCard, read_vector_card
from localsteer.plots.curve import Curve
from localsteer.plots.style import check_plotting
from localsteer.plots.sweep import plot_sweep

_MOST_STRENGTHS = 200
EACH = "each"


@click.command()
@click.argument("name")
@model_options
@click.option("--strengths", default="-2:2:0.5", metavar="A:B:STEP", help="From, to, step.  [default: -2:2:0.5]")
@click.option("--layers", metavar="A-B|A,B|each", help="Layers to steer; `each` by itself.  [default: the vector's]")
@click.option("--recipe", "recipe_file", metavar="FILE", help="Contrasts to measure on.  [default: the recipe NAME]")
@contrast_options
@click.option("--controls", default=5, type=click.IntRange(0, 100), metavar="N", help="Random vectors.  [default: 5]")
@click.option("--seed", default=0, type=click.IntRange(min=0), metavar="N", help="[default: 0]")
@click.option("--fresh", is_flag=True, help="Measure anew what the same sweep has measured before.")
@click.option("--plot", metavar="OUT.png", help="Draw a picture of it, too.")
@json_option
def sweep(
    name: str,
    model: str | None,
    threads: int | None,
    gpu_layers: int | None,
    n_ctx: int | None,
    strengths: str,
    layers: str | None,
    recipe_file: str | None,
    poles: str | None,
    persona: str | None,
    stems: str | None,
    controls: int,
    seed: int,
    fresh: bool,
    plot: str | None,
    as_json: bool,
) -> None:
    """Measure the vector NAME at several strengths: effect, cost, and random vectors and plain prompting beside it.

    Effect: how much likelier the positive pole's answers become than the negative one's, in nats per token, on
    contrasts of the recipe; --recipe takes others, from which the vector was not made. Cost: perplexity and KL
    divergence on the model's own unsteered replies.

    Ctrl+C keeps what is measured, and the same command goes on from there.
    """
    picture = None if plot is None else typed_path(plot)
    if picture is not None:
        check_plotting(picture)
    grid = read_grid(strengths)
    asked = None if layers is None or layers == EACH else read_layers(layers)
    home = Home.find()
    path = home.model_path(model)
    model_id = identify(path)
    wanted = find_vectors({name: 1.0}, model_id, home.places)
    recipe = _recipe(wanted[0][0], recipe_file, home.places)
    options = _options(poles, persona, stems, wanted[0][0])
    # Before a model is loaded, so that a slip in the file costs no time.
    recipe_digest = contrast_digest(recipe, options)
    with Session(home, path, n_ctx=n_ctx, threads=threads, gpu_layers=gpu_layers) as session:
        check_layers(asked or (), session.card.name, session.card.n_layer)
        (dial,) = make_dials(wanted, "reply", session)
        vector = read_vector_card(Path(dial.vector_path))
        command = Sweep(
            0,
            str(recipe),
            dial.vector_path,
            grid,
            _windows(layers == EACH, asked, vector, session.card),
            controls,
            seed,
            positive=options.positive,
            negative=options.negative,
            persona=options.persona,
            stems=options.stems,
        )
        facts = SweepFacts(
            vector=name,
            vector_digest=file_digest(vector.path),
            method=vector.method,
            poles=(vector.positive_pole, vector.negative_pole),
            model=session.card.name,
            model_id=model_id,
            recipe=str(recipe),
            recipe_digest=recipe_digest,
            seed=seed,
            strengths=grid,
            windows=command.layers,
            controls=controls,
            versions=versions(),
        )
        found = _measured(session, command, SweepJournal.at(home.places, _key(facts, command)), fresh=fresh)
    document = as_document(facts, found)
    if found.end is not None:
        with contextlib.suppress(StorageError):
            keep_sweep(vector.path, document)
    if picture is not None:
        _draw(document, picture)
    if as_json:
        print_json(document)
    else:
        echo(as_text(facts, found))
    if found.end is None:
        raise KeyboardInterrupt


def _draw(document: Mapping[str, Any], out: Path) -> None:
    curve = Curve.read(document)
    plot_sweep(curve.points, *curve.random, *curve.safe, out, title=f"{document['vector']} on {document['model']}")
    note(f"drew {out}")


def _measured(session: Session, command: Sweep, journal: SweepJournal, *, fresh: bool) -> SweepFindings:
    """All findings, or those that were made until Ctrl+C. Each is kept in the journal before the next is made."""
    if fresh:
        journal.forget()
    known = journal.read()
    again = [one for one in known.values() if isinstance(one, SweepRow) and _asked_for(one, command)]
    if again:
        note(f"{len(again)} settings were measured before and are taken from there; --fresh measures them anew.")
    found = SweepFindings()
    keeping = True
    try:
        for event in session.sweep(replace(command, known=tuple(known.values()))):
            found.add(event)
            finding = finding_in(event)
            if keeping and finding is not None and setting_of(finding) not in known:
                keeping = _kept(journal, finding)
    except KeyboardInterrupt:
        note(f"Stopped after {len(found.rows)} settings; the same command goes on from there.")
    except LocalsteerError:
        if found.rows:
            note(f"{len(found.rows)} settings are measured; the same command goes on from there.")
        raise
    return found


def _asked_for(row: SweepRow, command: Sweep) -> bool:
    return row.strength in command.strengths and row.layers in command.layers


def _kept(journal: SweepJournal, finding: Finding) -> bool:
    """True when it is on the disk. A full disk is no reason to stop measuring."""
    try:
        journal.keep(finding)
    except StorageError as error:
        note(f"{error} What this sweep measures cannot be taken up again.")
        return False
    return True


def _key(facts: SweepFacts, command: Sweep) -> SweepKey:
    effort = (command.pairs, command.answer_tokens, command.replies, command.reply_tokens)
    return SweepKey(facts.model_id, facts.vector_digest, facts.recipe_digest, facts.seed, effort, facts.versions)


def _windows(
    each: bool, asked: tuple[int, ...] | None, vector: VectorCard, model: ModelCard
) -> tuple[tuple[int, ...], ...]:
    """The layers to be steered together, each in turn."""
    if each:
        return tuple((layer,) for layer in vector.layers if 1 <= layer < model.n_layer)
    return (asked or vector.default_layers,)


def _options(poles: str | None, persona: str | None, stems: str | None, vector: VectorToUse) -> ContrastOptions:
    """What the command line says of the contrasts; poles that it leaves open are those of the vector, if there is one
    already.
    """
    options = read_contrast_options(poles, persona, stems)
    if poles is not None or not is_file(vector.path):
        return options
    card = read_vector_card(vector.path)
    return replace(options, positive=card.positive_pole, negative=card.negative_pole)


def read_grid(text: str) -> tuple[float, ...]:
    """``A:B:STEP``, both ends included, or ``A,B,…``. Raises DialError."""
    try:
        numbers = [float(part) for part in (text.split(":") if ":" in text else text.split(","))]
    except ValueError:
        numbers = []
    if not numbers or not all(map(math.isfinite, numbers)) or (":" in text and len(numbers) != 3):
        raise DialError(f'"{text}" is no grid of strengths; write it as -2:2:0.5 or -1,0,1.')
    if ":" in text:
        first, last, step = numbers
        if step <= 0 or last < first:
            raise DialError(f'The grid "{text}" does not go upwards; write it like -2:2:0.5.')
        steps = (last - first) / step
        if not steps < _MOST_STRENGTHS:  # it may be infinite
            raise DialError(
                f'The grid "{text}" has too many strengths; take a larger step ({_MOST_STRENGTHS} at most).'
            )
        numbers = [first + number * step for number in range(math.floor(steps + 1e-9) + 1)]
    grid = tuple(dict.fromkeys(round(number, 9) + 0.0 for number in numbers))
    if len(grid) > _MOST_STRENGTHS:
        raise DialError(f"These are {len(grid)} strengths; take fewer ({_MOST_STRENGTHS} at most).")
    return grid


def _recipe(vector: VectorToUse, recipe_file: str | None, places: Places) -> Path:
    """The contrasts to measure on. Raises RecipeError."""
    if recipe_file is not None:
        return typed_path(recipe_file).absolute()
    recipe = vector.make_from or find_recipe(vector.name, places)
    if recipe is None:
        raise RecipeError(f'There is no recipe named "{vector.name}" to measure on; name one with --recipe FILE.')
    return recipe.path
