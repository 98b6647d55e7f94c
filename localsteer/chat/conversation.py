"""What a conversation is: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from localsteer import __version__
from localsteer.engine.protocol import Course, DialMark, DialSetting, FinishReason, ModelCard, Sampling
from localsteer.messages import Role

IMPORTED = "imported "
"""What the vocabulary of a record begins with that came from a file: whoever made that may have put anything there."""

TitledBy: TypeAlias = Literal["words", "model", "hand"]
"""Where a title comes from: the first words that were said, a model, or the person."""


@dataclass(frozen=True, slots=True)
class ReadAs:
    """The first ``replies`` replies of a path were read under ``dials`` instead of the dials of their own records."""

    replies: int
    dials: tuple[DialSetting, ...]


@dataclass(frozen=True, slots=True)
class ReplyRecord:
    """Everything needed to show how a reply was written, and to have it again exactly.

    ``finish_reason`` None: it was still being written when the app ended. ``vocabulary`` and ``model_id`` say for which
    models ``tokens`` and ``marks`` mean anything. ``seconds_to_first`` and ``seconds`` count from asking to the first
    and the last token; None where that was not measured. ``context_size`` in tokens (0: unknown) decides which turns
    had to be dropped. ``written_with``: the version of localsteer, "" for those that did not say. ``mark_places``: for
    each of ``marks`` the character of the text before which it begins; () where that is not known. ``course``: what its
    tokens depend on beside all this; None for what older versions wrote.
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
    seconds_to_first: float | None = None
    seconds: float | None = None
    context_size: int = 0
    written_with: str = ""
    read_as: ReadAs | None = None
    mark_places: tuple[int, ...] = ()
    course: Course | None = None

    @classmethod
    def begun(
        cls,
        card: ModelCard,
        *,
        system_prompt: str,
        sampling: Sampling,
        marks: tuple[DialMark, ...],
        read_as: ReadAs | None = None,
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
            context_size=card.n_ctx,
            written_with=__version__,
            read_as=read_as,
        )

    @property
    def token_count(self) -> int:
        """How many tokens the reply has."""
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A node of the tree.

    ``alternative`` of ``alternatives``: its place among the messages that stand in the same place, from 1, deleted ones
    left out. ``damage``: one sentence about what of it could not be read, "" for a whole one. ``orphan``: the message
    that it follows is gone from a damaged file.
    """

    id: int
    conversation_id: int
    parent_id: int | None
    role: Role
    content: str
    created: float
    reply: ReplyRecord | None = None
    alternative: int = 1
    alternatives: int = 1
    damage: str = ""
    orphan: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as it is shown: the end of the path from its first message to the chosen leaf.

    ``messages`` are the last ones of that path; what comes before is had by
    :meth:`~localsteer.chat.store.ConversationStore.older` while :attr:`has_older`. What the engine needs of all of them
    is had by :meth:`~localsteer.chat.store.ConversationStore.turns`.
    """

    id: int
    title: str
    system_prompt: str
    created: float
    updated: float
    messages: tuple[StoredMessage, ...] = ()
    titled_by: TitledBy = "words"
    pinned: bool = False
    archived: bool = False

    @property
    def last_id(self) -> int | None:
        """The message that the next one follows, None at the beginning."""
        return self.messages[-1].id if self.messages else None

    @property
    def has_older(self) -> bool:
        """Whether there are messages before ``messages``."""
        return bool(self.messages) and self.messages[0].parent_id is not None and not self.messages[0].orphan


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A line in the list of conversations."""

    id: int
    title: str
    updated: float
    message_count: int
    titled_by: TitledBy = "words"
    pinned: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """Something that was deleted and can still be had back by
    :meth:`~localsteer.chat.store.ConversationStore.undo`.

    ``message_id`` None: the whole conversation. ``messages``: how many went. ``words``: how the first of them begins,
    or the conversation's title.
    """

    id: int
    conversation_id: int
    message_id: int | None
    deleted: float
    messages: int
    words: str


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Where something was found. ``message_id`` and ``role`` None: in the conversation's title.

    ``snippet``: pieces of text, each with whether it was searched for.
    """

    conversation_id: int
    title: str
    archived: bool
    message_id: int | None
    role: Role | None
    created: float
    snippet: tuple[tuple[str, bool], ...]


def title_from(text: str, limit: int = 60) -> str:
    """The first words of a message as a title, at most ``limit`` characters."""
    words = " ".join("".join(character if character.isprintable() else " " for character in text[:4000]).split())
    return words if len(words) <= limit else words[: limit - 1].rsplit(" ", 1)[0].rstrip() + "…"
