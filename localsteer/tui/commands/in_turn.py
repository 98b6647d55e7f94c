"""Commands on the conversation wait for what was entered before them, and what is entered next waits for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable
from typing import Any

from textual.screen import Screen

from localsteer.tui.widgets.composer import Composer


@dataclass(slots=True)
class _Turn:
    """A slash command that is being done: the commands that it has come to, until it is ``over``."""

    commands: list[Callable[[], object]] = field(default_factory=list)
    over: bool = False


_typed: ContextVar[_Turn | None] = ContextVar("typed", default=None)
"""The one that is being done here. Windows that it opens inherit it, and are there when it is long over."""


class InTurn(Screen[None]):
    """A part of the chat screen.

    A command's key comes before the keys of the part that has the focus, and so before an Enter that the input has not
    heard of yet: the message of a moment ago would be sent into the conversation that the command has begun since.
    """

    def in_turn(self, do: Callable[..., object], *given: Any, **named: Any) -> None:
        """Have this done after what the person entered up to now, and before what comes next."""
        command, typed = partial(do, *given, **named), _typed.get()
        if typed is not None and not typed.over:
            typed.commands.append(command)
        else:
            # The input hears of this behind the keys of before, and before the keys to come.
            self.query_one(Composer).call_later(self.call_later, command)

    async def all_at_once(self, do: Callable[[], Awaitable[None]]) -> None:
        """Do what was typed, with all commands that it comes to: its turn is now."""
        turn = _Turn()
        outside = _typed.set(turn)
        try:
            await do()
        finally:
            turn.over = True
            _typed.reset(outside)
        for command in turn.commands:
            result = command()
            if isawaitable(result):
                await result
