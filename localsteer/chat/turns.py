"""Messages as the engine takes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from localsteer.chat.conversation import ReadAs, StoredMessage
from localsteer.engine.protocol import DialMark, ModelCard, Turn


def as_turn(message: StoredMessage, card: ModelCard) -> Turn:
    """One message for the engine: tokens where this model's vocabulary wrote them, marks where this very model did."""
    record = message.reply
    if record is None:
        return Turn(message.role, message.content)
    return Turn(
        message.role,
        message.content,
        tokens=record.tokens if record.tokens and record.vocabulary == card.vocabulary else None,
        marks=record.marks if record.model_id == card.model_id else (),
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
