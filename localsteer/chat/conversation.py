"""What a conversation is: values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from localsteer.engine.protocol import DialMark, FinishReason, ModelCard, Sampling, Turn
from localsteer.messages import Role


@dataclass(frozen=True, slots=True)
class ReplyRecord:
    """Everything needed to show how a reply was written, and to have it again exactly.

    ``finish_reason`` None: it was still being written when the app ended. ``vocabulary`` and ``model_id`` say for which
    models ``tokens`` and ``marks`` mean anything.
    """

    model_name: str
    model_path: str
    model_id: str
    vocabulary: str
    system_prompt: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    seed: int | None = None
    tokens: tuple[int, ...] = ()
    marks: tuple[DialMark, ...] = ()
    finish_reason: FinishReason | None = None
    prompt_tokens_evaluated: int = 0
    prompt_tokens_reused: int = 0
    tokens_per_second: float = 0.0

    @classmethod
    def begun(
        cls, card: ModelCard, *, system_prompt: str, sampling: Sampling, marks: tuple[DialMark, ...]
    ) -> ReplyRecord:
        """The record of a reply by this model whose first token is yet to come."""
        return cls(
            model_name=card.name,
            model_path=card.path,
            model_id=card.model_id,
            vocabulary=card.vocabulary,
            system_prompt=system_prompt,
            sampling=sampling,
            marks=marks,
        )


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A node of the tree. ``alternative`` of ``alternatives``: its place among the children of its parent, from 1."""

    id: int
    conversation_id: int
    parent_id: int | None
    role: Role
    content: str
    created: float
    reply: ReplyRecord | None = None
    alternative: int = 1
    alternatives: int = 1


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as it is shown: the path from its first message to the chosen leaf."""

    id: int
    title: str
    system_prompt: str
    created: float
    updated: float
    messages: tuple[StoredMessage, ...] = ()

    @property
    def last_id(self) -> int | None:
        """The message that the next one follows, None at the beginning."""
        return self.messages[-1].id if self.messages else None

    def turns(self, card: ModelCard, *, until: int | None = None) -> tuple[Turn, ...]:
        """What :class:`~localsteer.engine.protocol.Generate` takes: the system prompt, then the messages.

        ``until``: stop after the message of this id (to have a reply again, give the id of the message it answers).
        Tokens are given where this model's vocabulary wrote them, marks where this very model did.
        """
        turns = [Turn("system", self.system_prompt)] if self.system_prompt.strip() else []
        for message in self.messages:
            turns.append(as_turn(message, card))
            if message.id == until:
                break
        return tuple(turns)


def as_turn(message: StoredMessage, card: ModelCard) -> Turn:
    """One message for the engine, see :meth:`Conversation.turns`."""
    record = message.reply
    if record is None:
        return Turn(message.role, message.content)
    return Turn(
        message.role,
        message.content,
        tokens=record.tokens if record.tokens and record.vocabulary == card.vocabulary else None,
        marks=record.marks if record.model_id == card.model_id else (),
    )


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A line in the list of conversations."""

    id: int
    title: str
    updated: float
    message_count: int


def title_from(text: str, limit: int = 60) -> str:
    """The first words of a message as a title, at most ``limit`` characters."""
    words = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return words if len(words) <= limit else words[: limit - 1].rsplit(" ", 1)[0].rstrip() + "…"
