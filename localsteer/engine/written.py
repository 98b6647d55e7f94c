"""A reply as far as it has been written: its tokens, and the text that they make."""

from __future__ import annotations

import random
from collections.abc import Callable

from localsteer.engine import protocol
from localsteer.llama.chat_template import stop_texts
from localsteer.llama.model import Model
from localsteer.llama.sampling import Sampling
from localsteer.llama.text import ReplyText

_SEEDS = 2**31


class Written:
    """Says each token with its place in the reply and the text that it adds: ``say(index, token, text)``.

    ``raw``: a text that is continued, which no stop text ends.
    """

    def __init__(self, model: Model, say: Callable[[int, int, str], None], *, raw: bool) -> None:
        self.tokens: list[int] = []
        self._model = model
        self._say = say
        self._raw = raw
        self._text = ReplyText(() if raw else stop_texts(model), strip_start=not raw)
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        """What has been said so far."""
        return "".join(self._texts)

    @property
    def stopped(self) -> bool:
        """Whether a stop text has come."""
        return self._text.stopped

    def add(self, token: int) -> None:
        """One more token."""
        self.tokens.append(token)
        self._tell(self._text.feed(self._model.piece(token)))

    def finish(self) -> None:
        """No more tokens come: text that was held back comes with the last one, said once more."""
        if rest := self._text.finish():
            self._tell(rest)

    def kept_tokens(self) -> tuple[int, ...]:
        """The tokens, without those of a stop text."""
        if not self.stopped:
            return tuple(self.tokens)
        whole = ReplyText(strip_start=not self._raw)
        size = kept = 0
        for token in self.tokens:
            size += len(whole.feed(self._model.piece(token)))
            if size > len(self.text):
                break
            kept += 1
        return tuple(self.tokens[:kept])

    def _tell(self, text: str) -> None:
        self._texts.append(text)
        self._say(len(self.tokens) - 1, self.tokens[-1], text)


def drawn(wanted: protocol.Sampling) -> Sampling:
    """The sampling as llama.cpp takes it, with a seed drawn where none was given."""
    return Sampling(
        temperature=wanted.temperature,
        top_k=wanted.top_k,
        top_p=wanted.top_p,
        min_p=wanted.min_p,
        repeat_penalty=wanted.repeat_penalty,
        seed=random.SystemRandom().randrange(_SEEDS) if wanted.seed is None else wanted.seed,
        max_tokens=wanted.max_tokens,
    )
