"""One of the replies that are written side by side: its dials as the head, its text, what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from localsteer.tui.differences import shared
from localsteer.tui.foot import perplexity_words
from localsteer.tui.lineup import Lineup
from localsteer.tui.markdown import FinishedMarkdown
from localsteer.tui.plain import plain, shown_part
from localsteer.tui.side_by_side import SideReply
from localsteer.tui.widgets.dial_face import in_small

NARROWEST = 28
"""Cells that a column needs, its frame included."""

_MOST_DIALS = 3
_FRAME = 4
_CURSOR = "▌"
_ENDINGS = {"stopped": "stopped", "length": "cut", "context": "context full"}


class SideColumn(Vertical):
    """A column. Its text is one ``Static``, so that ten paintings a second cost little."""

    DEFAULT_CSS = """
    SideColumn {
        width: 1fr;
        height: 1fr;
        padding: 0 1;
        border: round $edge;
        border-title-color: $quiet;
        border-subtitle-color: $quiet;
        &.-picked { border: round $primary; background: $surface; }
        & > .side--dials { height: auto; margin: 0 0 1 0; }
        & > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & .side--page { height: auto; min-height: 100%; }
        & .side--text { height: auto; }
    }
    """

    @dataclass
    class Picked(Message):
        """The person clicked it."""

        place: int

    def __init__(self, reply: SideReply, place: int, lineup: Lineup) -> None:
        super().__init__()
        self._reply = reply
        self._place = place
        self._lineup = lineup
        self._base: SideReply | None = None
        self._writing = True
        self._painted: tuple[object, ...] = ()
        self._head = Static(Content(""), classes="side--dials")
        self._text = Static(Content(""), classes="side--text")
        self._scroll = VerticalScroll(can_focus=False)

    def compose(self) -> ComposeResult:
        yield self._head
        # As high as the column at least: an anchored one would push a short text to its end.
        with self._scroll, Vertical(classes="side--page"):
            yield self._text

    def on_mount(self) -> None:
        side = self._reply.side
        colour = "$pole-positive" if side.lean > 0 else "$pole-negative" if side.lean < 0 else "$foreground"
        self.border_title = Content.assemble((f"{self._place + 1} ", "$faint"), (side.title, f"{colour} bold"))
        self._scroll.anchor()

    def on_resize(self) -> None:
        self._paint_dials()
        self._paint_foot()

    def on_click(self) -> None:
        self.post_message(self.Picked(self._place))

    def show(self, *, writing: bool, base: SideReply | None) -> None:
        """Paint what is new. ``base``: the reply whose words are to be told from its own, None for no such marks."""
        reply = self._reply
        state = (len(reply.shown), len(reply.tokens), writing, base is not None, reply.finished, reply.perplexity)
        if state == self._painted:
            return
        self._painted = state
        self._base, self._writing = base, writing and reply.finished is None
        self._paint_text()
        self._paint_foot()

    def repaint_for_theme(self) -> None:
        """A finished reply's colours are baked in."""
        self._paint_text()

    def scroll(self, by: int) -> None:
        """Its text up or down by so many lines."""
        self._scroll.scroll_relative(y=by, animate=False)

    def _paint_dials(self) -> None:
        rack = self._reply.side.rack
        width = max(12, self.content_size.width)
        lines = []
        shown = self._lineup.shown
        label = min(width // 3, max(len(plain(rack.dials[place].name)) for place in shown[:_MOST_DIALS]))
        for place in shown[:_MOST_DIALS]:
            dial, full = rack.dials[place], self._lineup.full(place)
            quiet = dial.muted or rack.silenced(dial)
            lines.append(in_small(dial, quiet=quiet, label=label, full=full, width=width))
        if len(shown) > _MOST_DIALS:
            lines.append(Content.styled(f"and {len(shown) - _MOST_DIALS} more", "$faint"))
        self._head.update(Content("\n").join(lines))

    def _paint_text(self) -> None:
        text = self._text
        words = shown_part(self._reply.shown.strip("\n"))
        if self._writing:
            text.update(Content.assemble(words, (_CURSOR, "$primary")))
        elif self._base is not None:
            pieces = shared(words, self._base.shown.strip("\n"))
            text.update(Content.assemble(*((piece, "$quiet" if same else "") for piece, same in pieces)))
        else:
            text.update(FinishedMarkdown(plain(words), dark=self.app.current_theme.dark))

    def _paint_foot(self) -> None:
        reply = self._reply
        words = []
        if reply.finished is not None and reply.finished.reason in _ENDINGS:
            words.append(_ENDINGS[reply.finished.reason])
        if reply.perplexity is not None:
            words.append(perplexity_words(reply.perplexity))
        count = [f"{len(reply.tokens)} tokens"] if reply.tokens else []
        whole = " · ".join([*count, *words])
        room = max(0, self.outer_size.width - _FRAME)
        self.border_subtitle = Content(whole if len(whole) <= room or not words else " · ".join(words))
