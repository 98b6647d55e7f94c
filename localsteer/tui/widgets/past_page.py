"""Old messages, folded into one widget."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from localsteer.tui.past import Page, PastMessage
from localsteer.tui.theme import rich_colour
from localsteer.tui.widgets.picking import EDGE, Clicked
from localsteer.tui.widgets.selectable import SelectableLines


class PastPage(SelectableLines):
    """Some messages that nothing will change any more."""

    DEFAULT_CSS = """
    PastPage { width: 1fr; height: auto; margin: 0 0 1 0; }
    """

    def __init__(self, messages: Sequence[PastMessage], *, dark: bool) -> None:
        self._past = tuple(messages)
        self._page = self._drawn(dark)
        self._picked: int | None = None
        super().__init__(self._page, markup=False)

    @property
    def ids(self) -> tuple[int, ...]:
        """The messages that can be picked."""
        return tuple(message.message_id for message in self._past if message.message_id is not None)

    @property
    def begins_in_record(self) -> bool:
        """Whether the first of them is a message that is in the record."""
        return self._past[0].message_id is not None

    def pick(self, message_id: int | None) -> None:
        """Mark this message, where it is here, and no other."""
        picked = next((index for index, one in enumerate(self._past) if one.message_id == message_id), None)
        picked = None if message_id is None else picked
        if picked != self._picked:
            self._picked = picked
            self.refresh()

    def span(self, message_id: int) -> tuple[int, int]:
        """The first line of this message, and the first one after it."""
        return self._page.span(next(index for index, one in enumerate(self._past) if one.message_id == message_id))

    def id_at(self, line: int) -> int | None:
        """Whose message is on this line."""
        index = self._page.at(line)
        return None if index is None else self._past[index].message_id

    def repaint_for_theme(self) -> None:
        """The colours of code are baked in; bake them again."""
        self._page = self._drawn(self.app.current_theme.dark)
        self.update(self._page)

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if self._picked is not None:
            begin, end = self._page.span(self._picked)
            if begin <= y < end:
                edge = Segment(EDGE, Style(color=rich_colour(self.app.theme_variables["foreground"])))
                strip = Strip.join([Strip([edge], 1), strip.crop(1)])
        return strip

    def on_click(self, event: events.Click) -> None:
        message_id = self.id_at(event.y)
        if message_id is not None and self.text_selection is None:
            self.post_message(Clicked(message_id))

    def _drawn(self, dark: bool) -> Page:
        return Page([message.draw(dark) for message in self._past])
