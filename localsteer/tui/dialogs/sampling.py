"""How words are drawn: a value on each line, in force from the next reply on."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from localsteer.engine.protocol import Sampling
from localsteer.errors import LocalsteerError
from localsteer.tui.dialogs.window import Window
from localsteer.tui.plain import plain
from localsteer.tui.sampling_values import SAMPLING_VALUES, with_value
from localsteer.tui.widgets.number_row import NumberRow


class SamplingPanel(Window[None]):
    """``take`` gets every change at once; ``keep`` writes them down for next time. ``last_seed``: the last reply's."""

    DEFAULT_CSS = """
    SamplingPanel {
        & > Vertical { width: 66; max-width: 96%; max-height: 96%; padding: 1 1; }
        & VerticalScroll { height: auto; max-height: 1fr; scrollbar-size-vertical: 1; }
        & #says { height: 2; padding: 0 1; margin: 1 0 0 0; color: $quiet; }
        & #says.-wrong { color: $error; }
        & Horizontal { height: auto; margin: 0; }
        & Button { margin: 0; min-width: 8; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss(None)", "Close", show=False),
        Binding("k", "keep_seed", show=False),
        Binding("r", "random_seed", show=False),
        Binding("d", "defaults", show=False),
        Binding("s", "make_default", show=False),
    ]
    AUTO_FOCUS = "NumberRow"

    def __init__(
        self,
        sampling: Sampling,
        last_seed: int | None,
        take: Callable[[Sampling], None],
        keep: Callable[[Sampling], str],
    ) -> None:
        super().__init__()
        self._sampling = sampling
        self._last_seed = last_seed
        self._take = take
        self._keep = keep

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "Sampling"
        box.border_subtitle = "↑↓ choose · ←→ or type · Del default · Esc close"
        with box:
            with VerticalScroll(can_focus=False):
                for one in SAMPLING_VALUES:
                    yield NumberRow(one, one.of(self._sampling))
            yield Static(Content(""), id="says")
            with Horizontal():
                yield Button("k keep seed", id="keep-seed", compact=True, disabled=self._last_seed is None)
                yield Button("r random", id="random-seed", compact=True)
                yield Button("d defaults", id="defaults", compact=True)
                yield Button("s make default", id="make-default", compact=True)

    # ------------------------------------------------------------ the values

    @on(NumberRow.Changed)
    def _changed(self, event: NumberRow.Changed) -> None:
        self._sampling = with_value(self._sampling, event.row.what.name, event.value)
        self._take(self._sampling)

    @on(NumberRow.Wrong)
    def _wrong(self, event: NumberRow.Wrong) -> None:
        if event.reason:
            self._say(event.reason, wrong=True)
        else:
            self._say_focused()

    def on_descendant_focus(self) -> None:
        self._say_focused()

    def _say_focused(self) -> None:
        if isinstance(self.focused, NumberRow):
            self._say(self.focused.what.says)

    def _say(self, text: str, *, wrong: bool = False) -> None:
        line = self.query_one("#says", Static)
        line.update(Content(plain(text)))
        line.set_class(wrong, "-wrong")

    def _row(self, name: str) -> NumberRow:
        return self.query_one(f"#row-{name}", NumberRow)

    # ------------------------------------------------------------ what is done to them

    def action_keep_seed(self) -> None:
        """The seed of the last reply for all that come: the same is drawn again."""
        if self._last_seed is not None:
            self._row("seed").put(self._last_seed)

    def action_random_seed(self) -> None:
        self._row("seed").put(None)

    def action_defaults(self) -> None:
        for row in self.query(NumberRow):
            row.action_default()

    def action_make_default(self) -> None:
        """Into the settings file."""
        try:
            self._say(self._keep(self._sampling))
        except LocalsteerError as error:
            self._say(str(error), wrong=True)

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        await self.run_action((event.button.id or "").replace("-", "_"))
