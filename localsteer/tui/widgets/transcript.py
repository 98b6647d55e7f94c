"""The conversation: messages one below the other, following the end until the person scrolls back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.geometry import Region
from textual.message import Message
from textual.widget import AwaitMount, Widget

from localsteer.tui.past import Words
from localsteer.tui.widgets.lengthening import Lengthening
from localsteer.tui.widgets.messages import NoteKind, NoteLine, ReplyView, UserView
from localsteer.tui.widgets.past_page import PastPage
from localsteer.tui.widgets.picking import Clicked, Pickable

_MOST_OPEN = 18
_STAY_OPEN = 6
_MOST_PAGES = 12
_STAY_PAGES = 8


class _Messages(Vertical, Lengthening):
    """One below the other."""

    def mount(
        self, *widgets: Widget, before: int | str | Widget | None = None, after: int | str | Widget | None = None
    ) -> AwaitMount:
        """See Textual's. What comes when the app is taken down and this cut off already is not shown any more."""
        return super().mount(*widgets, before=before, after=after) if self.is_attached else AwaitMount(self, [])


class Transcript(VerticalScroll, Lengthening):
    """Adds, replaces and removes message widgets; knows nothing of where they come from."""

    DEFAULT_CSS = """
    Transcript {
        width: 1fr;
        height: 1fr;
        padding: 1 0 0 2;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & > #messages { width: 1fr; height: auto; min-height: 100%; padding: 0 2 0 0; }
    }
    """

    can_focus = False

    def compose(self) -> ComposeResult:
        # As high as the window at least: an anchored container would push fewer messages to the bottom.
        yield _Messages(id="messages")

    @property
    def _messages(self) -> Vertical:
        return self.query_one("#messages", Vertical)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.picked: int | None = None
        self.more_before = False
        self.more_after = False
        self._asked = False

    def on_mount(self) -> None:
        self.anchor()

    async def add_user(self, text: str, message_id: int | None = None, foot: Words = ()) -> UserView:
        """Show what the person said, and go to the end: whoever sends wants to see the answer."""
        await self._fold()
        view = UserView(text, message_id, foot)
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
        self.picked = None
        self.more_before = self.more_after = False
        await self._messages.remove_children()
        self.anchor()

    # ------------------------------------------------------------ messages from the record

    @dataclass
    class Reached(Message):
        """There are messages beyond this end (-1 the first, 1 the last), and it is almost in sight."""

        towards: int

    async def show(
        self, views: Sequence[Widget], *, more_before: bool, more_after: bool, picked: int | None = None
    ) -> None:
        """These instead of all that is here. Without a picked one, at their end."""
        self.picked = picked
        self.more_before, self.more_after = more_before, more_after
        self._asked = True
        with self.app.batch_update():
            await self._messages.remove_children()
            await self._messages.mount_all(views)
            self._lay_out()
            if picked is None:
                self.anchor()
                self.scroll_end(animate=False, immediate=True)
            else:
                self.anchor(False)
                self._mark()
                self._show_picked(center=True)
        self._asked = False
        self.call_after_refresh(self._look_ahead)

    async def add_page(self, views: Sequence[Widget], towards: int, *, more: bool) -> None:
        """What comes before all that is here (-1), or after it (1). What is in sight stays where it is."""
        messages = self._messages
        with self.app.batch_update():
            if towards < 0:
                self.more_before = more
                below = self.max_scroll_y - self.scroll_y
                await messages.mount_all(views, before=0 if messages.children else None)
                self._lay_out()
                self._scroll_to(y=self.max_scroll_y - below, animate=False, release_anchor=False)
            else:
                self.more_after = more
                await messages.mount_all(views)
                if not more:
                    self.anchor()
                    self.release_anchor()
        self._mark()
        self._asked = False

    def _lay_out(self) -> None:
        """Let everything have its place now, before it is painted: so that nothing is seen to jump."""
        for widget in (self._messages, *self._messages.ancestors):
            if isinstance(widget, Widget):
                widget._clear_arrangement_cache()
                widget._layout_cache.clear()
        self.screen._refresh_layout()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Ask for more messages a window before they are needed."""
        height = self.scrollable_content_region.height
        if self._asked or not height:
            return
        if self.more_before and self.scroll_y < height:
            self._asked = True
            self.post_message(self.Reached(-1))
        elif self.more_after and self.max_scroll_y - self.scroll_y < height:
            self._asked = True
            self.post_message(self.Reached(1))

    # ------------------------------------------------------------ picking

    @property
    def ids(self) -> list[int]:
        """The messages that can be picked, in their order."""
        found: list[int] = []
        for view in self._messages.children:
            if isinstance(view, PastPage):
                found += view.ids
            elif isinstance(view, Pickable) and view.message_id is not None:
                found.append(view.message_id)
        return found

    def reply_view(self, message_id: int) -> ReplyView | None:
        """The reply of this id, as long as it is not folded."""
        views = self._messages.query_children(ReplyView)
        return next((view for view in views if view.message_id == message_id), None)

    def pick(self, message_id: int | None) -> None:
        """Mark this message and bring it into sight, or let go of the one that is marked."""
        self.picked = message_id if message_id in self.ids else None
        self._mark()
        if self.picked is not None:
            self._show_picked()

    def id_at_mouse(self) -> int | None:
        """The message under the mouse."""
        view = self.view_at_mouse()
        if isinstance(view, PastPage):
            return view.id_at(self.app.mouse_position.y - view.region.y)
        return view.message_id if view is not None else None

    def view_at_mouse(self) -> Pickable | PastPage | None:
        """What of the conversation is under the mouse."""
        pointed = self.app.mouse_over
        for widget in pointed.ancestors_with_self if pointed is not None else ():
            if isinstance(widget, Pickable | PastPage) and widget.is_attached:
                return widget
        return None

    @on(Clicked)
    def _clicked(self, event: Clicked) -> None:
        self.pick(None if event.message_id == self.picked else event.message_id)

    def _mark(self) -> None:
        for view in self._messages.children:
            if isinstance(view, PastPage):
                view.pick(self.picked)
            elif isinstance(view, Pickable):
                view.set_class(self.picked is not None and view.message_id == self.picked, "-picked")

    def _show_picked(self, *, center: bool = False) -> None:
        for view in self._messages.children:
            if isinstance(view, PastPage) and self.picked in view.ids:
                begin, end = view.span(self.picked)
            elif isinstance(view, Pickable) and view.message_id == self.picked:
                begin, end = 0, view.region.height
            else:
                continue
            top = view.region.y - self.scrollable_content_region.y + self.scroll_offset.y + begin
            region = Region(0, top, self.scrollable_content_region.width, max(1, end - begin))
            self.scroll_to_region(region, animate=False, immediate=True, center=center)
            return

    async def _fold(self) -> None:
        """Many old messages become one widget, so that a token costs little in a long conversation too; and of many
        such widgets the first go, to come again when they are scrolled to, so that memory stays as it is.
        """
        children = list(self._messages.children)
        pages = [view for view in children if isinstance(view, PastPage)]
        after = children[children.index(pages[-1]) + 1 :] if pages else children
        open_views = [view for view in after if isinstance(view, UserView | ReplyView | NoteLine)]
        if len(open_views) <= _MOST_OPEN:
            return
        old = open_views[:-_STAY_OPEN]
        page = PastPage([view.past for view in old], dark=self.app.current_theme.dark)
        page.pick(self.picked)
        begin = self._first_to_stay(pages)
        gone = children[: children.index(begin)] if begin is not None else []
        with self.app.batch_update():
            await self._messages.mount(page, before=old[0])
            await self._messages.remove_children([*gone, *old])
        if gone:
            self.more_before = True
            if self.picked not in self.ids:
                self.picked = None

    def _first_to_stay(self, pages: Sequence[PastPage]) -> PastPage | None:
        """The first of the pages to keep, where there are too many. What comes before a page can be shown again if it
        begins with a message that is in the record.
        """
        if len(pages) <= _MOST_PAGES:
            return None
        return next((page for page in pages[-_STAY_PAGES:] if page.begins_in_record), None)

    def _after_last_question(self) -> list[Widget]:
        after: list[Widget] = []
        for view in self._messages.children:
            after = [] if isinstance(view, UserView) else [*after, view]
        return after
