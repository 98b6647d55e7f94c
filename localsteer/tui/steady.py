"""What all screens of the app have in common: they close only themselves, what is entered twice is done once, a click
on what is just leaving is none, and the size that counts is the terminal's; windows that open late; and work that goes
on beside them.

Textual's ``dismiss`` takes away whatever screen is on top. A second Esc, Enter or click that was under way when the
first one closed the window would close what lies below it, and the app with the last of them.

It hands a key to the part that has the focus, and from there upwards. Where that part is gone no key comes anywhere any
more, and Esc does not close the window: a click may give the focus to what is just leaving and still painted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.geometry import Offset, Size
from textual.message import Message
from textual.screen import Screen, ScreenResultCallbackType
from textual.widget import Widget
from textual.widgets import Button, Input, OptionList

Result = TypeVar("Result")
_DECISIONS = (Input.Submitted, OptionList.OptionSelected, Button.Pressed)


class SteadyScreen(Screen[Result]):
    """What closed before closes no more; what was opened over this one since closes with it.

    Among several bases it is named last: Textual takes styles and the names of parts from the first one.
    """

    @property
    def there(self) -> bool:
        """Whether it has not been closed. What is done later than it was asked for has to look."""
        return self in self.app.screen_stack

    @property
    def usable(self) -> bool:
        """Whether its parts are there: all of them already, and still."""
        return self.is_mounted and self.is_attached and self.there

    @property
    def on_top(self) -> bool:
        """Whether the person sees it, and no window over it."""
        return self.usable and self.app.is_running and self.app.screen is self

    def find_focus(self) -> None:
        """Before a key: the focus, where what has it is gone, goes where it is when the screen opens."""
        if self.focused is not None and not self.focused.is_attached:
            self.set_focus(None)
            self._update_auto_focus()

    async def on_event(self, event: events.Event) -> None:
        """See Textual's. A screen that is closed before its parts are there has nothing to begin."""
        if not isinstance(event, events.Mount) or (self.there and self.app.is_running):
            await super().on_event(event)

    async def _on_message(self, message: Message) -> None:
        # The second Enter came on its way to the window that the first one closed; what it was for is done.
        if self.there or not isinstance(message, _DECISIONS):
            await super()._on_message(message)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with ``result``, once; a screen that is only just being opened, as soon as it is there."""
        top = self.app.screen
        if not self.there:
            return AwaitComplete()
        if not top.is_mounted:
            # What it is told now it hears when it is there.
            top.call_later(self._dismiss_now, result)
            return AwaitComplete()
        if top is not self:
            top.dismiss(None)
            return self.dismiss(result)
        return super().dismiss(result)

    def _dismiss_now(self, result: Result | None) -> None:
        # Textual would await what dismiss gives, which must not be done here.
        self.dismiss(result)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key means anything to a screen whose parts are not there yet, or no longer."""
        return super().check_action(action, parameters) if self.is_mounted and self.there else False

    def _screen_resized(self, size: Size) -> None:
        # A screen tells itself once more of each size that it was given. Where two are on their way together, the one
        # that it hears of last need not be the one that the terminal has.
        super()._screen_resized(self.app.size)

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """What the mouse would begin to select there: nothing where a widget is still painted but was removed."""
        widget, offset = super().get_widget_and_offset_at(x, y)
        gone = widget is not None and widget is not self and widget.parent is None
        return (None, None) if gone else (widget, offset)


def open_late(node: DOMNode, window: Screen[Result], answered: ScreenResultCallbackType[Result] | None = None) -> None:
    """Open ``window`` over the screen of ``node``, later than it was asked for: unless another one came in between, or
    the same one, or the end of the app.
    """
    screen = node.screen
    if isinstance(screen, SteadyScreen) and screen.on_top:
        node.app.push_screen(window, answered)


def work_beside(
    node: DOMNode, work: Callable[[], Awaitable[None]], *, group: str = "default", exclusive: bool = False
) -> None:
    """Begin ``work``, which ends with ``node`` and does not take the app along if it fails. ``exclusive``: instead of
    what the group does already.

    It is given as what makes a coroutine, not as one: while the app is taken down nobody would await that any more.
    Parts that are gone by then are no failure.
    """

    async def while_it_is_there() -> None:
        with suppress(NoMatches):
            await work()

    node.run_worker(while_it_is_there, group=group, exclusive=exclusive, exit_on_error=False)  # type: ignore[arg-type]
