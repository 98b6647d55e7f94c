"""The keys of the compare screen, as its two last lines show them."""

from __future__ import annotations

from localsteer.tui.widgets.key_line import Key

_KEEP = (
    Key("←→", "side", "screen.pick_next(1)"),
    Key("Enter", "keep", "screen.keep"),
    Key("t", "keep + dials", "screen.keep_with_dials"),
    Key("a", "keep all", "screen.keep_all"),
    Key("r", "other seed", "screen.again"),
    Key("Esc", "close", "screen.leave"),
)
_WRITING = (Key("Esc", "stop", "screen.leave"), *_KEEP[:3], _KEEP[4])
_TWO = (Key("s", "strip of a dial", "screen.strip"),)
_STRIP = (
    Key("s", "two sides", "screen.strip"),
    Key("e", "strengths", "screen.strengths"),
    Key("d", "next dial", "screen.next_dial"),
)
_ASKING = (
    Key("m", "message", "screen.message"),
    Key("w", "mark words", "screen.toggle_words"),
    Key("↑↓", "scroll", "screen.scroll_side(1)"),
)
_ENTRY = (Key("Enter", "compare", "screen.submit"), Key("Esc", "back", "screen.leave"))


def compare_keys(*, entering: bool, writing: bool, strip: bool) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """What is done with the sides, and what is asked of them."""
    if entering:
        return _ENTRY, ()
    return (_WRITING if writing else _KEEP), (*(_STRIP if strip else _TWO), *_ASKING)
