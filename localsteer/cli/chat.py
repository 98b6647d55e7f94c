"""``localsteer chat``: opens the app."""

from __future__ import annotations

import click

from localsteer.cli.options import given_settings, model_option


@click.command()
@model_option
def chat(model: str | None = None) -> None:
    """Open the chat app."""
    from localsteer.tui.app import run

    click.get_current_context().exit(run(model, given_settings()))
