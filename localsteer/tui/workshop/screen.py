"""The workshop's screen: four ways to a contrast on the left, what was made of it on the right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static, TabbedContent, TabPane, Tabs

from localsteer.errors import LocalsteerError
from localsteer.library.portraits import read_tokens
from localsteer.tui.dial_shelf import portrait_of
from localsteer.tui.greeting import shown_name
from localsteer.tui.keymap import Keymap
from localsteer.tui.plain import plain
from localsteer.tui.steady import open_late
from localsteer.tui.widgets.key_line import KeyLine
from localsteer.tui.widgets.making import MakingView
from localsteer.tui.widgets.too_small import TooSmall
from localsteer.tui.workshop.asking import too_small
from localsteer.tui.workshop.pairs_way import PairsWay
from localsteer.tui.workshop.palette import WorkshopCommandList
from localsteer.tui.workshop.personas_way import PersonasWay
from localsteer.tui.workshop.telling import WRITING, Telling, begun
from localsteer.tui.workshop.tryout import TryOut
from localsteer.tui.workshop.way import Way, Ways
from localsteer.tui.workshop.word_way import WordWay
from localsteer.tui.workshop.words_way import WordsWay

if TYPE_CHECKING:
    from localsteer.tui.workshop.making import Workshop

_MOMENT = 0.02
_WAYS = ("word", "words", "personas", "pairs")


class WorkshopScreen(Telling):
    """Is kept when it closes, with all that was typed."""

    DEFAULT_CSS = """
    WorkshopScreen {
        background: $background;
        layers: below above;
        & > .shop--head { height: 1; padding: 0 2; background: $panel; color: $quiet; }
        & > #bench { height: 1fr; }
        & #write { width: 1fr; height: 1fr; padding: 1 0 0 0; }
        & TryOut { width: 1fr; border-left: solid $edge; padding: 1 2; }
        & TabbedContent, & ContentSwitcher { height: 1fr; }
        & TabPane { height: 1fr; padding: 1 0 0 0; }
        & Tab { color: $quiet; }
        & Tab.-active, & Tabs:focus Tab.-active { color: $primary; background: transparent; text-style: bold; }
        & Tabs Underline > .underline--bar { background: $edge; color: $primary; }
        & Tabs { padding: 0 1; }
        & .shop--foot { height: auto; padding: 0 2; margin: 1 0; }
        & .shop--foot > Static { width: 1fr; height: auto; max-height: 3; padding: 0 0 0 2; color: $quiet; }
        & .shop--foot > Static.-wrong { color: $error; }
        & MakingView { padding: 0 2; }
        & Button { min-width: 8; }
        &.-narrow TryOut { display: none; border-left: none; }
        &.-narrow.-benched TryOut { display: block; }
        &.-narrow.-benched #write { display: none; }
        &.-low .shop--foot, &.-low #word-note { margin: 0; }
        &.-low #write { padding: 0; }
        &.-narrow.-making .shop--foot { display: none; }
        &.-low TryOut { padding: 0 2; }
    }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-wide")]  # noqa: RUF012 (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (27, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False, priority=True),
        Binding("alt+h", "leave", show=False, priority=True),
        # These read what is typed, and so come after it.
        Binding("alt+m,f2", "make", show=False),
        Binding("alt+t,f3", "try_out", show=False),
        Binding("alt+w", "write", show=False),
        Binding("alt+s,f4,ctrl+s", "save", show=False, priority=True),
        Binding("alt+u,f5", "use", show=False, priority=True),
        Binding("alt+i,f6", "show_card", show=False, priority=True),
        Binding("f7", "write", show=False, priority=True),
        *(Binding(f"alt+{number}", f"way({number - 1})", show=False, priority=True) for number in range(1, 5)),
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {WorkshopCommandList}
    AUTO_FOCUS = "#word"

    def __init__(self, shop: Workshop, keymap: Keymap) -> None:
        super().__init__()
        self.shop = shop
        self._keymap = keymap
        self.confirmed = ""
        self.fresh: dict[int, str] = {}

    def compose(self) -> ComposeResult:
        yield Static(Content(""), classes="shop--head")
        with Horizontal(id="bench"):
            with Vertical(id="write"):
                with Ways():
                    with TabPane("One word", id="word-tab"):
                        yield WordWay(self.shop.free_name, id="way-word")
                    with TabPane("Two words", id="words-tab"):
                        yield WordsWay(self.shop.free_name, id="way-words")
                    with TabPane("Two personas", id="personas-tab"):
                        yield PersonasWay(self.shop.free_name, id="way-personas")
                    with TabPane("Table of pairs", id="pairs-tab"):
                        yield PairsWay(self.shop.free_name, id="way-pairs")
                with Horizontal(classes="shop--foot"):
                    yield Button("Make", id="make", variant="primary", compact=True)
                    yield Static(Content(""), id="remark")
            yield TryOut()
        yield MakingView()
        yield KeyLine(self._keymap)
        yield TooSmall()

    def on_mount(self) -> None:
        self.query_one(KeyLine).keys = WRITING

    def on_resize(self) -> None:
        self.query_one(TooSmall).check(self.app.size)

    @on(events.ScreenResume)
    def _opened(self) -> None:
        """The model may be another one since."""
        self.show_model()

    def show_model(self) -> None:
        """Which model is loaded, and what it can do here."""
        self.shop.forget_other_models()
        if self.shop.made is None:
            self.unbench()
            self.query_one(TryOut).forget()
        card = self.shop.card
        name = "the model is loading" if card is None else shown_name(card)
        title = Content.assemble(("Workshop", "bold $primary"), ("   a dial of your own", "$quiet"), f"   ·   {name}")
        self.query_one(".shop--head", Static).update(title)
        if card is not None:
            self.query_one(WordWay).show_model(not too_small(card), begun(name))
        self.show_keys()

    # ------------------------------------------------------------ commands

    @property
    def way(self) -> Way:
        """The one that is shown."""
        return self.query_one(f"#{self.query_one(TabbedContent).active} Way", Way)

    def action_way(self, index: int) -> None:
        """Another way; what was typed on the others stays."""
        self.unbench()
        self.query_one(TabbedContent).active = f"{_WAYS[index]}-tab"
        self.call_after_refresh(self._focus_first)

    def action_next_way(self) -> None:
        """Round and round."""
        tabs = self.query_one(Tabs)
        self.unbench()
        tabs.action_next_tab()

    def _focus_first(self) -> None:
        first = next((widget for widget in self.way.query("Line, Lines") if widget.focusable), None)
        if first is not None:
            self.set_focus(first)
        elif self.is_current:
            # The way is not shown yet.
            self.set_timer(_MOMENT, self._focus_first)

    def action_on(self) -> None:
        """As Tab."""
        self.focus_next()

    async def action_back(self) -> None:
        """Stop what is under way, else back to the words, else to the chat."""
        if self.shop.busy:
            self.shop.stop()
        elif self.has_class("-narrow") and self.has_class("-benched"):
            self.unbench()
            self._focus_first()
        else:
            self._leave()

    def action_leave(self) -> None:
        """To the chat; all that was typed is here next time."""
        self._leave()

    def _leave(self, said: str = "") -> None:
        self.shop.stop()
        kept = said or ("What you typed is kept until the app ends." if self._unsaved() else "")
        self.dismiss()
        if kept:
            self.app.notify(kept, markup=False)

    def _unsaved(self) -> bool:
        return self.shop.made is None and any(way.is_touched for way in self.query(Way))

    def action_make(self) -> None:
        """A vector from what is typed on this way."""
        way = self.way
        try:
            contrast, name = way.contrast(), way.name_of_dial
            taken = self.shop.in_the_way(name)
            if taken and self.confirmed != name:
                self.confirmed = name
                self.refuse(
                    f'There is {taken} called "{name}" already; take another name, or make it again to replace it.'
                )
                return
            self.say("")
            self.query_one(MakingView).begin(name, "starting…")
            self.add_class("-making")
            self.shop.make(contrast, name)
        except LocalsteerError as error:
            self.end_making()
            self.refuse(str(error))
        self.show_keys()

    def action_try_out(self) -> None:
        """Answer the message on all three sides."""
        if self.shop.made is None:
            self.refuse("There is nothing to try yet; make it first.")
        else:
            self.query_one(TryOut).ask()

    @on(TryOut.Asked)
    async def _asked(self, event: TryOut.Asked) -> None:
        self.query_one(TryOut).clear("…")
        self.fresh.clear()
        try:
            await self.shop.try_out(event.text)
        except LocalsteerError as error:
            self.refuse(str(error))
        self.show_keys()

    async def action_use(self) -> None:
        """Onto the panel with it, and back to the chat."""
        made = self.shop.made
        if made is None:
            self.refuse("There is nothing to use yet; make it first.")
            return
        await self.shop.use()
        turns = self._keymap.hint("turn_up", "turns it")
        self._leave(f"{plain(made.dial.name)} is on the panel. {turns}".rstrip())

    def action_save(self) -> None:
        """The recipe of what was made, among the person's own."""
        made = self.shop.made
        if made is None:
            self.refuse("There is nothing to save yet; make it first.")
            return
        try:
            path = self.shop.save()
        except LocalsteerError as error:
            self.refuse(str(error))
            return
        if path is None:
            self.say("Two words need no recipe: the vector is kept, and stands in the list that adds dials.")
        else:
            self.say(f"Saved: {path}. It stands in the list that adds dials from now on.")

    def action_write(self) -> None:
        """Have the model write statements."""
        if isinstance(self.way, WordWay):
            self.query_one(WordWay).want_statements()

    async def action_show_card(self) -> None:
        """All that is known of what was made."""
        made = self.shop.made
        if made is None:
            self.refuse("There is no card yet; make it first.")
            return
        try:
            card, portrait = await asyncio.to_thread(portrait_of, made.dial, self.shop.places)
        except LocalsteerError as error:
            self.refuse(str(error))
            return
        # Plotting takes a while to be imported.
        from localsteer.tui.dialogs.vector_card import VectorCardScreen

        model = Path(self.shop.link.model_path)
        open_late(self, VectorCardScreen(portrait, lambda progress: read_tokens(card, model, progress=progress)))

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "make":
                self.action_make()
            case "try":
                self.action_try_out()
            case "use":
                await self.action_use()
            case "save":
                self.action_save()
            case "card":
                await self.action_show_card()

    @on(Way.Ready)
    def _ready(self) -> None:
        self.query_one("#make", Button).focus()

    @on(WordWay.Wanted)
    def _wanted(self, event: WordWay.Wanted) -> None:
        card = self.shop.card
        if card is None or too_small(card):
            self.refuse("This model cannot write them; take a form, or write them yourself.")
            return
        try:
            self.shop.ask(event.word, event.opposite)
        except LocalsteerError as error:
            self.refuse(str(error))
            return
        self.query_one(WordWay).note("The model is writing…")
        self.show_keys()
