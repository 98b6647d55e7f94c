"""All that is known of a vector, page by page: what tells its poles apart, what it does and costs, what it is like."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static, TabbedContent, TabPane, Tabs

from localsteer.errors import LocalsteerError, Stopped
from localsteer.plots.curve import Curve, spoken_window
from localsteer.plots.portrait import Portrait, TokenFigures
from localsteer.plots.terminal import (
    NEGATIVE_MARK,
    POSITIVE_MARK,
    Draw,
    draw_cost,
    draw_effect,
    draw_norms,
    draw_scatter,
    draw_separation,
)
from localsteer.tui.dialogs.window import Window
from localsteer.tui.plain import plain
from localsteer.tui.steady import work_beside
from localsteer.tui.strengths import signed
from localsteer.tui.widgets.card_plot import CardPlot
from localsteer.tui.widgets.likeness import CosineMap, others_content
from localsteer.tui.widgets.token_table import TokenTable

Progress = Callable[[int, int], None]
_TOKENS = "tokens"


class VectorCardScreen(Window[None]):
    """Closes on Esc, or a click beside it. ``find_tokens`` reads what the vector promotes off the model's file, in a
    thread, when that page is opened; it may raise LocalsteerError.
    """

    DEFAULT_CSS = """
    VectorCardScreen {
        & > Vertical { width: 96%; max-width: 116; height: 94%; max-height: 40; padding: 0 2; }
        & .card--facts { height: auto; color: $quiet; margin: 1 0; }
        & TabbedContent { height: 1fr; }
        & ContentSwitcher { height: 1fr; }
        & TabPane { height: 1fr; padding: 1 0 0 0; }
        & Tab { color: $quiet; }
        & Tab.-active, & Tabs:focus Tab.-active { color: $primary; background: transparent; text-style: bold; }
        & Tabs Underline > .underline--bar { background: $edge; color: $primary; }
        & .card--title { height: 1; width: 1fr; color: $foreground; text-style: bold; }
        & .card--words { color: $quiet; padding: 0 0 1 0; height: auto; }
        & .card--plot { height: 1fr; width: 1fr; min-height: 9; }
        & .card--beside { height: 1fr; min-height: 9; }
        & .card--beside .card--plot { margin: 0 2 0 0; }
        & #effect .card--beside { margin: 1 0 0 0; }
        & VerticalScroll { scrollbar-size-vertical: 1; scrollbar-background: $surface; height: 1fr; }
        & .card--likeness { height: auto; }
        & .card--likeness .card--title { margin: 0 0 1 0; }
        & .card--likeness > * { width: 1fr; height: auto; margin: 0 2 1 0; }
        &.-narrow .card--beside, &.-narrow .card--likeness { layout: vertical; }
        &.-narrow .card--beside { min-height: 18; }
        &.-low .card--facts { margin: 0; max-height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-low TabPane { padding: 0; }
    }
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012 (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,alt+i", "dismiss(None)", "Close", show=False),
        Binding("left", "turn_page(-1)", "Page before", show=False),
        Binding("right", "turn_page(1)", "Next page", show=False),
        Binding("up", "scroll(-1)", "Scroll up", show=False),
        Binding("down", "scroll(1)", "Scroll down", show=False),
        Binding("pageup", "scroll(-8)", "Scroll up", show=False),
        Binding("pagedown", "scroll(8)", "Scroll down", show=False),
    ]
    AUTO_FOCUS = "Tabs"

    def __init__(self, card: Portrait, find_tokens: Callable[[Progress], TokenFigures]) -> None:
        super().__init__()
        self._card = card
        self._find_tokens = find_tokens
        self._asked = False

    def compose(self) -> ComposeResult:
        card = self._card
        box = Vertical()
        box.border_title = Content(plain(card.name)).markup
        box.border_subtitle = "←→ page · ↑↓ scroll · Esc close"
        with box:
            yield Static(_facts(card), classes="card--facts")
            with TabbedContent():
                with TabPane("Layers", id="layers"), _page(), Horizontal(classes="card--beside"):
                    if any(layer.auc is not None for layer in card.layers):
                        yield _plot("How well it tells the poles apart (AUC)", _of(draw_separation, card))
                    yield _plot("Norm, of the residual norm", _of(draw_norms, card))
                with TabPane("Prompts", id="prompts"), _page():
                    yield from self._prompts()
                with TabPane("Effect", id="effect"), _page():
                    yield from self._effect()
                with TabPane("Tokens", id=_TOKENS), _page():
                    yield Static(Content("Reading them off the model…"), classes="card--words")
                    yield TokenTable()
                with TabPane("Likeness", id="likeness"), _page(), Horizontal(classes="card--likeness"):
                    with Vertical():
                        yield Static(Content("Cosine between its layers"), classes="card--title")
                        yield CosineMap(card)
                    with Vertical():
                        title = f"Cosine with others, layer {card.main_layer}"
                        yield Static(Content(title), classes="card--title")
                        yield Static(others_content(card))

    def on_unmount(self) -> None:
        self._asked = False

    def action_turn_page(self, by: int) -> None:
        """The page ``by`` places further."""
        tabs = self.query_one(Tabs)
        if by < 0:
            tabs.action_previous_tab()
        else:
            tabs.action_next_tab()

    def action_scroll(self, by: int) -> None:
        """The page up or down, where it is longer than its place."""
        self.query_one(f"#{self.query_one(TabbedContent).active} VerticalScroll").scroll_relative(y=by, animate=False)

    def _prompts(self) -> ComposeResult:
        scatter = self._card.scatter
        if scatter is None:
            yield Static(
                Content("Where its prompts lie is not known: the file does not say."),
                classes="card--words",
            )
            return
        negative, positive = map(plain, self._card.poles)
        title = Content.assemble(
            f"Prompts at layer {scatter.layer}   ",
            (f"{NEGATIVE_MARK} {negative}", "$pole-negative"),
            "   ",
            (f"{POSITIVE_MARK} {positive}", "$pole-positive"),
        )
        yield _plot(title, _of(draw_scatter, self._card))

    def _effect(self) -> ComposeResult:
        curve = self._card.curve
        if curve is None or not curve.windows:
            yield Static(
                Content(f"Not measured yet: localsteer sweep {plain(self._card.name)} measures effect and cost."),
                classes="card--words",
            )
            return
        yield _plot(_effect_title(curve), lambda plt, inks: draw_effect(plt, inks, curve))
        with Horizontal(classes="card--beside"):
            yield _plot("Perplexity, times", lambda plt, inks: draw_cost(plt, inks, curve, "perplexity_ratio"))
            yield _plot("KL, nats per token", lambda plt, inks: draw_cost(plt, inks, curve, "kl"))

    @on(TabbedContent.TabActivated)
    def _opened(self, event: TabbedContent.TabActivated) -> None:
        if event.pane.id == _TOKENS and not self._asked:
            self._asked = True
            work_beside(self, self._read_tokens)

    async def _read_tokens(self) -> None:
        def go_on(_done: int, _total: int) -> None:
            # A large vocabulary takes seconds, and nobody waits for them once this is closed.
            if not self._asked:
                raise Stopped

        words = self.query_one(f"#{_TOKENS} .card--words", Static)
        try:
            tokens = await asyncio.to_thread(self._find_tokens, go_on)
        except Stopped:
            return
        except LocalsteerError as error:
            words.update(Content(f"Which tokens it promotes is not known. {plain(str(error))}"))
            return
        words.update(Content(f"Through the logit lens: as if no block came after layer {tokens.layer}."))
        for table in self.query(TokenTable):  # gone where this is being taken down
            table.tokens = tokens


def _page() -> VerticalScroll:
    return VerticalScroll(can_focus=False)


def _of(draw: Callable[..., None], card: Portrait) -> Draw:
    return lambda plt, inks: draw(plt, inks, card)


def _plot(title: Content | str, draw: Draw) -> Vertical:
    heading = title if isinstance(title, Content) else Content(title)
    return Vertical(Static(heading, classes="card--title"), CardPlot(draw), classes="card--plot")


def _facts(card: Portrait) -> Content:
    negative, positive = map(plain, card.poles)
    facts = [f"steers {spoken_window(card.default_layers)}", plain(card.model), plain(card.method)]
    if card.strength_low is not None and card.strength_high is not None:
        facts.insert(0, f"recommended {signed(card.strength_low)} to {signed(card.strength_high)}")
    return Content.assemble(
        (negative, "$pole-negative"),
        (" ↔ ", "$faint"),
        (positive, "$pole-positive"),
        "   ",
        "  ·  ".join(fact for fact in facts if fact),
    )


def _effect_title(curve: Curve) -> str:
    if curve.by_layer:
        return "Effect by layer, nats per token"
    windows = list(curve.windows)
    return f"Effect of {spoken_window(windows[0]) if len(windows) == 1 else 'each window'}, nats per token"
