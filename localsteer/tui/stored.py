"""Messages from the record as they are shown: their widgets, their folded pages, the lines below them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import Widget

from localsteer.chat.conversation import ReplyRecord, StoredMessage
from localsteer.tui.foot import foot_words
from localsteer.tui.past import PastMessage, Words, past_reply, past_user
from localsteer.tui.plain import plain, shown_part
from localsteer.tui.signs import signs_of
from localsteer.tui.strengths import courses
from localsteer.tui.widgets.messages import ReplyView, UserView, shown_reply
from localsteer.tui.widgets.past_page import PastPage

_ON_A_PAGE = 20
_OPEN = 4
"""So many of the last messages have a widget of their own, for what comes next may change them."""

ENDINGS = {"stopped": "stopped", "length": "cut at the length limit", "context": "the context is full"}


def views_of(messages: Sequence[StoredMessage], *, dark: bool, to_the_end: bool, signs: bool = True) -> list[Widget]:
    """Widgets for messages of a path.

    ``to_the_end``: the last one is the path's end; ``signs``: whether they show where dials were turned.
    """
    cut = max(0, len(messages) - _OPEN) if to_the_end else len(messages)
    pages = [messages[begin : min(begin + _ON_A_PAGE, cut)] for begin in range(0, cut, _ON_A_PAGE)]
    return [
        *(PastPage([past_of(message, signs=signs) for message in page], dark=dark) for page in pages),
        *(view_of(message, signs=signs) for message in messages[cut:]),
    ]


def view_of(message: StoredMessage, *, signs: bool = True) -> UserView | ReplyView:
    """A message with a widget of its own."""
    message_id = message.id if message.id > 0 else None
    if message.role != "assistant":
        return UserView(message.content, message_id, asked_words(message))
    record = message.reply
    shown = signs_of(record.marks, record.mark_places) if record and signs else ()
    return ReplyView(message.content, message_id, reply_words(message), shown)


def past_of(message: StoredMessage, *, signs: bool = True) -> PastMessage:
    """A message as it is folded."""
    message_id = message.id if message.id > 0 else None
    if message.role != "assistant":
        return PastMessage(message_id, lambda dark: past_user(shown_part(plain(message.content)), asked_words(message)))
    record = message.reply
    written = signs_of(record.marks, record.mark_places) if record and signs else ()
    text, shown = shown_reply(message.content, written)
    return PastMessage(message_id, lambda dark: past_reply(text, reply_words(message), dark=dark, signs=shown))


def asked_words(message: StoredMessage) -> Words:
    """What stands below a message of the person's: nothing, mostly."""
    return [*_alternatives(message), *_damage(message)][1:]


def reply_words(message: StoredMessage, *more: str, steerable: bool = True) -> Words:
    """What stands below a reply. ``more``: what was learnt of it since."""
    record = message.reply
    if record is None:
        return [*([(" · ".join(more), "faint")] if more else []), *_alternatives(message), *_damage(message)]
    remark = " · ".join([*_facts(record), *more])
    # Of one whose marks are lost nobody can say that it was unsteered.
    steerable = steerable and bool(record.marks)
    return [
        *foot_words(courses(record.marks), remark, steerable=steerable),
        *_alternatives(message),
        *_damage(message),
    ]


def _facts(record: ReplyRecord) -> list[str]:
    facts = [f"{len(record.tokens)} tokens"] if record.tokens else []
    if record.tokens_per_second:
        facts.append(f"{record.tokens_per_second:.0f} tok/s")
    if record.finish_reason is None:
        facts.append("broken off")
    elif record.finish_reason in ENDINGS:
        facts.append(ENDINGS[record.finish_reason])
    return facts


def _alternatives(message: StoredMessage) -> Words:
    """``‹ 2/3 ›``, each sign a button."""
    if message.alternatives < 2 or message.id < 1:
        return ()
    place, count = message.alternative, message.alternatives
    return [
        ("   ", ""),
        ("‹", "primary", f"screen.step({message.id}, -1)") if place > 1 else ("‹", "faint"),
        (f" {place}/{count} ", "quiet"),
        ("›", "primary", f"screen.step({message.id}, 1)") if place < count else ("›", "faint"),
    ]


def _damage(message: StoredMessage) -> Words:
    return [("   ", ""), (plain(message.damage), "warning")] if message.damage else ()
