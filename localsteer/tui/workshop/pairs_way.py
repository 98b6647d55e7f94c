"""From a table of pairs: typed, pasted, or read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import Button, DataTable, Input, Label, Static

from localsteer.errors import LocalsteerError
from localsteer.library.drafts import Draft, RowKind, read_draft
from localsteer.library.pasted_pairs import pairs_in
from localsteer.library.starting_forms import EVERYDAY, PAIRS
from localsteer.tui.carrying import path_named
from localsteer.tui.plain import plain
from localsteer.tui.workshop.fields import ChoiceLine, Line
from localsteer.tui.workshop.way import Naming, Way
from localsteer.visible import without_controls

_KINDS: tuple[tuple[RowKind, str], ...] = (
    ("said", "replies"),
    ("told", "system prompts"),
    ("asked", "messages"),
    ("text", "plain texts"),
)
_HINT = "Enter next · Del removes a row · paste two columns, or lines by twos"


class CellLine(Line):
    """One side of the picked row. Several lines pasted at once become rows of their own."""

    def _on_paste(self, event: events.Paste) -> None:
        if "\t" in event.text or "\n" in event.text.strip():
            event.prevent_default()
            event.stop()
            self.post_message(PairsWay.Pasted(without_controls(event.text)))


class PairsWay(Way):
    """The rows, and below them the picked one to be edited; the row after the last is a new one."""

    DEFAULT_CSS = """
    PairsWay {
        & .way--row { margin: 0; }
        & DataTable { height: 1fr; min-height: 4; background: $background; scrollbar-size-vertical: 1;
                      scrollbar-size-horizontal: 0; margin: 0 0 1 0; }
        & DataTable > .datatable--header { background: $background; color: $quiet; }
        & DataTable > .datatable--cursor { background: $panel; color: $foreground; }
        & .way--words { color: $faint; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("delete", "remove_row", show=False)]

    @dataclass
    class Pasted(Message):
        """Several pairs came at once."""

        text: str

    _messages: tuple[str, ...] = EVERYDAY
    _beginnings: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        with Horizontal(classes="way--row"):
            yield ChoiceLine("Rows are", tuple(words for _, words in _KINDS), id="kind")
        yield DataTable(cursor_type="row", zebra_stripes=False, id="rows")
        with Horizontal(classes="way--row"):
            yield Label("+", classes="-plus")
            yield CellLine(placeholder="What a lovely thing to ask!", id="cell-positive")
            yield Label("−", classes="-minus")
            yield CellLine(placeholder="What a tiresome thing to ask!", id="cell-negative")
        yield Static(Content(_HINT), classes="way--words")
        with Horizontal(classes="way--row"):
            yield Label("File")
            yield Line(placeholder="a recipe, or another tool's contrast file", id="file")
            yield Button("Examples", id="examples", compact=True)
        yield Naming(self._free_name)

    def on_mount(self) -> None:
        self._table.add_columns("positive", "negative")
        self._table.add_row(Text(), Text())

    def on_resize(self, event: events.Resize) -> None:
        # Two columns of equal width, as wide as there is room.
        width = max(10, (self._table.size.width - 5) // 2)
        for column in self._table.ordered_columns:
            column.auto_width, column.width = False, width
        self._table.refresh()

    @property
    def _table(self) -> DataTable[Text]:
        table: DataTable[Text] = self.query_one(DataTable)
        return table

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """All rows but empty ones."""
        found = [self._row(place) for place in range(self._table.row_count)]
        return tuple((one, other) for one, other in found if one or other)

    def _row(self, place: int) -> tuple[str, str]:
        one, other = self._table.get_row_at(place)
        return one.plain, other.plain

    @property
    def is_touched(self) -> bool:
        return bool(self.rows)

    def contrast(self) -> Draft:
        self._keep_cells()
        naming = self.naming
        return Draft(
            naming.text("positive-pole"),
            naming.text("negative-pole"),
            self.rows,
            _KINDS[self.query_one("#kind", ChoiceLine).chosen][0],
            self._messages,
            self._beginnings,
            naming.text("group"),
        )

    def action_remove_row(self) -> None:
        """The picked row; the last one is emptied instead."""
        table = self._table
        if table.row_count > 1:
            table.remove_row(table.coordinate_to_cell_key(table.cursor_coordinate).row_key)
        else:
            self._write_row(0, "", "")
        self._show_cells()

    @on(DataTable.RowHighlighted)
    def _picked(self) -> None:
        self._show_cells()

    @on(DataTable.RowSelected)
    def _edit(self) -> None:
        self._show_cells()
        self.screen.set_focus(self.query_one("#cell-positive", Line))

    @on(Input.Changed, "#cell-positive,#cell-negative")
    def _typed(self, event: Input.Changed) -> None:
        if event.input.has_focus:
            self._keep_cells()

    @on(Input.Submitted, "#cell-positive")
    def _to_negative(self) -> None:
        self.screen.set_focus(self.query_one("#cell-negative", Line))

    @on(Input.Submitted, "#cell-negative")
    def _next_row(self) -> None:
        table, cells = self._table, self._cells()
        self._keep_cells()
        if not any(cells):
            self.post_message(self.Ready())
            return
        if table.cursor_row == table.row_count - 1:
            table.add_row(Text(), Text())
        table.move_cursor(row=table.cursor_row + 1)
        self._show_cells()
        self.screen.set_focus(self.query_one("#cell-positive", Line))

    @on(Input.Submitted, "#file")
    def _read_file(self, event: Input.Submitted) -> None:
        try:
            path = path_named(plain(event.value))
            draft = read_draft(path)
        except LocalsteerError as error:
            self.notify(plain(str(error)), severity="error", timeout=10, markup=False)
            return
        self.put(draft)
        self.naming.suggest(draft.positive_pole, draft.negative_pole, path.stem)

    @on(Button.Pressed, "#examples")
    def _examples(self) -> None:
        kind, positive, negative, rows = PAIRS[0]
        self.query_one("#kind", ChoiceLine).chosen = [name for name, _ in _KINDS].index(kind)
        self.add_rows(rows)
        self.naming.suggest(positive, negative)

    @on(Pasted)
    def _pasted(self, event: Pasted) -> None:
        self.add_rows(pairs_in(event.text))

    def put(self, draft: Draft) -> None:
        """These rows instead of those that stood there."""
        self.query_one("#kind", ChoiceLine).chosen = [kind for kind, _ in _KINDS].index(draft.kind)
        self._messages = draft.messages or EVERYDAY
        self._beginnings = draft.beginnings
        self._table.clear()
        self._table.add_row(Text(), Text())
        # Else the row that was picked would be written into the new ones.
        self._show_cells()
        self.add_rows(draft.rows)

    def add_rows(self, rows: tuple[tuple[str, str], ...]) -> None:
        """After those that are there; the picked one takes the first where it is empty."""
        table = self._table
        self._keep_cells()
        kept = self.rows
        table.clear()
        for row in (*kept, *rows, ("", "")):
            table.add_row(*map(_cell, row))
        table.move_cursor(row=table.row_count - 1)
        self._show_cells()

    def _cells(self) -> tuple[str, str]:
        return self.query_one("#cell-positive", Line).text, self.query_one("#cell-negative", Line).text

    def _show_cells(self) -> None:
        table = self._table
        row = self._row(table.cursor_row) if table.row_count else ("", "")
        self.query_one("#cell-positive", Line).value, self.query_one("#cell-negative", Line).value = row

    def _keep_cells(self) -> None:
        self._write_row(self._table.cursor_row, *self._cells())

    def _write_row(self, place: int, positive: str, negative: str) -> None:
        for column, text in enumerate((positive, negative)):
            self._table.update_cell_at(Coordinate(place, column), _cell(text))


def _cell(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")
