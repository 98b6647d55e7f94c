"""The list of conversations: search in all of them, open, rename, pin, archive, delete, export, import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from localsteer.chat.conversation import ConversationSummary, Deletion, SearchHit
from localsteer.chat.store import ConversationStore
from localsteer.errors import LocalsteerError, StorageError
from localsteer.tui.carrying import default_file, export_to, import_from
from localsteer.tui.copying import first_words
from localsteer.tui.dialogs.ask_line import AskLine
from localsteer.tui.dialogs.choosing import Choosing
from localsteer.tui.dialogs.conversation_keys import conversation_buttons
from localsteer.tui.dialogs.conversation_rows import hit_row, summary_row
from localsteer.tui.plain import plain

_MOST = 1000
_HITS = 50


@dataclass(frozen=True, slots=True)
class Opened:
    """The conversation that was chosen, and the message that was searched for in it."""

    conversation_id: int
    message_id: int | None = None


class _Rows(OptionList):
    """Says how wide it has become, after each layout that changed that: its rows are drawn to fit."""

    class Widened(Message):
        """The first layout also is one."""

    _fitted = -1

    def on_resize(self) -> None:
        width = self.scrollable_content_region.width
        if width != self._fitted:
            self._fitted = width
            self.post_message(self.Widened())


class Conversations(Choosing[Opened | None]):
    """Gives what is to be opened, or None. What else is done, is done at once."""

    DEFAULT_CSS = """
    Conversations {
        & > Vertical { width: 92; max-width: 96%; max-height: 92%; padding: 1 2 0 2; }
        & OptionList { max-height: 26; }
        & .empty { color: $quiet; padding: 0 1; display: none; }
        & .buttons { color: $quiet; height: auto; margin: 1 0; padding: 0 1; link-color: $primary; link-style: none;
                     link-background: transparent; link-color-hover: $background;
                     link-background-hover: $primary; link-style-hover: none; }
        &.-short > Vertical { padding: 0 1; height: 100%; max-height: 100%; max-width: 100%; }
        &.-short OptionList { height: 1fr; max-height: 100%; }
        &.-short Input { margin: 0; }
        &.-short .buttons { margin: 0; }
    }
    """

    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012 (as Textual declares it)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+o", "dismiss(None)", "Close", show=False, priority=True),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(8)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("f2", "rename", show=False),
        # None of them comes before the arrows: what is meant is the row that these have led to.
        Binding("alt+p", "pin", show=False),
        Binding("alt+a", "archive", show=False),
        Binding("alt+s", "show_archived", show=False),
        Binding("alt+w", "delete", show=False),
        Binding("ctrl+z", "undo", show=False),
        Binding("alt+e", "export", show=False),
        Binding("alt+i", "import", show=False),
    ]

    def __init__(self, store: ConversationStore, open_id: int | None) -> None:
        super().__init__()
        self.gone: set[int] = set()
        self._store = store
        self._open_id = open_id
        self._archived = False
        self._rows: list[ConversationSummary | SearchHit] = []
        self._deleted: list[Deletion] = []

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "Conversations"
        box.border_subtitle = "↑↓ choose · Enter open · Esc close"
        with box:
            yield Input(placeholder="Search in everything that was said…")
            yield _Rows()
            yield Static(Content(""), classes="empty")
            yield Static(conversation_buttons(), classes="buttons")

    # ------------------------------------------------------------ the list

    @on(_Rows.Widened)
    def _fit(self) -> None:
        self._fill()

    @on(Input.Changed)
    def _search(self) -> None:
        self._fill(top=True)

    def _fill(self, *, top: bool = False) -> None:
        """The rows anew, with the same one highlighted where it is still there."""
        if not self.there:
            return
        words = self.query_one(Input).value.strip()
        options = self.query_one(OptionList)
        kept = None if top else self._current
        width = options.scrollable_content_region.width - 2
        try:
            self._rows = list(self._store.search(words, _HITS) if words else self._summaries())
        except StorageError as error:
            self._rows = []
            self._remark(str(error), True)
        options.clear_options()
        options.add_options(
            Option(
                hit_row(row, width)
                if isinstance(row, SearchHit)
                else summary_row(row, width, is_open=row.id == self._open_id)
            )
            for row in self._rows
        )
        places = [index for index, row in enumerate(self._rows) if kept is not None and _id(row) == _id(kept)]
        options.highlighted = (places or [0])[0] if self._rows else None
        empty = self.query_one(".empty", Static)
        empty.update(Content(self._nothing(words)))
        empty.display = not self._rows
        self.query_one(Vertical).border_title = "Archived conversations" if self._archived else "Conversations"

    def _summaries(self) -> tuple[ConversationSummary, ...]:
        return self._store.summaries(_MOST, archived=self._archived)

    def _nothing(self, words: str) -> str:
        if words:
            return "Nothing was found. Every word has to occur; the last one may be a beginning."
        return "Nothing is archived." if self._archived else "There are none yet. Say something, and it is kept here."

    @property
    def _current(self) -> ConversationSummary | SearchHit | None:
        place = self.query_one(OptionList).highlighted
        return self._rows[place] if place is not None and place < len(self._rows) else None

    # ------------------------------------------------------------ opening

    def choose(self, option: Option) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Close, and open it."""
        row = self._current
        if row is not None:
            self.dismiss(Opened(_id(row), row.message_id if isinstance(row, SearchHit) else None))

    # ------------------------------------------------------------ what else can be done

    def action_rename(self) -> None:
        """Another title; none for the first words."""
        row = self._current
        if row is None:
            return

        def take(title: str, _: bool) -> str:
            return self._tried(lambda: self._store.rename(_id(row), title))

        hint = "A title for this conversation. Empty: its first words."
        self.app.push_screen(AskLine("Rename", hint, row.title, take), lambda _: self._fill())

    def action_pin(self) -> None:
        """At the top of the list, or no longer."""
        row = self._current
        if isinstance(row, ConversationSummary):
            self._tried(lambda: self._store.pin(row.id, not row.pinned))
            self._fill()

    def action_archive(self) -> None:
        """Out of the list, or back into it."""
        row = self._current
        if row is not None:
            self._tried(lambda: self._store.archive(_id(row), not row.archived))
            self._fill()
            where = "is in the list again" if row.archived else "is archived; searching still finds it"
            self._remark(f"“{first_words(row.title)}” {where}.")

    def action_show_archived(self) -> None:
        """Those that are archived instead, and back."""
        self._archived = not self._archived
        self._fill(top=True)

    def action_delete(self) -> None:
        """Delete the conversation, until it is undone."""
        row = self._current
        if row is None:
            return

        def delete() -> None:
            self._deleted.append(self._store.delete_conversation(_id(row)))
            self.gone.add(_id(row))

        if not self._tried(delete):
            self._remark(f"Deleted: “{first_words(row.title)}”. Ctrl+Z has it back.")
        self._fill()

    def action_undo(self) -> None:
        """The last deletion."""
        if not self._deleted:
            self._remark("There is nothing to undo here.")
            return
        gone = self._deleted[-1]
        if not self._tried(lambda: self._store.undo(gone)):
            self._deleted.remove(gone)
            self.gone.discard(gone.conversation_id)
            self._remark(f"“{first_words(gone.words)}” is back.")
        self._fill()

    def action_export(self) -> None:
        """Into a file that is asked for."""
        row = self._current
        if row is None:
            return
        hint = "To a file that ends in .md, .html (what is shown) or .json (everything, to be imported again)."

        def take(text: str, sure: bool) -> str:
            try:
                self._remark(f"Written to {export_to(self._store, _id(row), text, overwrite=sure)}.")
            except LocalsteerError as error:
                return str(error)
            return ""

        self.app.push_screen(AskLine("Export", hint, str(default_file(row.title)), take))

    def action_import(self) -> None:
        """From a file that is asked for."""
        hint = "A file: localsteer's own JSON, or a list of messages as OpenAI's interface takes them."

        def take(text: str, _: bool) -> str:
            try:
                title, notes = import_from(self._store, text)
            except LocalsteerError as error:
                return str(error)
            self._remark(" ".join([f"“{first_words(title)}” is in the list now.", *notes]))
            return ""

        self.app.push_screen(AskLine("Import", hint, "", take), lambda _: self._fill(top=True))

    def _tried(self, work: Callable[[], object]) -> str:
        """Do it; one sentence where it cannot be, which is also shown."""
        try:
            work()
        except StorageError as error:
            self._remark(str(error), True)
            return str(error)
        return ""

    def _remark(self, text: str, wrong: bool = False) -> None:
        self.notify(plain(text), severity="error" if wrong else "information", markup=False)


def _id(row: ConversationSummary | SearchHit) -> int:
    return row.conversation_id if isinstance(row, SearchHit) else row.id
