"""The conversation with every token in the colour of the pole that it leans to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Static

from localsteer.engine.protocol import TokensRead, Turn
from localsteer.tui.dialogs.window import Window
from localsteer.tui.heat import heated, mean_words, ramp, scale_words
from localsteer.tui.plain import plain


class TokenView(Window[None]):
    """Waits for what was read, then shows it along one dial at a time. Gives nothing."""

    DEFAULT_CSS = """
    TokenView {
        & > Vertical { width: 100; max-width: 96%; height: 94%; padding: 1 2 0 2; background: $background; }
        & .seen--dials { height: auto; margin: 0 0 1 0; link-color: $quiet; link-style: none;
                         link-background: transparent; link-color-hover: $background;
                         link-background-hover: $primary; link-style-hover: none; }
        & .seen--ramp { height: auto; }
        & .seen--scale { height: auto; color: $faint; margin: 0 0 1 0; }
        & VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & .seen--message { height: auto; margin: 0 1 1 0; padding: 0 0 0 2; }
        & .seen--asked { padding: 0 1; border-left: thick $primary; background: $surface; }
        &.-short > Vertical { padding: 0 1; height: 100%; max-width: 100%; }
        &.-short .seen--dials, &.-short .seen--scale { margin: 0; }
        & .seen--told { padding: 0 1; border-left: thick $edge; background: $surface; }
    }
    """

    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 (as Textual declares it)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,alt+v,f12,q", "dismiss(None)", "Close", show=False),
        Binding("right,tab", "turn(1)", show=False),
        Binding("left,shift+tab", "turn(-1)", show=False),
        *(Binding(f"{number},alt+{number}", f"show({number - 1})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, turns: tuple[Turn, ...], which: int, waiting: str) -> None:
        super().__init__()
        self._turns = turns
        self._which = which
        self._waiting = waiting
        self._answer: TokensRead | None = None
        self._texts: list[tuple[int, Static]] = []

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "What each word leans to"
        box.border_subtitle = "Esc close"
        with box:
            yield Static(Content(""), classes="seen--dials")
            yield Static(Content(""), classes="seen--ramp")
            yield Static(Content(""), classes="seen--scale")
            yield VerticalScroll()

    def on_mount(self) -> None:
        # While this runs it does not count as mounted.
        self._tell(self._waiting)
        self.query_one(VerticalScroll).focus()

    def say(self, words: str) -> None:
        """How far it is, or why nothing comes; at the latest when it is there."""
        self._waiting = words
        if self.usable:
            self._tell(words)

    def _tell(self, words: str) -> None:
        self.query_one(".seen--scale", Static).update(Content(plain(words)))

    async def fill(self, answer: TokensRead) -> None:
        """What was read is there."""
        if not self.usable:
            return
        self._answer = answer
        scroll = self.query_one(VerticalScroll)
        views: list[Widget] = []
        for turn in sorted(answer.by_turn()):
            text = Static(Content(""), classes=f"seen--message {_CLASSES[self._turns[turn].role]}", markup=False)
            self._texts.append((turn, text))
            views.append(text)
        if answer.dropped:
            views.insert(
                0, Static(Content(f"The oldest {answer.dropped} messages did not fit."), classes="seen--message")
            )
        await scroll.mount_all(views)
        self.query_one(Vertical).border_subtitle = (
            "↑↓ scroll · Esc close" if len(answer.readings) == 1 else "←→ dial · ↑↓ scroll · Esc close"
        )
        self._paint()
        scroll.scroll_end(animate=False)

    def action_turn(self, by: int) -> None:
        """Along the next dial."""
        if self._answer is not None:
            self.action_show((self._which + by) % len(self._answer.readings))

    def action_show(self, which: int) -> None:
        """Along this dial."""
        if self._answer is not None and which < len(self._answer.readings):
            self._which = which
            self._paint()

    def _paint(self) -> None:
        answer = self._answer
        assert answer is not None
        reading = answer.readings[self._which]
        tokens = answer.by_turn(self._which)
        self.query_one(".seen--dials", Static).update(self._dials(answer))
        self.query_one(".seen--ramp", Static).update(ramp(reading))
        read = "as written, without what dials add" if answer.steered else "unsteered"
        self.say(f"{scale_words(reading)} · {read}")
        for turn, view in self._texts:
            own = tokens[turn]
            foot = Content("") if self._turns[turn].role == "system" else mean_words(reading.name, own)
            view.update(Content("\n").join([heated(own), foot]) if foot else heated(own))

    def _dials(self, answer: TokensRead) -> Content:
        """Which dials there are; each of them a button."""
        names = []
        for number, reading in enumerate(answer.readings):
            key = Content.styled(f"{number + 1} " if number < 9 else "", "$faint")
            name = Content(plain(reading.name))
            if number == self._which:
                name = name.stylize("$primary bold")
            else:
                name = name.stylize(Style.from_meta({"@click": f"screen.show({number})"}))
            names.append(Content.assemble(key, name))
        return Content("   ").join(names)


_CLASSES = {"user": "seen--asked", "system": "seen--told", "assistant": "seen--said"}
