"""A reply between the question and the record."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from localsteer.chat.running import RunningReply
from localsteer.engine.protocol import TokenText
from localsteer.tui.engine_link import Job
from localsteer.tui.widgets.messages import ReplyView

_SECONDS_TO_KNOW = 0.5


@dataclass(slots=True)
class OnItsWay:
    """A reply on its way. ``view`` None: the person has turned away from it; what is in the record
    of it is still brought to its end there.
    """

    view: ReplyView | None
    job: Job | None = None
    running: RunningReply | None = None
    first_token_at: float = 0.0
    tokens: int = 0
    pieces: list[str] = field(default_factory=list)

    def add(self, event: TokenText) -> bool:
        """Take one token's text. False for the last token said once more, which brings only text that was held back."""
        if self.tokens == 0:
            self.first_token_at = time.monotonic()
        self.pieces.append(event.text)
        fresh = event.index >= self.tokens
        self.tokens = event.index + 1
        return fresh

    def taken(self) -> str:
        """The text that came since the last call."""
        text, self.pieces = "".join(self.pieces), []
        return text

    @property
    def tokens_per_second(self) -> float:
        """So far; 0 while it is too early to say."""
        seconds = time.monotonic() - self.first_token_at
        return self.tokens / seconds if self.tokens and seconds > _SECONDS_TO_KNOW else 0.0
