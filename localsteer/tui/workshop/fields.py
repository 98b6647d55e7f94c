"""What one types into: a line, several lines, and a choice among a few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from localsteer.tui.plain import plain
from localsteer.tui.widgets.writing_area import WritingArea
from localsteer.visible import without_controls

_GAP = "  "


class Line(Input):
    """One line of text."""

    # Before any key that comes behind it is handed on: a quick person's next word belongs to the next line.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "enter", show=False, priority=True)]
    DEFAULT_CSS = """
    Line, Line:focus { border: none; height: 1; padding: 0 1; background: $panel; width: 1fr; }
    Line:focus { background: $panel; border-left: outer $primary; padding: 0 1 0 0; }
    Line > .input--cursor { background: $primary; color: $background; }
    Line > .input--placeholder { color: $faint; }
    """

    def __init__(
        self, value: str = "", *, placeholder: str = "", id: str | None = None, then: str | None = None
    ) -> None:
        """``then``: the id of the line that Enter leads to; None: Enter says that this one is submitted."""
        super().__init__(value, placeholder=placeholder, id=id, compact=True, select_on_focus=False)
        self._then = then

    async def action_enter(self) -> None:
        """On to the next line, or done."""
        if self._then is None:
            await self.action_submit()
        else:
            self.screen.set_focus(self.screen.query_one(f"#{self._then}"))

    @property
    def text(self) -> str:
        """What stands there, without what a terminal would obey."""
        return plain(self.value).strip()


class Lines(WritingArea):
    """Several lines of text."""

    DEFAULT_CSS = """
    Lines {
        height: 1fr;
        min-height: 3;
        border: round $edge;
        background: $background;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary 70%; }
        & .text-area--placeholder { color: $faint; }
        & .text-area--cursor { background: $primary; color: $background; }
        & .text-area--cursor-line { background: transparent; }
    }
    """

    def __init__(self, text: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(
            text,
            id=id,
            placeholder=placeholder,
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert(without_controls(event.text))


class ChoiceLine(Widget, can_focus=True):
    """A label and a few words, one of which holds: arrows or a click choose."""

    DEFAULT_CSS = """
    ChoiceLine { height: 1; width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "choose(-1)", show=False),
        Binding("right,down,space", "choose(1)", show=False),
    ]

    chosen: reactive[int] = reactive(0)

    @dataclass
    class Chosen(Message):
        """Another one holds."""

        line: ChoiceLine
        index: int

        @property
        def control(self) -> ChoiceLine:
            return self.line

    def __init__(self, label: str, options: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label = label
        self._options = options

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return len(self._label) + sum(len(option) + len(_GAP) + 2 for option in self._options)

    def render(self) -> Content:
        parts: list[tuple[str, str] | str] = [(self._label, "$quiet")]
        for index, option in enumerate(self._options):
            style = "$quiet"
            if index == self.chosen:
                style = "$background on $primary" if self.has_focus else "bold $primary on $panel"
            parts += [_GAP, (f" {option} ", style)]
        return Content.assemble(*parts)

    def watch_chosen(self, before: int, now: int) -> None:
        if before != now:
            self.post_message(self.Chosen(self, now))

    def action_choose(self, by: int) -> None:
        """The next one, round and round."""
        self.chosen = (self.chosen + by) % len(self._options)

    def on_click(self, event: events.Click) -> None:
        left = len(self._label)
        for index, option in enumerate(self._options):
            left += len(_GAP)
            if left <= event.x < left + len(option) + 2:
                self.chosen = index
                return
            left += len(option) + 2
