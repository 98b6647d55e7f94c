"""``localsteer say``: one prompt, one reply, made for pipes."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import click

from localsteer.cli.dials import find_vectors, make_dials
from localsteer.cli.options import json_option, model_options, read_dials, read_scope
from localsteer.cli.output import echo, echo_exactly, print_json
from localsteer.cli.session import Home, Session, identify
from localsteer.engine.protocol import Finished, Generate, Sampling, TokenText, Turn
from localsteer.errors import PromptError

_LARGEST_SEED = 2**32 - 1


@click.command()
@click.argument("prompt")
@model_options
@click.option(
    "--dial",
    "-d",
    "dials",
    multiple=True,
    metavar="NAME=STRENGTH",
    help="Steer; may be given several times. NAME may be an expression, such as mood*1.2 - 0.5*register; STRENGTH left "
    "out is 1.",
)
@click.option("--scope", default="reply", metavar="S", help="reply, everything or prompt-start.  [default: reply]")
@click.option("--raw", is_flag=True, help="Continue the text itself, without a chat template.")
@click.option("--system", metavar="T", help='A system prompt; "" for none.  [default: that of the settings]')
@click.option("--seed", type=click.IntRange(0, _LARGEST_SEED), metavar="N", help="For the same reply again.")
@click.option("--temperature", type=float, metavar="T", help="0 always takes the likeliest token.  [default: 0.8]")
@click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Stop after that many.")
@json_option
def say(
    prompt: str,
    model: str | None,
    threads: int | None,
    gpu_layers: int | None,
    n_ctx: int | None,
    dials: tuple[str, ...],
    scope: str,
    raw: bool,
    system: str | None,
    seed: int | None,
    temperature: float | None,
    max_tokens: int | None,
    as_json: bool,
) -> None:
    """Answer PROMPT (`-`: what comes on standard input) and print the reply.

    Into a pipe or a file it goes exactly as the model wrote it; in a terminal without what would command that.
    """
    strengths, chosen_scope = read_dials(dials), read_scope(scope)
    if temperature is not None and not (math.isfinite(temperature) and temperature >= 0):
        raise click.BadParameter(f"{temperature} is no temperature; give a number from 0 up.")
    if raw and system:
        raise click.UsageError("--raw sends the text alone; leave --system out, or put its words into the prompt.")
    home = Home.find()
    path = home.model_path(model)
    vectors = find_vectors(strengths, identify(path), home.places)
    text = read_prompt(prompt)
    sampling = _sampling(home.settings.sampling, temperature=temperature, seed=seed, max_tokens=max_tokens)
    system = system if raw or system is not None else home.settings.system_prompt
    with Session(home, path, n_ctx=n_ctx, threads=threads, gpu_layers=gpu_layers) as session:
        system_turn = (Turn("system", system),) if system and system.strip() else ()
        command = Generate(
            request=0,
            turns=(*system_turn, Turn("user", text)),
            dials=make_dials(vectors, chosen_scope, session),
            sampling=sampling,
            raw=raw,
        )
        finished = _write(session, command, quiet=as_json)
        if as_json:
            print_json(
                {
                    "model": session.card.name,
                    "prompt": text,
                    "reply": finished.text,
                    "tokens": list(finished.tokens),
                    "finish_reason": finished.reason,
                    "seed": finished.seed,
                    "scope": chosen_scope,
                    "dials": strengths,
                    "prompt_tokens_evaluated": finished.prompt_tokens_evaluated,
                    "prompt_tokens_reused": finished.prompt_tokens_reused,
                    "tokens_per_second": round(finished.tokens_per_second, 2),
                }
            )


def _sampling(ordinary: Sampling, **given: Any) -> Sampling:
    """As the settings say, but for what was given."""
    return replace(ordinary, **{name: value for name, value in given.items() if value is not None})


def _write(session: Session, command: Generate, *, quiet: bool) -> Finished:
    """Print the reply as it comes. In a terminal it is kept from commanding that; a pipe gets exactly what was said."""
    show = partial(echo, nl=False) if sys.stdout.isatty() else echo_exactly
    for event in session.generate(command):
        if isinstance(event, TokenText) and not quiet:
            show(event.text)
        if isinstance(event, Finished):
            if not quiet:
                echo()
            return event
    raise AssertionError("the engine always finishes or fails")


def read_prompt(prompt: str) -> str:
    """``prompt``, or for ``-`` what comes on standard input. Raises PromptError for what is empty or no text."""
    if prompt == "-":
        try:
            prompt = sys.stdin.buffer.read().decode("utf-8").replace("\r\n", "\n").removesuffix("\n")
        except UnicodeDecodeError as error:
            raise PromptError("The prompt on standard input is not UTF-8 text.") from error
    if not prompt.strip():
        raise PromptError("The prompt is empty; write something to answer.")
    return prompt
