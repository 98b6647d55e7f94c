"""A click on a line of a list that has become shorter since it was painted.

Textual (8.2) looks the clicked option up by its number and ends the app where there is none any more, in every list,
that of its own command palette among them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.events import Click
from textual.widgets import OptionList

OnClick = Callable[[OptionList, Click], Awaitable[None]]


def ignore_stale_clicks() -> None:
    """Let every list pass over such clicks."""
    original: OnClick = OptionList._on_click
    if getattr(original, "ignores_stale_clicks", False):
        return

    async def on_click(options: OptionList, event: Click) -> None:
        clicked = event.style.meta.get("option")
        if clicked is None or clicked < options.option_count:
            await original(options, event)

    on_click.ignores_stale_clicks = True  # type: ignore[attr-defined]
    OptionList._on_click = on_click  # type: ignore[method-assign, assignment]
