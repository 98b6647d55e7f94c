"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from localsteer.errors import DialError

if TYPE_CHECKING:
    from localsteer.engine.protocol import Scope

Command = TypeVar("Command", bound=Callable[..., Any])

_LARGEST = 2**31 - 1
"""That llama.cpp can be told; of more it takes the rest."""
_GIVEN = "localsteer.given_settings"


class FiniteRange(click.FloatRange):
    """A number within bounds; ``nan`` is within none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See click's."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number


def model_options(command: Command) -> Command:
    """``--model`` and how it is loaded."""
    for option in (
        click.option("--context", "n_ctx", type=click.IntRange(1, _LARGEST), metavar="N", help="Context in tokens."),
        click.option(
            "--gpu-layers", type=click.IntRange(0, _LARGEST), metavar="N", help="Layers on the GPU [default: all]."
        ),
        click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Threads [default: one per core]."),
        model_option,
    ):
        command = option(command)
    return command


def model_option(command: Command) -> Command:
    """``--model`` alone, and ``--set``."""
    return settings_option(
        click.option(
            "--model",
            "-m",
            metavar="M",
            help="A path, a name that `models list` shows, or `practice` [default: last used].",
        )(command)
    )


def settings_option(command: Command) -> Command:
    """``--set``; what it says is kept for :func:`given_settings`."""
    return click.option(
        "--set",
        multiple=True,
        metavar="KEY=VALUE",
        expose_value=False,
        callback=_keep_given,
        help="Override a setting this once; `localsteer settings` lists them.",
    )(command)


def _keep_given(context: click.Context, _: click.Parameter, given: tuple[str, ...]) -> None:
    context.meta[_GIVEN] = (*context.meta.get(_GIVEN, ()), *given)


def given_settings() -> tuple[str, ...]:
    """``KEY=VALUE`` of every ``--set``, in their order."""
    context = click.get_current_context(silent=True)
    return () if context is None else tuple(context.meta.get(_GIVEN, ()))


def json_option(command: Command) -> Command:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(command)


def read_scope(text: str) -> Scope:
    """A scope. Raises DialError that names them all."""
    from localsteer.engine.protocol import SCOPES

    if text not in SCOPES:
        raise DialError(f'There is no scope "{text}"; choose {", ".join(SCOPES[:-1])} or {SCOPES[-1]}.')
    return text


def read_dials(texts: tuple[str, ...]) -> dict[str, float]:
    """``NAME=STRENGTH`` each, or an expression, alone for strength 1. Raises DialError for one that is neither, and for
    a strength that is no finite number.
    """
    from localsteer.library.dials import split_strength

    dials: dict[str, float] = {}
    for text in texts:
        name, strength = split_strength(text)
        if name in dials:
            raise DialError(f'The dial "{name}" is given twice; give it one strength.')
        dials[name] = strength
    return dials


def read_layers(text: str | None) -> tuple[int, ...] | None:
    """``7-9``, ``7,9`` or ``7``. Raises DialError."""
    from localsteer.library.dials import layers_in

    return None if text is None else layers_in(text)
