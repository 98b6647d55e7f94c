"""A small list over the input: how what is typed can go on."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from localsteer.tui.plain import plain
from localsteer.tui.slash import Completion

_MOST_SHOWN = 200
_WIDEST = 76


class Completions(OptionList):
    """Never takes the focus: the input moves its highlight and takes what it stands on."""

    DEFAULT_CSS = """
    Completions, Completions:focus {
        layer: above;
        dock: bottom;
        display: none;
        height: auto;
        max-height: 9;
        margin: 0 0 4 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        padding: 0;
        border: round $edge;
        background: $surface;
        scrollbar-size-vertical: 1;
        &.-open { display: block; }
        & > .option-list--option { padding: 0 1; }
        & > .option-list--option-highlighted { background: $panel; color: $foreground; text-style: none; }
    }
    """

    can_focus = False

    class Taken(Message):
        """A click on one."""

    def __init__(self) -> None:
        super().__init__()
        self._offered: tuple[Completion, ...] = ()
        self.typed = ""
        """What these are offered for: a quick person has typed on by now."""

    @property
    def open(self) -> bool:
        """Whether there is anything to choose."""
        return self.has_class("-open")

    @property
    def chosen(self) -> Completion | None:
        """What the highlight stands on."""
        return self._offered[self.highlighted] if self.open and self.highlighted is not None else None

    def offer(self, offered: Sequence[Completion], typed: str) -> None:
        """Show these. The first one is highlighted, unless all that it would say is typed already or nothing is."""
        self.typed = typed
        offered = tuple(offered[:_MOST_SHOWN])
        if offered != self._offered:
            self._offered = offered
            self.clear_options()
            width = max((len(one.shown) for one in offered), default=0)
            self.add_options([Option(_row(one, min(width, 30))) for one in offered])
        begun = not typed.endswith(" ")
        said = any(one.text.rstrip() == typed.rstrip() for one in offered)
        # A docked widget does not leave room for its own margins.
        self.styles.width = max(10, min(_WIDEST, self.screen.size.width - 2))
        self.highlighted = 0 if offered and begun and not said else None
        # What is typed in full needs no list, unless there is more than one way on.
        self.set_class(bool(offered) and not (said and len(offered) == 1), "-open")

    def close(self) -> None:
        """Nothing is offered."""
        self.remove_class("-open")

    def move(self, by: int) -> None:
        """The highlight up or down, round and round."""
        if self._offered:
            first = 0 if by > 0 else len(self._offered) - 1
            self.highlighted = first if self.highlighted is None else (self.highlighted + by) % len(self._offered)


def _row(one: Completion, width: int) -> Content:
    return Content.assemble(
        (plain(one.shown).ljust(width), "$primary"), ("  " + plain(one.help) if one.help else "", "$quiet")
    )
