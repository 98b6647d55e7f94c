"""Lists that survive a click, or a page up or down, that meant them as they were painted before.

Textual (8.2) looks up the clicked option, and the line of the highlighted one, by number and ends the app where there
is none (any more, or not yet): in every list, that of its own command palette among them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from textual.events import Click
from textual.widgets import OptionList

OnClick = Callable[[OptionList, Click], Awaitable[None]]


def claim_lists() -> None:
    """Let every list pass over such clicks and pages."""
    clicked: OnClick = OptionList._on_click
    paged = OptionList._move_page
    if getattr(clicked, "is_steady", False):
        return

    async def on_click(options: OptionList, event: Click) -> None:
        option = event.style.meta.get("option")
        if option is None or option < options.option_count:
            await clicked(options, event)

    def move_page(options: OptionList, direction: int) -> None:
        with suppress(KeyError):
            paged(options, direction)  # type: ignore[arg-type]

    on_click.is_steady = True  # type: ignore[attr-defined]
    OptionList._on_click = on_click  # type: ignore[method-assign, assignment]
    OptionList._move_page = move_page  # type: ignore[method-assign, assignment]
