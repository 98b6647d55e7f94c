"""``localsteer sweep``: what a vector does and costs, strength by strength."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from localsteer import __version__
from localsteer.cli.dials import find_vectors, make_dials
from localsteer.cli.options import json_option, model_options, read_layers
from localsteer.cli.output import note, print_json, signed, spoken_layers, table
from localsteer.cli.session import Home, Session, identify
from localsteer.engine.protocol import Sweep, SweepRow, Swept
from localsteer.errors import DialError, RecipeError
from localsteer.library.dials import VectorToUse
from localsteer.library.places import Places
from localsteer.library.recipes import check_contrast_file, find_recipe

_MOST_STRENGTHS = 200
EACH = "each"


@click.command()
@click.argument("name")
@model_options
@click.option("--strengths", default="-2:2:0.5", metavar="A:B:STEP", help="From, to, step.  [default: -2:2:0.5]")
@click.option("--layers", metavar="A-B|A,B|each", help="Layers to steer; `each` by itself.  [default: the vector's]")
@click.option("--recipe", "recipe_file", metavar="FILE", help="Contrasts to measure on, where no recipe has that NAME.")
@click.option("--controls", default=5, type=click.IntRange(0, 100), metavar="N", help="Random vectors.  [default: 5]")
@click.option("--seed", default=0, type=click.IntRange(min=0), metavar="N", help="[default: 0]")
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
    controls: int,
    seed: int,
    as_json: bool,
) -> None:
    """Measure the vector NAME at several strengths: effect, cost, and random vectors beside it.

    Effect: how much likelier the positive pole's answers become than the negative one's, in nats per token, on held-out
    contrasts. Cost: perplexity and KL divergence on the model's own unsteered replies. Ctrl+C keeps what is measured.
    """
    grid = read_grid(strengths)
    windows: tuple[tuple[int, ...], ...] = () if layers is None or layers == EACH else (read_layers(layers) or (),)
    home = Home.find()
    path = home.model_path(model)
    model_id = identify(path)
    wanted = find_vectors({name: 1.0}, model_id, home.places)
    recipe = _recipe(wanted[0][0], recipe_file, home.places)
    found = _Found([], None)
    with Session(home, path, n_ctx=n_ctx, threads=threads, gpu_layers=gpu_layers) as session:
        (dial,) = make_dials(wanted, "reply", session)
        if layers == EACH:
            windows = tuple((layer,) for layer in range(1, session.card.n_layer))
        command = Sweep(0, str(recipe), dial.vector_path, grid, windows, controls, seed)
        try:
            for event in session.sweep(command):
                if isinstance(event, SweepRow):
                    found.rows.append(event)
                elif isinstance(event, Swept):
                    found.end = event
        except KeyboardInterrupt:
            note(f"Stopped after {len(found.rows)} settings; here is what they gave.")
        model_name = session.card.name
    if as_json:
        print_json(_document(found, name, model_name, model_id, recipe, seed))
    else:
        click.echo(_text(found, name, model_name))
    if found.end is None:
        raise KeyboardInterrupt


@dataclass
class _Found:
    rows: list[SweepRow]
    end: Swept | None


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
        count = math.floor((last - first) / step + 1e-9) + 1
        if count > _MOST_STRENGTHS:
            raise DialError(f'The grid "{text}" has {count} strengths; take a larger step ({_MOST_STRENGTHS} at most).')
        numbers = [first + number * step for number in range(count)]
    return tuple(round(number, 9) + 0.0 for number in numbers)


def _recipe(vector: VectorToUse, recipe_file: str | None, places: Places) -> Path:
    """The contrasts to measure on. Raises RecipeError."""
    if recipe_file is not None:
        path = Path(recipe_file).expanduser().absolute()
        check_contrast_file(path)
        return path
    recipe = vector.make_from or find_recipe(vector.name, places)
    if recipe is None:
        raise RecipeError(f'There is no recipe named "{vector.name}" to measure on; name one with --recipe FILE.')
    return recipe.path


def _document(found: _Found, name: str, model: str, model_id: str, recipe: Path, seed: int) -> dict[str, object]:
    end = found.end
    return {
        "vector": name,
        "model": model,
        "model_id": model_id,
        "recipe": str(recipe),
        "seed": seed,
        "version": __version__,
        "complete": end is not None,
        "rows": [{key: value for key, value in asdict(row).items() if key != "request"} for row in found.rows],
        "random_effect_low": end.random_effect_low if end else None,
        "random_effect_high": end.random_effect_high if end else None,
        "safe_low": end.safe_low if end else None,
        "safe_high": end.safe_high if end else None,
    }


def _text(found: _Found, name: str, model: str) -> str:
    rows = [
        (
            spoken_layers(row.layers),
            signed(row.strength),
            f"{row.effect:+.3f}",
            f"{row.effect_low:+.3f} to {row.effect_high:+.3f}",
            f"{row.perplexity_ratio:.2f}",
            f"{row.kl:.3f}",
        )
        for row in found.rows
    ]
    lines = [
        f"{name} on {model}",
        "",
        table(rows, ("layers", "strength", "effect", "95 % interval", "perplexity ratio", "KL")),
    ]
    if found.end is not None:
        end = found.end
        lines += [
            "",
            f"random vectors of the same norms: effect {end.random_effect_low:+.3f} to {end.random_effect_high:+.3f}",
            f"safe from {signed(end.safe_low)} to {signed(end.safe_high)}",
        ]
    return "\n".join(lines)
