"""What a terminal shows of the bytes that the app writes to it."""

from __future__ import annotations

import re

from rich.cells import cell_len

_PIECE = re.compile(
    r"\x1b\[(?P<parameters>[0-9;?<>=]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]P].*?(?:\x07|\x1b\\)|\x1b[()].|\x1b[^\[\]P()]|[\x00-\x1a]"
    r"|(?P<text>[^\x1b\x00-\x1a]+)",
    re.DOTALL,
)


class Screen:
    """The characters of a terminal, without their colours: as much of its language as Textual speaks."""

    def __init__(self, columns: int, lines: int) -> None:
        self._size = columns, lines
        self._clear()
        self._x = self._y = 0
        self._rest = ""

    def _clear(self) -> None:
        columns, lines = self._size
        self._cells = [[" "] * columns for _ in range(lines)]

    def write(self, data: str) -> None:
        """What the app wrote next; a sequence that is cut off at its end waits for its rest."""
        data = self._rest + data
        last = data.rfind("\x1b")
        cut = last if last >= 0 and _PIECE.match(data, last) is None else len(data)
        self._rest = data[cut:]
        for piece in _PIECE.finditer(data, 0, cut):
            if piece["text"]:
                self._put(piece["text"])
            elif piece["final"] in ("H", "f"):
                row, _, column = piece["parameters"].partition(";")
                self._y, self._x = int(row or 1) - 1, int(column or 1) - 1
            elif piece["final"] == "J":
                self._clear()
            elif piece.group() == "\r":
                self._x = 0
            elif piece.group() == "\n":
                self._y += 1

    def _put(self, text: str) -> None:
        columns, lines = self._size
        for character in text:
            width = cell_len(character)
            if self._y < lines and self._x < columns and width:
                self._cells[self._y][self._x] = character
                if width == 2 and self._x + 1 < columns:
                    self._cells[self._y][self._x + 1] = ""
            self._x += width

    def lines(self, left: int = 0, right: int | None = None) -> list[str]:
        """Line by line, the columns from ``left`` up to ``right``."""
        return ["".join(line[left:right]) for line in self._cells]

    @property
    def text(self) -> str:
        """Everything."""
        return "\n".join(self.lines())
