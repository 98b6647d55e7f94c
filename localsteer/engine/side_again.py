"""A reply that was written side by side with others, written again: with the others, of which nobody hears."""

from __future__ import annotations

import time
from collections.abc import Callable

from localsteer.engine.comparison import Comparison
from localsteer.engine.desk import Desk, Say
from localsteer.engine.protocol import Compare, Compared, Course, Event, Generate, SideFinished, SideToken, TokenText


def write_side_again(desk: Desk, command: Generate, course: Course, stopped: Callable[[], bool], say: Say) -> None:
    """Say what a reply that is written alone says. Raises LocalsteerError where it cannot be begun."""
    finished = False

    def tell(event: Event) -> None:
        nonlocal finished
        match event:
            case SideToken(request, side, index, token, text):
                if side == course.side:
                    say(TokenText(request, index, token, text, time.perf_counter()))
            case SideFinished(_, side, reply):
                if side == course.side:
                    finished = True
                    say(reply)
            case Compared():
                pass
            case _:
                say(event)

    compare = Compare(
        command.request,
        command.turns,
        course.sides,
        command.sampling,
        raw=command.raw,
        pace=command.pace,
        course=course,
    )
    Comparison(desk, compare, lambda: stopped() or finished, tell).write()
