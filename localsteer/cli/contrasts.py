"""Options that say what a contrast file does not say itself, and two texts that stand for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from localsteer.file_reading import typed_path
from localsteer.library.recipes import ContrastOptions, read_stems, split_words

Command = TypeVar("Command", bound=Callable[..., Any])


def contrast_options(command: Command) -> Command:
    """``--poles``, ``--persona``, ``--stems``."""
    for option in (
        click.option("--stems", metavar="FILE", help="Beginnings for a file that holds ends of system prompts."),
        click.option("--persona", metavar="TEXT", help="What begins each text of a list; {pole} stands for the pole."),
        click.option("--poles", metavar="POS/NEG", help="Names of the two poles, where a contrast file has none."),
    ):
        command = option(command)
    return command


def read_contrast_options(poles: str | None, persona: str | None, stems: str | None) -> ContrastOptions:
    """What they say. Raises BadParameter, and RecipeError for a file without stems."""
    usual = ContrastOptions()
    positive, slash, negative = (part.strip() for part in (poles or "").partition("/"))
    if poles is not None and not (positive and slash and negative):
        raise click.BadParameter(
            f'"{poles}" does not name two poles; write them like happy/sad, the positive one first.'
        )
    return ContrastOptions(
        positive=positive,
        negative=negative,
        persona=usual.persona if persona is None else persona,
        stems=usual.stems if stems is None else read_stems(typed_path(stems)),
    )


def read_words(words: str | None, otherwise: str | None, usage: str) -> tuple[str, str] | None:
    """``--words POS/NEG``, with their spaces, for they count; None where something else was named ``otherwise``.

    Raises UsageError, which says ``usage``, unless there is just one of both, and BadParameter.
    """
    if (words is None) == (otherwise is None):
        raise click.UsageError(usage)
    if words is None:
        return None
    pair = split_words(words)
    if pair is None:
        raise click.BadParameter(f'"{words}" is not two different texts; write them like --words "Love/Hate".')
    return pair
