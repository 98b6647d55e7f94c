"""``localsteer vectors combine``: several vectors as one dial with a name of its own."""

from __future__ import annotations

import click

from localsteer.cli.dials import make_vectors
from localsteer.cli.options import json_option, model_options
from localsteer.cli.output import echo, print_json, signed, spoken_layers
from localsteer.cli.session import Home, Session, identify
from localsteer.library.combinations import put_together
from localsteer.library.dials import combination_to_save
from localsteer.library.vector_cards import read_vector_card


@click.command()
@click.argument("expression")
@click.option("--name", metavar="NAME", help="What the dial is called.  [default: the expression]")
@model_options
@json_option
def combine(
    expression: str,
    name: str | None,
    model: str | None,
    threads: int | None,
    gpu_layers: int | None,
    n_ctx: int | None,
    as_json: bool,
) -> None:
    """Save EXPRESSION as a dial, for instance "mood*1.2 - 0.5*register @layers 7-9".

    There are + - * and parentheses; `mood without register` projects one vector out of another; @layers and @scope say
    where it acts. Names that hold more than letters, digits, _ and . stand in quotes. When a part changes the dial is
    put together again.
    """
    home = Home.find()
    path = home.model_path(model)
    vector = combination_to_save(expression, name, identify(path), home.places)
    if vector.to_extract:
        with Session(home, path, n_ctx=n_ctx, threads=threads, gpu_layers=gpu_layers) as session:
            make_vectors([vector], session)
    else:
        put_together(vector)
    card = read_vector_card(vector.path)
    if as_json:
        print_json(
            {
                "name": card.name,
                "expression": card.expression,
                "out": str(card.path),
                "model": card.model_name,
                "positive": card.positive_pole,
                "negative": card.negative_pole,
                "default_layers": list(card.default_layers),
                "strength_low": card.strength_low,
                "strength_high": card.strength_high,
            }
        )
        return
    poles = f", {card.negative_pole} ↔ {card.positive_pole}" if card.positive_pole else ""
    layers = f"layer{'s' * (len(card.default_layers) != 1)} {spoken_layers(card.default_layers)}"
    known = card.strength_low is not None or card.strength_high is not None
    advice = (
        f"recommended strengths {signed(card.strength_low)} to {signed(card.strength_high)}"
        if known
        else "no strength is recommended, for mixtures are not measured: begin near 1"
    )
    echo(f"{card.name} = {card.expression}{poles}; it steers {layers}; {advice}.")
