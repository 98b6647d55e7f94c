"""Conversations and what a search found in them, as lines of a list."""

from __future__ import annotations

import time

from textual.content import Content

from localsteer.chat.conversation import ConversationSummary, SearchHit
from localsteer.tui.plain import plain

_DAY = 24 * 3600
_NARROW = 20


def when(seconds: float, now: float | None = None) -> str:
    """A moment in a few letters: the time of today, the day of the last months, the date before."""
    now = time.time() if now is None else now
    try:
        there, here = time.localtime(seconds), time.localtime(now)
    except (ValueError, OverflowError, OSError):
        return ""
    if (there.tm_year, there.tm_yday) == (here.tm_year, here.tm_yday):
        return time.strftime("%H:%M", there)
    if 0 <= now - seconds < 180 * _DAY:
        return time.strftime("%d %b", there)
    return time.strftime("%Y-%m-%d", there)


def summary_row(one: ConversationSummary, width: int, *, is_open: bool) -> Content:
    """Title on the left; how many messages and when on the right. ``width`` in cells."""
    facts = f"{one.message_count:>6}  {when(one.updated):>10}"
    if one.archived:
        facts = f"archived {facts}"
    left = Content.assemble(("★ " if one.pinned else "  ", "$accent"), (_title(one.title), "bold" if is_open else ""))
    room = max(_NARROW, width - len(facts) - 2)
    left = left.truncate(room, ellipsis=True, pad=True)
    return Content.assemble(left, "  ", (facts, "$quiet"))


def hit_row(hit: SearchHit, width: int) -> Content:
    """Where it was found, and the passage with what was searched for marked in it."""
    where = {"user": "you", "assistant": "reply", "system": "system"}.get(hit.role or "", "title")
    facts = f"{where}  {'archived  ' if hit.archived else ''}{when(hit.created):>10}"
    room = max(_NARROW, width - len(facts) - 2)
    title = Content.styled(_title(hit.title), "bold").truncate(room, ellipsis=True, pad=True)
    passage = Content.assemble(
        *((_flat(text), "$primary bold" if wanted else "$quiet") for text, wanted in hit.snippet)
    )
    return Content.assemble(title, "  ", (facts, "$quiet"), "\n", passage.truncate(max(_NARROW, width), ellipsis=True))


def _title(title: str) -> str:
    return _flat(title).strip() or "(nothing was said)"


def _flat(text: str) -> str:
    return plain(text).replace("\n", " ")
