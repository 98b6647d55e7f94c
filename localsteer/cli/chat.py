"""``localsteer chat``: opens the app."""

from __future__ import annotations

from contextlib import closing, suppress

import click

from localsteer.cli.options import given_settings, model_option
from localsteer.errors import EngineError


@click.command()
@model_option
def chat(model: str | None = None) -> None:
    """Open the chat app."""
    from localsteer.engine.client import EngineClient
    from localsteer.library.places import find_places
    from localsteer.tui.terminal import check_terminal

    check_terminal()
    with closing(EngineClient(find_places().engine_log)) as engine:
        # It gets ready while this process reads the app, which tries again, and says why, where it did not start.
        with suppress(EngineError):
            engine.start()
        from localsteer.tui.app import run

        status = run(model, given_settings(), engine)
    click.get_current_context().exit(status)
