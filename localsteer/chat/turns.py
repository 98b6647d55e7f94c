"""Messages as the engine takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from localsteer.chat.conversation import IMPORTED, ReadAs, StoredMessage
from localsteer.engine.protocol import DialMark, ModelCard, Turn


def as_turn(message: StoredMessage, card: ModelCard) -> Turn:
    """One message for the engine: tokens where this model's vocabulary wrote them, marks where this very model did."""
    record = message.reply
    if record is None:
        return Turn(message.role, message.content)
    vocabulary = record.vocabulary.removeprefix(IMPORTED)
    return Turn(
        message.role,
        message.content,
        tokens=record.tokens if record.tokens and vocabulary == card.vocabulary else None,
        marks=record.marks if record.model_id == card.model_id else (),
        foreign=record.vocabulary == IMPORTED + card.vocabulary,
    )


def conversation_turns(system_prompt: str, turns: Iterable[Turn], read_as: ReadAs | None = None) -> tuple[Turn, ...]:
    """What :class:`~localsteer.engine.protocol.Generate` takes: the system prompt where there is one, then ``turns``.

    Messages of the person's that follow each other (the engine died before it answered) become one turn. ``read_as``:
    whose marks are replaced by other dials.
    """
    found: list[Turn] = [Turn("system", system_prompt)] if system_prompt.strip() else []
    replies = 0
    for turn in turns:
        one = turn
        if turn.role == "assistant":
            replies += 1
            if read_as is not None and replies <= read_as.replies:
                one = replace(turn, marks=(DialMark(0, read_as.dials),))
        if found and found[-1].role == one.role == "user":
            found[-1] = replace(found[-1], content=f"{found[-1].content}\n\n{one.content}")
        else:
            found.append(one)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The turns of a path's beginning that may still be within reach, and what those before them came to: the tokens
    that they take at least, and how many replies are among them.
    """

    turns: tuple[Turn, ...] = ()
    tokens_before: int = 0
    replies_before: int = 0


_NOTHING = Earlier()


@dataclass(frozen=True, slots=True)
class Beginning:
    """A path down to the message ``last`` (None: nothing). Of it the model of ``card`` may still read ``earlier``."""

    last: int | None
    card: ModelCard
    earlier: Earlier

    def longer(self, by: Sequence[StoredMessage]) -> Beginning:
        """With these messages as well, if they follow it; else it stays what it was."""
        if by[0].parent_id != self.last:
            return self
        turns = [as_turn(message, self.card) for message in by]
        return Beginning(by[-1].id, self.card, earlier(turns, self.card.n_ctx, self.earlier))


def earlier(turns: Sequence[Turn], n_ctx: int, so_far: Earlier = _NOTHING) -> Earlier:
    """Of the messages of a path's beginning, each a turn of its own, those that :func:`within_reach` may still leave
    in a context of ``n_ctx`` tokens, whatever comes after them. ``so_far``: what this gave for those before ``turns``.
    """
    turns = (*so_far.turns, *turns)
    begin, room = len(turns), 2 * n_ctx
    while begin > 0 and (room > 0 or not _begins(turns, begin)):
        begin -= 1
        # A message may become a part of the one before it, which takes no token then.
        room -= _least(turns[begin]) - (turns[begin].role == "user")
    before = conversation_turns("", turns[:begin])
    replies = sum(turn.role == "assistant" for turn in before)
    return Earlier(turns[begin:], so_far.tokens_before + sum(map(_least, before)), so_far.replies_before + replies)


def _begins(turns: Sequence[Turn], index: int) -> bool:
    """Whether a message of the person's begins there that is no part of the one before it."""
    return index < len(turns) and turns[index].role == "user" and turns[index - 1].role != "user"


def _least(turn: Turn) -> int:
    return len(turn.tokens or ()) + 1


def within_reach(turns: Sequence[Turn], n_ctx: int, tokens_before: int = 0) -> tuple[Turn, ...]:
    """``turns`` without those that are so far back that a context of ``n_ctx`` tokens cannot hold them in any case.

    Every turn takes a token at least, and a reply those that it was written as. They go in parts of ``n_ctx`` tokens,
    so that what is left begins with the same turn for a while, as the engine's own cut does. System turns at the front
    stay, and what is left begins with a message of the person's. ``tokens_before``: what :func:`earlier` left out,
    between those and the others.
    """
    front = next((index for index, turn in enumerate(turns) if turn.role != "system"), len(turns))
    least = [_least(turn) for turn in turns]
    excess = (tokens_before + sum(least[front:]) - n_ctx) // n_ctx * n_ctx
    cut, gone = front, tokens_before
    for index in range(front, len(turns)):
        if gone > excess:
            break
        if turns[index].role == "user":
            cut = index
        gone += least[index]
    return (*turns[:front], *turns[cut:]) if excess > 0 else tuple(turns)
