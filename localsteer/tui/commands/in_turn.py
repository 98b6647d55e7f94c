"""Commands on the conversation wait for what was entered before them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.screen import Screen

from localsteer.tui.widgets.composer import Composer


class InTurn(Screen[None]):
    """A part of the chat screen.

    A command's key comes before the keys of the part that has the focus, and so before an Enter that the input has not
    heard of yet: the message of a moment ago would be sent into the conversation that the command has begun since.
    """

    def in_turn(self, do: Callable[..., object], *given: Any, **named: Any) -> None:
        """Have this done after what the person entered up to now."""
        composer = self.query_one(Composer)
        # The input hears of Enter before the first of these, and what it sends then goes off before the second.
        composer.call_later(composer.call_later, self.call_later, partial(do, *given, **named))
