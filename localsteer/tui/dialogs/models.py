"""Choosing another model: those on this disk, and a way to download more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from localsteer.errors import DownloadError
from localsteer.library.byte_words import size
from localsteer.tui.dialogs.choosing import Choosing
from localsteer.tui.fetching import Fetching
from localsteer.tui.model_shelf import Offer, offer_typed, offers_of, offers_to_fetch
from localsteer.tui.plain import plain
from localsteer.tui.steady import work_beside
from localsteer.tui.widgets.fetch_line import FetchLine

_LOOK_SECONDS = 0.1
_PART = 0.92
"""Of the terminal's height."""
_FRAME = 6
"""Lines of the window that are not the list's."""
_VERDICTS = {"fits": "$success", "tight": "$warning", "too large": "$error"}


class Models(Choosing["Path | None"]):
    """Gives the file of the model to load, or None.

    ``find`` lists the models on this disk; it is called in a thread. ``present`` is the file that is loaded.
    """

    DEFAULT_CSS = """
    Models {
        & > Vertical { width: 92; max-width: 96%; max-height: 92%; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", show=False)]

    def __init__(self, find: Callable[[], tuple[Offer, ...]], present: Path | None) -> None:
        super().__init__()
        self._find = find
        self._present = present
        self._here: tuple[Offer, ...] = ()
        self._there: tuple[Offer, ...] = ()
        self._looking = True
        self._fetching: Fetching | None = None
        self._shown: dict[str, Offer] = {}

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "Models"
        box.border_subtitle = "↑↓ choose · Enter open or download · Esc close"
        with box:
            yield Input(placeholder="Search…  or a model of the Hugging Face hub: org/repo:file")
            yield OptionList()
            yield FetchLine()

    def on_mount(self) -> None:
        self._fill()
        work_beside(self, self._look)
        self.set_interval(_LOOK_SECONDS, self._watch)

    def on_unmount(self) -> None:
        if self._fetching is not None:
            self._fetching.stop()

    async def _look(self, highlight: Path | None = None) -> None:
        """Find the models on this disk, while the person can already type."""
        self._here = await asyncio.to_thread(self._find)
        self._there = offers_to_fetch(self._here)
        self._looking = False
        self._fill(highlight or self._present)

    # ------------------------------------------------------------ the list

    @on(Input.Changed)
    def _search(self) -> None:
        self._fill()

    def _fill(self, highlight: Path | None = None) -> None:
        if not self.there:
            return
        search = self.query_one(Input).value.strip()
        words = search.lower().split()
        here, there = (
            [offer for offer in offers if all(word in offer.haystack for word in words)]
            for offers in (self._here, self._there)
        )
        typed = offer_typed(search)
        if typed is not None:
            there = [offer for offer in there if offer.hub != typed.hub] + [typed]
        options = self.query_one(OptionList)
        options.clear_options()
        self._shown = {}
        self._add("On this disk", here)
        self._add("To download from the Hugging Face hub", there)
        if self._looking:
            options.add_option(Option(Content.styled("looking for models on this disk…", "$quiet"), disabled=True))
        elif not self._shown:
            options.add_option(Option(Content.styled("Nothing is called that.", "$quiet"), disabled=True))
        ids = [option.id for option in options.options]
        wanted = next(
            (id for id, offer in self._shown.items() if highlight is not None and offer.path == highlight), None
        )
        can_be = self.can_be()
        if wanted is not None and ids.index(wanted) in can_be:
            options.highlighted = ids.index(wanted)
        else:
            options.highlighted = can_be[0] if can_be else None
        self.call_after_refresh(self._show_highlight)

    def _show_highlight(self) -> None:
        if not self.there:
            return
        # With the heading above it, which is no option and would stay out of sight.
        options = self.query_one(OptionList)
        options.scroll_home(animate=False)
        options.scroll_to_highlight()

    def _add(self, heading: str, offers: Sequence[Offer]) -> None:
        options = self.query_one(OptionList)
        if not offers:
            return
        if options.option_count:
            options.add_option(Option(Content(" "), disabled=True))
        options.add_option(Option(Content.styled(heading, "$primary"), disabled=True))
        for offer in offers:
            id = f"offer-{len(self._shown)}"
            self._shown[id] = offer
            options.add_option(Option(self._row(offer), id=id, disabled=bool(offer.problem)))

    def _row(self, offer: Offer) -> Content:
        loaded = offer.path is not None and offer.path == self._present
        parts = [(fact, _VERDICTS.get(fact, "$quiet") if fact == offer.verdict else "$quiet") for fact in offer.facts]
        facts = Content(" · ").join([Content.styled(plain(text), colour) for text, colour in parts])
        row = Content.assemble((plain(offer.name), "bold"), ("   loaded" if loaded else "", "$success"))
        below = [facts] if offer.facts else []
        if offer.about:
            below.append(Content.styled(plain(offer.about), "$quiet"))
        if offer.problem:
            below.append(Content.styled(plain(offer.problem), "$error"))
        return Content("\n").join([row, *(Content.assemble("  ", line) for line in below)])

    def _fit(self) -> None:
        """The list leaves room for what is said of a download below it."""
        line = self.query_one(FetchLine)
        below = line.outer_size.height + 1 if line.display else 0
        self.query_one(OptionList).styles.max_height = max(3, int(self.app.size.height * _PART) - _FRAME - below)

    # ------------------------------------------------------------ choosing

    def shut(self) -> None:
        """After a click beside it."""
        self.action_leave()

    def action_leave(self) -> None:
        """Esc: first it stops what goes on, then it closes."""
        if self._fetching is not None and not self._fetching.over:
            self._fetching.stop()
            self.query_one(FetchLine).busy("stopping…")
        else:
            self.dismiss(None)

    def choose(self, option: Option) -> None:
        offer = self._shown.get(option.id or "")
        if offer is None or offer.problem:
            return
        if offer.path is not None:
            self.dismiss(offer.path)
        elif self._fetching is not None and not self._fetching.over:
            self.query_one(FetchLine).busy("One download at a time; Esc stops this one.")
        elif offer.doing == "look":
            work_beside(self, partial(self._look_at, offer))
        elif offer.hub is not None:
            self._fetching = Fetching(offer.hub)
            self.query_one(FetchLine).busy(f"{offer.name}: asking the hub…")

    async def _look_at(self, repository: Offer) -> None:
        line = self.query_one(FetchLine)
        assert repository.hub is not None
        line.busy(f"{repository.name}: asking the hub…")
        try:
            self._there = await asyncio.to_thread(offers_of, repository.hub)
        except DownloadError as error:
            line.say(str(error), wrong=True)
            return
        line.say(f"{repository.name} has {len(self._there)} GGUF files; choose one to download it.")
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        self._here = ()
        self._fill()

    # ------------------------------------------------------------ downloading

    async def _arrived(self, name: str, path: Path) -> None:
        """It is said when it is true: by then the list has the model, and Enter means it."""
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        await self._look(path)
        self.query_one(FetchLine).say(f"{name} is here; Enter opens it.")

    def _watch(self) -> None:
        if not self.there:
            return
        self._fit()
        fetching, line = self._fetching, self.query_one(FetchLine)
        if fetching is None:
            return
        progress = fetching.progress
        name = fetching.wanted.file.rsplit("/", 1)[-1] or fetching.wanted.repo
        if not fetching.over:
            if progress is not None and not fetching.stopping:
                line.show(name, progress)
            return
        self._fetching = None
        if fetching.path is not None:
            work_beside(self, partial(self._arrived, name, fetching.path))
        elif fetching.problem:
            line.say(fetching.problem, wrong=True)
        else:
            there = f" at {size(progress.done)} of {size(progress.total)}" if progress is not None else ""
            line.say(f"Stopped{there}. What has come is kept: choose {name} again to go on from there.")
