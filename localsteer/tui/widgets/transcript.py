"""The conversation: messages one below the other, following the end until the person scrolls back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget

from localsteer.tui.widgets.messages import NoteKind, NoteLine, ReplyView, UserView
from localsteer.tui.widgets.past_page import PastPage

_MOST_OPEN = 18
_STAY_OPEN = 6


class Transcript(VerticalScroll):
    """Adds, replaces and removes message widgets; knows nothing of where they come from."""

    DEFAULT_CSS = """
    Transcript {
        width: 1fr;
        height: 1fr;
        padding: 1 2 0 2;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & > #messages { width: 1fr; height: auto; min-height: 100%; }
    }
    """

    can_focus = False

    def compose(self) -> ComposeResult:
        # As high as the window at least: an anchored container would push fewer messages to the bottom.
        yield Vertical(id="messages")

    @property
    def _messages(self) -> Vertical:
        return self.query_one("#messages", Vertical)

    def on_mount(self) -> None:
        self.anchor()

    async def add_user(self, text: str) -> UserView:
        """Show what the person said, and go to the end: whoever sends wants to see the answer."""
        await self._fold()
        view = UserView(text)
        await self._messages.mount(view)
        self.anchor()
        return view

    async def add_reply(self) -> ReplyView:
        """Open a reply that text can be fed to."""
        view = ReplyView()
        await self._messages.mount(view)
        return view

    async def add_note(self, text: str, kind: NoteKind = "quiet", *, at: int | None = None) -> NoteLine:
        """A line of the app's own: what happened, what is wrong. ``at``: before the message at this place."""
        view = NoteLine(text, kind)
        messages = self._messages
        await messages.mount(view, before=messages.children[at] if at is not None and messages.children else None)
        return view

    async def remove_answer(self) -> None:
        """Take away what was replied to the last message of the person's."""
        for view in self._after_last_question():
            if isinstance(view, ReplyView):
                await view.remove()

    async def remove_last_question(self) -> None:
        """Take away the last message of the person's."""
        questions = list(self._messages.query_children(UserView))
        if questions:
            await questions[-1].remove()

    def page(self, by: int) -> None:
        """A page back (-1), or on (1); at the end it follows what comes."""
        if by < 0:
            self.scroll_page_up(animate=False)
        elif self.scroll_y + self.scrollable_content_region.height >= self.max_scroll_y:
            self.anchor()
        else:
            self.scroll_page_down(animate=False)

    async def clear(self) -> None:
        """Nothing left: a new conversation."""
        await self._messages.remove_children()
        self.anchor()

    async def _fold(self) -> None:
        """Many old messages become one widget, so that a token costs little in a long conversation too."""
        open_views = [view for view in self._messages.children if isinstance(view, UserView | ReplyView | NoteLine)]
        if len(open_views) <= _MOST_OPEN:
            return
        old = open_views[:-_STAY_OPEN]
        page = PastPage([view.past for view in old], dark=self.app.current_theme.dark)
        with self.app.batch_update():
            await self._messages.mount(page, before=old[0])
            await self._messages.remove_children(old)

    def _after_last_question(self) -> list[Widget]:
        after: list[Widget] = []
        for view in self._messages.children:
            after = [] if isinstance(view, UserView) else [*after, view]
        return after
