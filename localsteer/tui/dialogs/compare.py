"""A message answered side by side: the replies as they come, and which of them to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from localsteer.errors import DialError
from localsteer.tui.dialogs.compare_keys import compare_keys
from localsteer.tui.dialogs.compare_lines import head_line, tabs_line
from localsteer.tui.keymap import Keymap
from localsteer.tui.lineup import Lineup, read_strengths, steered_and_not, strip, usual_strip, written_strengths
from localsteer.tui.plain import plain
from localsteer.tui.side_by_side import SideBySide
from localsteer.tui.steady import SteadyScreen
from localsteer.tui.widgets.key_line import KeyLine
from localsteer.tui.widgets.side_column import NARROWEST, SideColumn

if TYPE_CHECKING:
    from localsteer.tui.comparing import Comparing

Entry: TypeAlias = Literal["message", "strengths"]


class CompareScreen(ModalScreen[None], SteadyScreen[None]):
    """Fills the terminal. Columns stand side by side as far as they fit; of more, a row of tabs says which they are."""

    DEFAULT_CSS = """
    CompareScreen {
        background: $background;
        & > .compare--head { dock: top; height: 1; padding: 0 1; background: $panel; }
        & > .compare--asked { height: auto; max-height: 3; margin: 1 1 0 1; padding: 0 1; border-left: thick $primary;
                              background: $surface; }
        & > .compare--tabs { height: 1; margin: 1 1 0 1; display: none; link-color: $quiet; link-style: none;
                             link-background: transparent; link-color-hover: $background;
                             link-background-hover: $primary; link-style-hover: none; }
        & > #sides { height: 1fr; margin: 1 0 0 0; }
        & > .compare--hint { height: 1fr; padding: 2 3; color: $quiet; display: none; }
        & > .compare--problem { height: auto; max-height: 3; padding: 0 2; color: $error; display: none; }
        & > Input, & > Input:focus { height: 3; border: round $primary 70%; background: $background; padding: 0 1;
                                     margin: 0; display: none; border-title-color: $primary;
                                     background-tint: $background 0%; }
        &.-entry > Input { display: block; }
        & > .compare--keys { dock: bottom; height: auto; }
        & > .compare--keys > KeyLine { dock: none; }
        &.-entry KeyLine:last-child, &.-short KeyLine:last-child { display: none; }
        &.-short > .compare--asked { max-height: 1; margin: 0 1; }
        &.-short > #sides, &.-short > .compare--tabs { margin: 0; }
    }
    """

    VERTICAL_BREAKPOINTS = [(0, "-short"), (22, "-tall")]  # noqa: RUF012 (as Textual declares it)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,alt+c", "leave", show=False),
        Binding("right", "pick_next(1)", show=False),
        Binding("left", "pick_next(-1)", show=False),
        *(Binding(f"{number},alt+{number}", f"pick({number - 1})", show=False) for number in range(1, 10)),
        Binding("up", "scroll_side(-1)", show=False),
        Binding("down", "scroll_side(1)", show=False),
        Binding("pageup", "scroll_side(-8)", show=False),
        Binding("pagedown", "scroll_side(8)", show=False),
        Binding("enter", "keep", show=False),
        Binding("t", "keep_with_dials", show=False),
        Binding("a", "keep_all", show=False),
        Binding("r,ctrl+r", "again", show=False),
        Binding("s", "strip", show=False),
        Binding("d", "next_dial", show=False),
        Binding("e", "strengths", show=False),
        Binding("m,tab", "message", show=False),
        Binding("w", "toggle_words", show=False),
    ]
    AUTO_FOCUS = ""

    def __init__(self, comparing: Comparing, lineup: Lineup, question: str, model: str) -> None:
        super().__init__()
        self.picked = 0
        self._comparing = comparing
        self._lineup = lineup
        self._rack = lineup.rack
        self._question = question
        self._model = model
        self._entry: Entry | None = None
        self._words = True
        self._shown: SideBySide | None = None
        self._columns: list[SideColumn] = []

    def compose(self) -> ComposeResult:
        yield Static(Content(""), classes="compare--head")
        yield Static(Content(""), classes="compare--asked")
        yield Static(Content(""), classes="compare--tabs")
        yield Horizontal(id="sides")
        yield Static(Content("Write a message, and see it answered side by side."), classes="compare--hint")
        yield Static(Content(""), classes="compare--problem")
        yield Input()
        with Vertical(classes="compare--keys"):
            yield KeyLine(Keymap({}))
            yield KeyLine(Keymap({}))

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._repaint())
        if self._comparing.now is None:
            self._ask("message")
        else:
            # Not shown at once: until this is over the screen does not count as mounted.
            self.call_later(self._line_up, self._comparing.now)
        self._paint()

    def on_unmount(self) -> None:
        self.app.theme_changed_signal.unsubscribe(self)

    def show(self, now: SideBySide) -> None:
        """What has come so far."""
        # The engine speaks on while the screen is being taken down.
        if not self.usable:
            return
        if now is not self._shown:
            self.call_later(self._line_up, now)
            return
        base = now.replies[now.lineup.base]
        marks = self._words and not now.running
        for place, column in enumerate(self._columns):
            is_base = place == now.lineup.base
            column.show(writing=now.running, base=base if marks and not is_base else None)
        self._paint()

    async def _line_up(self, now: SideBySide) -> None:
        if now is self._shown or now is not self._comparing.now:
            return
        self._shown, self._lineup = now, now.lineup
        self.picked = min(self.picked, len(now.replies) - 1)
        self._columns = [SideColumn(reply, place, now.lineup) for place, reply in enumerate(now.replies)]
        sides = self.query_one("#sides", Horizontal)
        async with self.batch():
            await sides.remove_children()
            await sides.mount_all(self._columns)
            self._pick_column()
        self.show(now)

    # ------------------------------------------------------------ what the person does

    def action_leave(self) -> None:
        """Out of the writing; else stop; else close."""
        now = self._comparing.now
        if self._entry is not None and now is not None:
            self._ask(None)
        elif now is not None and now.running:
            self._comparing.stop()
        else:
            self.dismiss()

    def action_pick(self, place: int) -> None:
        """This side."""
        if place < len(self._columns):
            self.picked = place
            self._pick_column()
            self._paint()

    def action_pick_next(self, by: int) -> None:
        """The side beside it, round and round."""
        if self._columns:
            self.action_pick((self.picked + by) % len(self._columns))

    def action_scroll_side(self, by: int) -> None:
        """The picked side's text."""
        if self._columns:
            self._columns[self.picked].scroll(by)

    def action_keep(self) -> None:
        self.call_later(self._comparing.keep, self._shown, self.picked)

    def action_keep_with_dials(self) -> None:
        self.call_later(self._comparing.keep, self._shown, self.picked, take_dials=True)

    def action_keep_all(self) -> None:
        self.call_later(self._comparing.keep_all, self._shown, self.picked)

    def action_again(self) -> None:
        self._comparing.again()

    def action_strip(self) -> None:
        """A strip of the picked dial; from one back to steered and unsteered."""
        if self._lineup.strip is None:
            self._begin(usual_strip(self._rack, self._rack.picked))
        elif self._rack.settings():
            self._begin(steered_and_not(self._rack))
        else:
            self.notify("No dial is turned, so steered would be unsteered.", markup=False)

    def action_next_dial(self) -> None:
        """A strip of the dial after the one that it is of."""
        if self._lineup.strip is not None:
            self._begin(usual_strip(self._rack, (self._lineup.strip[0] + 1) % len(self._rack.dials)))

    def action_strengths(self) -> None:
        if self._lineup.strip is not None:
            self._ask("strengths")

    def action_message(self) -> None:
        self._ask("message")

    def action_submit(self) -> None:
        self.call_later(self.query_one(Input).action_submit)

    def action_toggle_words(self) -> None:
        """The words that are one's own told from those that are shared, or formatted text."""
        self._words = not self._words
        if self._shown is not None:
            self.show(self._shown)

    @on(SideColumn.Picked)
    def _clicked(self, event: SideColumn.Picked) -> None:
        self.action_pick(event.place)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        # A second Enter comes when nothing is asked for any more.
        if not text or self._entry is None:
            return
        strengths = self._lineup.strip if self._entry == "strengths" else None
        if strengths is None:
            self._ask(None)
            self._comparing.begin(self._lineup, text)
            return
        try:
            lineup = strip(self._rack, strengths[0], read_strengths(text))
        except DialError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self._ask(None)
        self._begin(lineup)

    def _begin(self, lineup: Lineup) -> None:
        self._lineup = lineup
        now = self._comparing.now
        if now is not None:
            self._comparing.begin(lineup, now.said, now.same_seed)

    def _ask(self, entry: Entry | None) -> None:
        """Have the person write a message or strengths, or nothing any more."""
        self._entry = entry
        field = self.query_one(Input)
        self.set_class(entry is not None, "-entry")
        if entry is None:
            self.set_focus(None)
        else:
            written = self._lineup.strip[1] if self._lineup.strip is not None else ()
            field.value = written_strengths(written) if entry == "strengths" else ""
            field.border_title = "Message" if entry == "message" else "Strengths"
            field.placeholder = "Say something…" if entry == "message" else "-1 0 1"
            field.focus()
        self._paint()

    # ------------------------------------------------------------ painting

    def on_resize(self, event: events.Resize) -> None:
        self._pick_column()
        self._paint()

    def _fitting(self) -> range:
        """The places of the columns that are on the screen: as many as fit, the picked one among them."""
        count = len(self._columns)
        fit = max(1, min(count, self.size.width // NARROWEST))
        first = max(0, min(self.picked - fit // 2, count - fit))
        return range(first, first + fit)

    def _pick_column(self) -> None:
        fitting = self._fitting()
        for place, column in enumerate(self._columns):
            column.display = place in fitting
            column.set_class(place == self.picked, "-picked")

    def _paint(self) -> None:
        now = self._comparing.now
        asked = (now.said if now is not None else "") or self._question
        question = self.query_one(".compare--asked", Static)
        question.display = now is not None
        question.update(Content(plain(asked)))
        self.query_one(".compare--hint").display = now is None
        self.query_one("#sides").display = now is not None
        self.query_one(".compare--head", Static).update(head_line(self._model, now, self.size.width - 2))
        tabs = self.query_one(".compare--tabs", Static)
        tabs.display = len(self._fitting()) < len(self._columns)
        tabs.update(tabs_line(self._lineup, self.picked))
        problem = self.query_one(".compare--problem", Static)
        problem.display = now is not None and bool(now.problem)
        problem.update(Content(plain(now.problem if now is not None else "")))
        keeping, settings = self.query(KeyLine)
        keeping.keys, settings.keys = compare_keys(
            entering=self._entry is not None,
            writing=now is not None and now.running,
            strip=self._lineup.strip is not None,
        )

    def _repaint(self) -> None:
        for column in self._columns:
            column.repaint_for_theme()
