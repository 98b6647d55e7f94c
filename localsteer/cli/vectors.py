"""``localsteer vectors``: what was made, and what can be made."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from localsteer.cli.combine import combine
from localsteer.cli.options import json_option, model_option
from localsteer.cli.output import echo, echo_styled, note, print_json, signed, spoken_layers, table
from localsteer.cli.see import see
from localsteer.cli.session import Home, identify
from localsteer.cli.vector_card import as_document, as_text, find_tokens
from localsteer.cli.vector_documents import recipe_changed, recipe_document, vector_document
from localsteer.errors import ModelError, VectorError
from localsteer.file_reading import is_file, typed_path
from localsteer.gguf_header import read_header
from localsteer.library.combinations import put_together
from localsteer.library.dials import find_vector, is_expression, looks_like_path
from localsteer.library.measured import read_sweep
from localsteer.library.portraits import read_portrait
from localsteer.library.recipes import RecipeCard, find_recipe, read_card, recipe_cards
from localsteer.library.vector_cards import VectorCard, read_vector_card
from localsteer.library.vectors import VectorLibrary, origin_of_file
from localsteer.plots.card import plot_card
from localsteer.plots.portrait import Portrait
from localsteer.plots.style import check_plotting

if TYPE_CHECKING:
    from localsteer.steering.vector_origin import Origin


@click.group()
def vectors() -> None:
    """The steering vectors on this disk, and the recipes they are made from."""


vectors.add_command(see)
vectors.add_command(combine)


@vectors.command("list")
@model_option
@json_option
def list_vectors(model: str | None, as_json: bool) -> None:
    """List stored vectors, and the recipes that vectors are made from when they are first used."""
    home = Home.find()
    cards = VectorLibrary.at(home.places).all(_model_id(home, model))
    recipes = {card.name: card for card in recipe_cards(home.places)}
    if as_json:
        print_json(
            {
                "vectors": [vector_document(card, recipes.get(card.name)) for card in cards],
                "recipes": [recipe_document(card) for card in recipes.values()],
            }
        )
        return
    if cards:
        rows = [
            (
                card.name,
                _poles(card),
                f"{signed(card.strength_low)} to {signed(card.strength_high)}",
                spoken_layers(card.default_layers),
                card.model_name or _any_model(card),
                _state(card, recipes.get(card.name)),
            )
            for card in cards
        ]
        echo(table(rows, ("VECTOR", "POLES", "RECOMMENDED", "LAYERS", "MADE FOR", "")))
    else:
        echo("No vectors yet: they are made from recipes when a dial is first used, or by `localsteer extract`.")
    echo()
    recipe_rows = [
        (card.group, card.name, _poles(card) if not card.error else "broken", _about(card))
        for card in sorted(recipes.values(), key=lambda card: (card.group, card.name))
    ]
    echo(table(recipe_rows, ("GROUP", "RECIPE", "POLES", "")))


@vectors.command()
@click.argument("name")
@model_option
@click.option("--plot", "out", metavar="OUT.png", help="Draw it, too.")
@click.option("--sweep", "sweep_file", metavar="FILE", help="Effect and cost as `sweep --json` printed them.")
@json_option
def show(name: str, model: str | None, out: str | None, sweep_file: str | None, as_json: bool) -> None:
    """Show everything that is known of the vector NAME (a stored one, a vector file, or an expression).

    Where its model is at hand, the tokens that it promotes and suppresses are among it.
    """
    target = None if out is None else typed_path(out).absolute()
    if target is not None:
        check_plotting(target)
    home = Home.find()
    card = _card(name, home, model)
    recipe_file = None if looks_like_path(name) or card.expression else find_recipe(card.name, home.places)
    recipe = None if recipe_file is None else read_card(recipe_file)
    if card.error:
        raise VectorError(card.error)
    portrait = _portrait(card, home, model, sweep_file)
    if target is not None:
        plot_card(portrait, target)
        note(f"Drawn to {target}.")
    if as_json:
        print_json(vector_document(card, recipe) | as_document(portrait))
        return
    facts = [
        ("vector", card.name),
        ("poles", _poles(card)),
        ("what it does", recipe.description if recipe else ""),
        ("made for", _made_for(card)),
        ("combines", card.expression),
        ("method", card.method),
        ("recommended", f"{signed(card.strength_low)} to {signed(card.strength_high)}"),
        ("steers layers", spoken_layers(card.default_layers)),
        ("recipe", _made_from(card, recipe)),
        ("file", str(card.path)),
    ]
    echo(table([fact for fact in facts if fact[1]], ("", "")).strip("\n "))
    echo_styled(f"\n{as_text(portrait)}", color=False if os.environ.get("NO_COLOR") else None)


def _portrait(card: VectorCard, home: Home, model: str | None, sweep_file: str | None) -> Portrait:
    library = VectorLibrary.at(home.places)
    made_for = library.model_of(card)
    portrait = read_portrait(card, library.all(made_for))
    if sweep_file is not None:
        portrait = replace(portrait, curve=read_sweep(typed_path(sweep_file)))
    return replace(portrait, tokens=find_tokens(card, made_for, home, model))


@vectors.command("import")
@click.argument("file")
@click.option(
    "--layer-offset",
    type=int,
    metavar="N",
    help="Added to every layer; -1 for tools that write one layer late  [default: what the file's own tool needs].",
)
@click.option("--name", metavar="NAME", help="Store it under another name.")
@model_option
def import_vector(file: str, layer_offset: int | None, name: str | None, model: str | None) -> None:
    """Store a vector FILE, made by localsteer or by another tool (any llama.cpp control vector).

    With --model it is checked against that model and kept for it; without, for the model that the file names, else for
    any.
    """
    home = Home.find()
    library = VectorLibrary.at(home.places)
    path = typed_path(file)
    if model is None:
        card = library.add(path, name=name, layer_offset=layer_offset)
        warning = None
    else:
        card, warning = library.add_for(path, home.model_path(model), name=name, layer_offset=layer_offset)
    if layer_offset is None:
        echo(_spoken_origin(origin_of_file(path)), err=True)
    if warning:
        echo(warning, err=True)
    if misfit := _misfit(card, home, model):
        echo(misfit, err=True)
    echo(f"{card.name}: {len(card.layers)} layers, {card.n_embd} wide, kept for {card.model_name or _any_model(card)}.")


def _spoken_origin(origin: Origin | None) -> str:
    if origin is None:
        return "The file does not say which tool wrote it; if its layers are off, import it with --layer-offset."
    moved = f"moved by {origin.layer_offset:+d}" if origin.layer_offset else "taken as they are"
    left_out = ", but for layer 0, which cannot be steered" if origin.from_zero else ""
    return f"Written by {origin.tool}: its layers are {moved}{left_out}."


def _any_model(card: VectorCard) -> str:
    return f"any {card.architecture} model {card.n_embd} wide".replace("  ", " ")


def _misfit(card: VectorCard, home: Home, model: str | None) -> str:
    """A sentence where the vector is of another width than the model that would be used with it next."""
    try:
        header = read_header(home.model_path(model))
    except ModelError:
        return ""
    if not header.n_embd or header.n_embd == card.n_embd:
        return ""
    made_for = card.model_name or _any_model(card).replace("any", "a", 1)
    return (
        f"It cannot be used on {header.name or 'the present model'}, which is {header.n_embd} wide; it was made for "
        f"{made_for}."
    )


@vectors.command()
@click.argument("name")
@click.argument("out", metavar="OUT.gguf")
@model_option
def export(name: str, out: str, model: str | None) -> None:
    """Copy the stored vector NAME, or an expression's, to OUT.gguf, which llama.cpp takes as a control vector."""
    home = Home.find()
    library = VectorLibrary.at(home.places)
    target = typed_path(out).absolute()
    card = _combined(name, home, model) if is_expression(name) else library.require(name, _model_id(home, model))
    library.export(card, target)
    echo(f"{name} written to {target}.")


@vectors.command()
@click.argument("name")
@model_option
def remove(name: str, model: str | None) -> None:
    """Delete the stored vector NAME. Its recipe stays."""
    home = Home.find()
    library = VectorLibrary.at(home.places)
    card = library.require(name, _model_id(home, model))
    library.remove(card)
    echo(f"{name} for {card.model_name or 'any model'} removed.")


def _model_id(home: Home, model: str | None) -> str | None:
    return None if model is None else identify(home.model_path(model))


def _card(name: str, home: Home, model: str | None) -> VectorCard:
    if is_expression(name) and not is_file(typed_path(name)):
        return _combined(name, home, model)
    if looks_like_path(name):
        path = typed_path(name)
        if not is_file(path):
            raise VectorError(f"There is no vector file {name}; check the path.")
        return read_vector_card(path)
    library = VectorLibrary.at(home.places)
    model_id = _model_id(home, model)
    if find_recipe(name, home.places) is not None and not any(card.name == name for card in library.all(model_id)):
        raise VectorError(
            f'No vector has been made from the recipe "{name}" yet; `localsteer extract {name}` makes one.'
        )
    return library.require(name, model_id)


def _combined(expression: str, home: Home, model: str | None) -> VectorCard:
    """The card of a combination whose parts have been made. Raises LocalsteerError."""
    vector = find_vector(expression, identify(home.model_path(model)), home.places)
    for part in vector.to_extract:
        raise VectorError(
            f'No vector has been made from the recipe "{part.name}" yet; `localsteer extract {part.name}` makes one.'
        )
    put_together(vector)
    return read_vector_card(vector.path, vector.name)


def _poles(card: VectorCard | RecipeCard) -> str:
    return f"{card.negative_pole} ↔ {card.positive_pole}" if card.positive_pole else "unknown"


def _about(card: RecipeCard) -> str:
    return card.error or card.description + (" (your own)" if card.origin == "own" else "")


def _made_for(card: VectorCard) -> str:
    model = card.model_name or "an unknown model"
    size = f"{card.n_layer or '?'} layers, {card.n_embd} wide"
    return f"{model} ({card.architecture or 'unknown architecture'}, {size})"


def _made_from(card: VectorCard, recipe: RecipeCard | None) -> str:
    if recipe is None or not card.recipe_digest:
        return ""
    return _state(card, recipe) or "up to date"


def _state(card: VectorCard, recipe: RecipeCard | None) -> str:
    if card.error:
        return card.error
    if recipe_changed(card, recipe):
        return "the recipe has changed since; it is made again on next use"
    return f"= {card.expression}" if card.expression else ""
