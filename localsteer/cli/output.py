"""What is printed: results on stdout, everything else on stderr, nothing that could command a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import Any

import click

from localsteer.library.byte_words import size as size
from localsteer.visible import json_escaped, with_controls_marked


def one_line(text: str) -> str:
    """A message as one line without control characters."""
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    """Text without the characters with which it could move the cursor, recolour or reprogram a terminal, reorder a line
    or hide in it.
    """
    return with_controls_marked(text)


def echo(text: object = "", *, nl: bool = True, err: bool = False) -> None:
    """Print what may hold words of others: they cannot command the terminal."""
    click.echo(plain(str(text)), nl=nl, err=err)


def echo_styled(text: str, *, color: bool | None = None) -> None:
    """Print a text with colours of ours, in which words of others were made :func:`plain` before."""
    click.echo(text, color=color)


def echo_exactly(text: str) -> None:
    """Print a text as it is, without a line end; for pipes, behind which are programs and no terminal."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_json(document: dict[str, Any]) -> None:
    """One JSON document on stdout, a line for each of its keys. Numbers that JSON lacks become null; characters that a
    terminal could obey, or that would reorder a line, are escaped, so that nothing is lost.
    """
    lines = [f"  {_json(key)}: {_json(value)}" for key, value in document.items()]
    click.echo("{\n" + ",\n".join(lines) + "\n}")


def _json(value: Any) -> str:
    return json_escaped(json.dumps(_finite(value), ensure_ascii=False, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        # Half a surrogate pair cannot be written as UTF-8.
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def note(text: str) -> None:
    """Something worth knowing, on stderr."""
    clear_progress()
    echo(one_line(text), err=True)


def table(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> str:
    """Left-aligned columns, wide enough for what is in them."""
    cells = [[plain(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def spoken_layers(layers: Sequence[int]) -> str:
    """``7-9``, ``3,5``, ``–`` for none."""
    from localsteer.library.dials import layers_text

    return layers_text(tuple(layers)) or "–"


def signed(number: float | None) -> str:
    """A strength: ``+1.25``, or ``–`` where it is not known."""
    return "–" if number is None else f"{number:+.2f}"


class _Progress:
    shown = False


def show_progress(text: str) -> None:
    """Replace the progress line on stderr; silent where stderr is no terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{one_line(text)}", nl=False, err=True)
        _Progress.shown = True


def bar(fraction: float, width: int = 24) -> str:
    """``████████────────  33%``."""
    filled = round(min(max(fraction, 0.0), 1.0) * width)
    return f"{'█' * filled}{'─' * (width - filled)} {fraction:4.0%}"


def clear_progress() -> None:
    """Take the progress line away."""
    if _Progress.shown:
        click.echo("\r\x1b[2K", nl=False, err=True)
        _Progress.shown = False
