"""The compare screen's lines above the sides: what goes on, and which sides there are."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style

from localsteer.tui.lineup import Lineup
from localsteer.tui.plain import plain
from localsteer.tui.side_by_side import SideBySide


def head_line(model: str, now: SideBySide | None, width: int) -> Content:
    """The model on the left; seed and speed on the right, as far as they are known."""
    left = Content.assemble(("Compare", "bold $primary"), "  ", (plain(model), "bold"))
    words = []
    if now is not None:
        words = [now.state] if now.state else []
        if now.begun is not None:
            words.append(f"seed {now.begun.seed}")
        if now.tokens_per_second:
            words.append(f"{now.tokens_per_second:.0f} tok/s together")
    right = Content.styled("   ".join(words), "$quiet")
    room = max(0, width - right.cell_length - 1)
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " ", right)


def tabs_line(lineup: Lineup, picked: int) -> Content:
    """All sides by their titles; a click picks one."""
    names = []
    for place, side in enumerate(lineup.sides):
        name = Content(side.title)
        style = "$primary bold" if place == picked else Style.from_meta({"@click": f"screen.pick({place})"})
        names.append(Content.assemble((f"{place + 1} ", "$faint"), name.stylize(style)))
    return Content("   ").join(names)
