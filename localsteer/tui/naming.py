"""Titles for conversations, written by the model while nobody waits for it."""

from __future__ import annotations

from localsteer.engine.protocol import Event, MakeTitle, ModelCard, TitleMade
from localsteer.errors import StorageError
from localsteer.tui.asides import Asides
from localsteer.tui.talk import Talk

_FIRST = 4
"""Messages: what a conversation is about is said early."""


class Naming:
    """Asks once for each conversation and model; what was given by hand stays."""

    def __init__(self, talk: Talk, asides: Asides) -> None:
        self._talk = talk
        self._asides = asides
        self._asked: set[tuple[int, str]] = set()

    def look(self, card: ModelCard | None) -> None:
        """Have the open conversation named, if it has a reply and none has asked yet."""
        conversation, messages = self._talk.conversation, self._talk.messages
        if card is None or conversation is None or conversation.titled_by != "words" or len(messages) < 2:
            return
        first = messages[0]
        if first.parent_id is not None or (conversation.id, card.model_id) in self._asked:
            return
        self._asked.add((conversation.id, card.model_id))
        try:
            turns = self._talk.turns(card, until=messages[min(len(messages), _FIRST) - 1].id)
        except StorageError:
            return

        def take(event: Event) -> None:
            if isinstance(event, TitleMade) and event.title:
                try:
                    self._talk.store.set_title(conversation.id, event.title, made_by_model=True)
                except StorageError:
                    return

        self._asides.ask(lambda request, _: MakeTitle(request, turns), take)
