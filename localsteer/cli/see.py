"""``localsteer vectors see``: a text coloured by how far each token leans."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from localsteer.cli.dials import find_vectors, make_dials
from localsteer.cli.heat import Heat, as_table, as_terminal_text, heat_of
from localsteer.cli.heat_page import as_html
from localsteer.cli.heat_picture import as_png
from localsteer.cli.options import json_option, model_options
from localsteer.cli.output import echo, echo_styled, print_json
from localsteer.cli.say import read_prompt
from localsteer.cli.session import Home, Session, identify
from localsteer.engine.protocol import ReadTokens, Turn
from localsteer.errors import DialError
from localsteer.file_reading import typed_path
from localsteer.library.files import write_private

_SPEAKERS = {"user": "prompt", "assistant": "reply"}


@click.command()
@click.argument("name")
@click.argument("prompt")
@model_options
@click.option("--reply", metavar="TEXT", help="A reply to PROMPT, read after it.")
@click.option("--layer", type=int, metavar="L", help="Read there.  [default: where the vector's layers begin]")
@click.option("--raw", is_flag=True, help="Read the text itself, without a chat template.")
@click.option("--html", "html_out", metavar="OUT.html", help="Write a page.")
@click.option("--png", "png_out", metavar="OUT.png", help="Write a picture (needs matplotlib).")
@json_option
def see(
    name: str,
    prompt: str,
    model: str | None,
    threads: int | None,
    gpu_layers: int | None,
    n_ctx: int | None,
    reply: str | None,
    layer: int | None,
    raw: bool,
    html_out: str | None,
    png_out: str | None,
    as_json: bool,
) -> None:
    """Colour each token of PROMPT (`-`: standard input) by how far it leans along the vector NAME, unsteered.

    A reading is the token's hidden state along the vector's direction: 0 is the middle of everyday messages, +1 and −1
    are the poles. In a pipe, a line for each token.
    """
    text = read_prompt(prompt)
    if raw and reply is not None:
        raise DialError("--raw reads one text; put the reply behind it, or leave --raw out.")
    for out, ending in ((html_out, ".html"), (png_out, ".png")):
        if out is not None and Path(out).suffix.lower() != ending:
            raise click.BadParameter(f"{out} is no name for that; let it end in {ending}.")
    home = Home.find()
    path = home.model_path(model)
    vectors = find_vectors({name: 1.0}, identify(path), home.places)
    turns = (Turn("user", text), *([] if reply is None else [Turn("assistant", reply)]))
    with Session(home, path, n_ctx=n_ctx, threads=threads, gpu_layers=gpu_layers) as session:
        dials = make_dials(vectors, "reply", session)
        answer = session.read_tokens(ReadTokens(0, turns, dials, layer=layer, raw=raw))
        heat = heat_of(answer, [_SPEAKERS[turn.role] for turn in turns], session.card.name)
    files = []
    if html_out is not None:
        files.append((html_out, as_html(heat).encode("utf-8", "replace")))
    if png_out is not None:
        files.append((png_out, as_png(heat)))
    for out, content in files:
        write_private(typed_path(out).absolute(), content)
    if as_json:
        print_json(_document(heat, name))
    elif sys.stdout.isatty():
        echo_styled(as_terminal_text(heat))
    elif html_out is None and png_out is None:
        echo(as_table(heat))


def _document(heat: Heat, name: str) -> dict[str, object]:
    reading = heat.reading
    return {
        "vector": name,
        "model": heat.model,
        "layer": reading.layer,
        "positive": reading.positive_pole,
        "negative": reading.negative_pole,
        "scale": reading.scale,
        "passages": [
            {
                "speaker": passage.speaker,
                "mean": round(passage.mean, 4),
                "tokens": [{"text": text, "value": value} for text, value in passage.tokens],
            }
            for passage in heat.passages
        ],
    }
