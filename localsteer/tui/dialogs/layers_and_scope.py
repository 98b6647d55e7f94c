"""Where a dial acts: on which layers, and on which part of the conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from localsteer.engine.protocol import SCOPES, Scope
from localsteer.errors import DialError
from localsteer.library.dials import layers_in, layers_text
from localsteer.library.vector_cards import VectorCard
from localsteer.tui.dialogs.window import Window
from localsteer.tui.plain import plain
from localsteer.tui.rack import Dial
from localsteer.tui.widgets.layer_bars import LayerBars

_SAYS: dict[Scope, str] = {
    "reply": "Steers what the model writes, not what it reads.",
    "everything": "Steers what it reads, too: all that was said.",
    "prompt-start": "Is added to the first words of your message.",
}
_ONLY_TWO_WORDS = "Only for dials made from two words or texts."


@dataclass(frozen=True, slots=True)
class Place:
    """``layers`` None: as the vector says."""

    layers: tuple[int, ...] | None
    scope: Scope


class LayersAndScope(Window[Place | None]):
    """Gives where the dial is to act, or None where nothing is to change."""

    DEFAULT_CSS = """
    LayersAndScope {
        & > Vertical { max-height: 94%; }
        & .place--head { height: 1; color: $primary; }
        & .place--words { height: auto; color: $quiet; margin: 0 0 1 0; }
        & .place--words.-wrong { color: $error; }
        & Input, & Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
        & OptionList { height: auto; border: none; padding: 0; background: $surface; }
        & OptionList > .option-list--option { padding: 0 1; }
        & OptionList > .option-list--option-highlighted { background: $panel; color: $foreground; }
        & Horizontal { height: auto; align-horizontal: right; margin: 1 0 0 0; }
        & Button { margin: 0 0 0 2; min-width: 10; }
        &.-low LayerBars { display: none; }
        &.-low > Vertical { padding: 0 2; }
        &.-low Horizontal { display: none; }
    }
    """

    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-high")]  # noqa: RUF012 (as Textual declares it)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,alt+l", "dismiss(None)", "Close", show=False),
        Binding("ctrl+s", "save", "Save", show=False),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self, dial: Dial, card: VectorCard) -> None:
        super().__init__()
        self._dial = dial
        self._card = card
        self._scope: Scope = dial.scope
        self._layers: tuple[int, ...] | None = dial.own_layers

    def compose(self) -> ComposeResult:
        card = self._card
        box = Vertical()
        box.border_title = Content(f"{plain(self._dial.name)}: layers and scope").markup
        box.border_subtitle = "Enter save · ↑↓ scope · Esc close"
        with box:
            yield Static(Content("Layers"), classes="place--head")
            yield Input(
                layers_text(self._layers) if self._layers else "",
                placeholder=f"as the vector says: {layers_text(card.default_layers)}",
                select_on_focus=False,
            )
            yield Static(Content(""), id="layers-words", classes="place--words")
            yield LayerBars(card.layers, card.aucs, card.default_layers)
            yield Static(Content(""), id="bars-words", classes="place--words")
            yield Static(Content("Scope"), classes="place--head")
            yield OptionList(*(self._option(scope) for scope in SCOPES))
            with Horizontal():
                yield Button("Close", id="close", compact=True)
                yield Button("Save", id="save", variant="primary", compact=True)

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        # Enter belongs to the field, wherever one has clicked.
        options.can_focus = False
        options.highlighted = SCOPES.index(self._scope)
        self._show_layers()

    def action_move(self, by: int) -> None:
        """Another scope, from wherever the focus is."""
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_save(self) -> None:
        """Close, and take what is chosen; layers that cannot be had keep it open."""
        if self._problem():
            self.query_one(Input).focus()
            self.app.bell()
            return
        place = Place(self._layers, self._scope)
        self.dismiss(None if place == Place(self._dial.own_layers, self._dial.scope) else place)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show_layers()

    @on(Input.Submitted)
    def _enter(self) -> None:
        self.action_save()

    @on(OptionList.OptionHighlighted)
    def _scoped(self, event: OptionList.OptionHighlighted) -> None:
        self._scope = SCOPES[event.option_index]
        options = self.query_one(OptionList)
        for scope in SCOPES:
            options.replace_option_prompt(scope, self._words(scope))

    @on(LayerBars.Toggled)
    def _toggled(self, event: LayerBars.Toggled) -> None:
        chosen = set(self.query_one(LayerBars).chosen) ^ {event.layer}
        self.query_one(Input).value = layers_text(tuple(sorted(chosen))) if chosen else ""

    @on(Button.Pressed, "#save")
    def _save(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)

    def _show_layers(self) -> None:
        """What was typed, read, said and drawn."""
        problem, words = self._problem(), self.query_one("#layers-words", Static)
        words.set_class(bool(problem), "-wrong")
        held = layers_text(self._card.layers)
        words.update(
            Content(plain(problem) or f"Layers {held} can be had, written like 2-4 or 2,4; or a click on one.")
        )
        if not problem:
            chosen = self._layers or self._card.default_layers
            self.query_one(LayerBars).chosen = chosen
            self.query_one("#bars-words", Static).update(Content(self._quality(chosen)))

    def _quality(self, layers: tuple[int, ...]) -> str:
        """How well these layers tell the poles apart."""
        aucs = dict(zip(self._card.layers, self._card.aucs, strict=False))
        known = [auc for layer in layers if (auc := aucs.get(layer)) is not None]
        if not known:
            return "How well they tell the poles apart is not known.  •  usual"
        least, most = (f"{auc:.2f}" for auc in (min(known), max(known)))
        span = least if least == most else f"{least}–{most}"
        return f"Tells the poles apart with AUC {span} (0.5: by chance).  •  usual"

    def _problem(self) -> str:
        """Reads the field; one sentence where it names layers that cannot be had."""
        typed = "".join(self.query_one(Input).value.split())
        try:
            layers = layers_in(typed) if typed else None
        except DialError as error:
            return str(error)
        missing = [layer for layer in layers or () if layer not in self._card.layers]
        if missing:
            held = layers_text(self._card.layers)
            return f"It has no direction for layer {missing[0]}; its layers are {held}."
        self._layers = None if layers == self._card.default_layers else layers
        return ""

    def _option(self, scope: Scope) -> Option:
        return Option(self._words(scope), id=scope, disabled=not self._possible(scope))

    def _possible(self, scope: Scope) -> bool:
        return scope != "prompt-start" or self._dial.usual_scope == scope

    def _words(self, scope: Scope) -> Content:
        says = _SAYS[scope] if self._possible(scope) else _ONLY_TWO_WORDS
        return Content.assemble(
            ("● " if scope == self._scope else "○ ", "$primary"),
            (scope.ljust(13), "bold" if self._possible(scope) else "$faint"),
            (says, "$quiet" if self._possible(scope) else "$faint"),
        )
