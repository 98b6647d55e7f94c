"""A reply while it is written, saved as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from localsteer.chat.conversation import ReplyRecord, StoredMessage
from localsteer.chat.marks_in_text import places_in_text
from localsteer.engine.protocol import DialMark, DialSetting, Finished, Started

if TYPE_CHECKING:
    from localsteer.messages import Role

SAVE_EVERY_SECONDS = 0.4
"""A sudden end costs at most this much of a reply, plus the time until the next :meth:`RunningReply.save_if_due`."""


class _Store(Protocol):
    def add_message(
        self, conversation_id: int, role: Role, content: str, parent_id: int | None, reply: ReplyRecord | None = None
    ) -> StoredMessage: ...

    def save_reply(self, message_id: int, content: str, record: ReplyRecord) -> None: ...

    def message(self, message_id: int) -> StoredMessage: ...


class RunningReply:
    """Takes the engine's events for one reply and keeps the database no more than half a second behind.

    Call :meth:`save_if_due` at least ten times a second while the reply runs (the app does so when it drains events);
    without news it costs nothing. If saving fails (full disk) StorageError is raised, the text stays in memory and the
    next call tries again.
    """

    def __init__(
        self,
        store: _Store,
        conversation_id: int,
        parent_id: int,
        record: ReplyRecord,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.conversation_id = conversation_id
        self.parent_id = parent_id
        self.message_id: int | None = None
        self._store = store
        self._record = record
        self._pieces: list[str] = []
        self._tokens: list[int] = []
        self._clock = clock
        self._saved_at = self._began = clock()
        self._unsaved = False

    @property
    def text(self) -> str:
        """What has been written so far."""
        return "".join(self._pieces)

    @property
    def record(self) -> ReplyRecord:
        """The record as it stands."""
        return replace(self._record, tokens=tuple(self._tokens))

    @property
    def saved(self) -> bool:
        """Whether the record has all of it."""
        return not self._unsaved

    def started(self, event: Started) -> None:
        """The prompt is evaluated: note the seed that was drawn and what it cost."""
        self._record = replace(
            self._record,
            seed=event.seed,
            prompt_tokens_evaluated=event.prompt_tokens_evaluated,
            prompt_tokens_reused=event.prompt_tokens_reused,
        )

    def add(self, token: int, text: str) -> None:
        """One more token. The first is saved at once."""
        if not self._tokens:
            self._record = replace(self._record, seconds_to_first=self._seconds())
        self._tokens.append(token)
        self._pieces.append(text)
        self._unsaved = True
        if len(self._tokens) == 1:
            self.save()

    def turned(self, dials: tuple[DialSetting, ...]) -> None:
        """Dials were turned now; the engine's own marks replace these when the reply is finished."""
        mark = DialMark(start=len(self._tokens), dials=dials)
        earlier = tuple(one for one in self._record.marks if one.start < mark.start)
        marks = (*earlier, mark)
        self._record = replace(self._record, marks=marks, mark_places=places_in_text(marks, self._pieces))
        self._unsaved = self._unsaved or self.message_id is not None

    def save_if_due(self) -> None:
        """Save where there is something new and the last saving is long enough ago."""
        if self._unsaved and self._clock() - self._saved_at >= SAVE_EVERY_SECONDS:
            self.save()

    def save(self) -> None:
        """Save now."""
        self._saved_at = self._clock()
        if self.message_id is None:
            message = self._store.add_message(
                self.conversation_id, "assistant", self.text, self.parent_id, reply=self.record
            )
            self.message_id = message.id
        else:
            self._store.save_reply(self.message_id, self.text, self.record)
        self._unsaved = False

    def finish(self, event: Finished) -> StoredMessage:
        """The reply is whole: save it as the engine reports it."""
        self._tokens = list(event.tokens)
        self._record = replace(
            self._record,
            marks=event.marks,
            mark_places=places_in_text(event.marks, self._pieces),
            seed=event.seed,
            finish_reason=event.reason,
            prompt_tokens_evaluated=event.prompt_tokens_evaluated,
            prompt_tokens_reused=event.prompt_tokens_reused,
            tokens_per_second=event.tokens_per_second,
            seconds=self._seconds(),
            context_size=event.context_size,
            course=event.course,
        )
        self._pieces = [event.text]
        self._unsaved = True
        self.save()
        assert self.message_id is not None
        return self._store.message(self.message_id)

    def break_off(self) -> StoredMessage | None:
        """The engine failed or died: keep what there is, marked as unfinished. None where no token had come."""
        if self.message_id is None and not self._tokens:
            return None
        self._record = replace(self._record, seconds=self._seconds())
        self._unsaved = True
        self.save()
        assert self.message_id is not None
        return self._store.message(self.message_id)

    def _seconds(self) -> float:
        return round(self._clock() - self._began, 4)
