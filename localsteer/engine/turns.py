"""From turns to what is evaluated: which tokens stand where, under whose dials, and which turns no longer fit.

What was said stays as it was said. An earlier reply, and the prompt that it answered, belong to the dials recorded
with that reply; the open reply and the prompt before it belong to the dials that are in force now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from localsteer.engine.protocol import DialMark, DialSetting, Turn
from localsteer.errors import PromptError
from localsteer.llama.chat_template import Piece

Place: TypeAlias = Literal["prompt", "reply"]
PLACES: tuple[Place, ...] = ("prompt", "reply")
Render: TypeAlias = Callable[[Sequence[Turn]], tuple[Piece, ...]]

_DROP_IN_PARTS_OF = 4
_RESERVED_AT_MOST = 512


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring tokens in one place under the same dials; ``dials`` None means those in force at evaluation.

    ``front``: where in a prompt dials of scope ``prompt-start`` begin, position by position.
    """

    tokens: tuple[int, ...]
    place: Place
    dials: tuple[DialSetting, ...] | None
    front: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """The rendering that fits the context, and how many of the oldest turns had to go for it."""

    pieces: tuple[Piece, ...]
    kept: tuple[Turn, ...]
    dropped: int


def stretches(pieces: Sequence[Piece], turns: Sequence[Turn], *, afresh: bool = False) -> tuple[Stretch, ...]:
    """Cut a rendered conversation where the dials change; the last stretch is the open reply, header included.

    ``pieces`` are those of ``turns``. ``afresh`` puts everything under the present dials.
    """
    replies = [turn for turn in turns if turn.role == "assistant"]
    found: list[Stretch] = []
    for number, piece in enumerate(pieces):
        answer = next((later.reply for later in pieces[number:] if later.reply is not None), None)
        present = afresh or answer is None or answer >= len(replies)
        if piece.reply is None:
            dials = None if present else _dials_at_start(replies[answer or 0])
            found.append(Stretch(piece.tokens, "prompt", dials, piece.front))
        elif present:
            found.append(Stretch(piece.tokens, "reply", None))
        else:
            found.extend(_recorded(piece.tokens, replies[piece.reply]))
    return tuple(stretch for stretch in found if stretch.tokens)


def _dials_at_start(reply: Turn) -> tuple[DialSetting, ...]:
    return reply.marks[0].dials if reply.marks else ()


def _recorded(tokens: tuple[int, ...], reply: Turn) -> list[Stretch]:
    """A reply under its recorded dials. A token is chosen when the one before it is evaluated: marks begin one early.

    Where the reply's own tokens are not known any more, nobody can say where the later marks belong; the first one
    holds throughout.
    """
    marks = reply.marks or (DialMark(0, ()),)
    if reply.tokens is None or tokens[len(tokens) - len(reply.tokens) :] != reply.tokens:
        return [Stretch(tokens, "reply", marks[0].dials)]
    header = len(tokens) - len(reply.tokens)
    begins = [0, *(max(0, header + mark.start - 1) for mark in marks[1:]), len(tokens)]
    return [
        Stretch(tokens[begin:end], "reply", mark.dials)
        for mark, begin, end in zip(marks, begins[:-1], begins[1:], strict=True)
    ]


def fit(turns: Sequence[Turn], render: Render, *, n_ctx: int, max_tokens: int | None = None) -> Fitted:
    """Drop as many of the oldest turns as leave room for a reply; system turns at the front stay.

    Turns go in parts of a quarter of the context, so that the cut stands still for a while and the cached rest can be
    used again; otherwise a full context would be evaluated anew with every message. Raises PromptError if the last
    message alone does not fit.
    """
    pieces = render(turns)
    room = n_ctx - min(max_tokens or _RESERVED_AT_MOST, _RESERVED_AT_MOST, n_ctx // _DROP_IN_PARTS_OF)
    if _length(pieces) <= room:
        return Fitted(pieces, tuple(turns), 0)
    front = next((index for index, turn in enumerate(turns) if turn.role != "system"), len(turns))
    kept: tuple[Turn, ...] = tuple(turns)
    dropped = 0
    for cut in _cuts(pieces, turns, front, _length(pieces) - room, max(1, n_ctx // _DROP_IN_PARTS_OF)):
        kept, dropped = (*turns[:front], *turns[cut:]), cut - front
        pieces = render(kept)
        if _length(pieces) <= room:
            break
    if _length(pieces) >= n_ctx:
        raise PromptError(too_long(_length(pieces), n_ctx))
    return Fitted(pieces, kept, dropped)


def without(turns: Sequence[Turn], render: Render, dropped: int, *, n_ctx: int) -> Fitted:
    """As :func:`fit`, where it is known how many of the oldest turns go. Raises PromptError if that does not fit."""
    front = next((index for index, turn in enumerate(turns) if turn.role != "system"), len(turns))
    kept = (*turns[:front], *turns[front + dropped :])
    pieces = render(kept)
    if _length(pieces) >= n_ctx:
        raise PromptError(too_long(_length(pieces), n_ctx))
    return Fitted(pieces, kept, dropped)


def too_long(n_tokens: int, n_ctx: int) -> str:
    """The one sentence for a prompt that does not fit."""
    return (
        f"The prompt takes {n_tokens} tokens, but the context holds {n_ctx} and the reply needs room too; "
        "shorten the prompt or load the model with a larger context."
    )


def _cuts(pieces: Sequence[Piece], turns: Sequence[Turn], front: int, excess: int, part: int) -> list[int]:
    """Where the kept turns may begin, from the first place worth trying to the last user message."""
    starts = [
        index
        for index in range(front + 1, len(turns))
        if turns[index].role == "user" and turns[index - 1].role != "user"
    ]
    target = -(-excess // part) * part
    before = {index: _tokens_before(pieces, turns, index) for index in starts}
    for enough in (target, excess):
        cuts = [index for index in starts if before[index] >= enough]
        if cuts:
            return cuts
    return starts[-1:]


def _tokens_before(pieces: Sequence[Piece], turns: Sequence[Turn], index: int) -> int:
    """About how many tokens go when the turns before ``index`` go; exact but for the front that stays."""
    last_reply = sum(turn.role == "assistant" for turn in turns[:index]) - 1
    total = 0
    for piece in pieces:
        total += len(piece.tokens)
        if piece.reply is not None and piece.reply >= last_reply:
            break
    return total


def _length(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.tokens) for piece in pieces)
