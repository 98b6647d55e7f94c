"""What is said between the app and the engine process about what was written already: how it leans, how natural it is.

Part of :mod:`localsteer.engine.protocol`, on whose terms it is: small frozen dataclasses of plain Python values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from localsteer.engine.reply_protocol import DialSetting, Turn


@dataclass(frozen=True, slots=True)
class ReadTokens:
    """Read how far every token of ``turns`` leans along each of ``vectors`` (whose strengths do not matter).

    Earlier replies are read as they were written: their own tokens, under the dials recorded with them; what no reply
    has followed yet is read under ``dials``. ``layer`` None: where each vector's own layers begin. ``raw``: one user
    turn, read without a chat template.
    """

    request: int
    turns: tuple[Turn, ...]
    vectors: tuple[DialSetting, ...]
    dials: tuple[DialSetting, ...] = ()
    layer: int | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class ReadToken:
    """A token that was read: the text it adds, and which of the turns it belongs to; None for the template's own."""

    text: str
    turn: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """How far each token leans along one vector, at ``layer``, before what dials add there.

    0 is the middle of everyday messages. ``scale`` "poles": +1 and −1 are the poles; "spread": ±1 is two standard
    deviations of everyday messages, for a vector whose length says nothing.
    """

    name: str
    positive_pole: str
    negative_pole: str
    layer: int
    scale: Literal["poles", "spread"]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TokensRead:
    """The answer to :class:`ReadTokens`. ``steered``: dials were in force in what was read. ``dropped``: how many of
    the oldest turns did not fit.
    """

    request: int
    tokens: tuple[ReadToken, ...]
    readings: tuple[Reading, ...]
    steered: bool
    dropped: int

    def by_turn(self, which: int = 0) -> dict[int, tuple[tuple[str, float], ...]]:
        """For each turn the text and the reading of its tokens, along the vector at place ``which``."""
        found: dict[int, list[tuple[str, float]]] = {}
        for token, value in zip(self.tokens, self.readings[which].values, strict=True):
            if token.turn is not None:
                found.setdefault(token.turn, []).append((token.text, value))
        return {turn: tuple(tokens) for turn, tokens in found.items()}


@dataclass(frozen=True, slots=True)
class RateReply:
    """How natural the reply that ends ``turns`` is to the unsteered model, as an answer to what was said before it.

    Work for idle moments: whatever else arrives goes first, and this ends with :class:`Stopped`.
    """

    request: int
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class ReplyRated:
    """``perplexity`` of the reply under the unsteered model: exp of its tokens' mean negative log-likelihood. Near 1
    each token could be foreseen; many times that of unsteered replies, the reply is strained.
    """

    request: int
    perplexity: float


@dataclass(frozen=True, slots=True)
class MeasureNeedles:
    """What watching a reply costs. Work for idle moments, as :class:`RateReply`."""

    request: int


@dataclass(frozen=True, slots=True)
class NeedlesMeasured:
    """Tokens per second that are evaluated one by one, unwatched and watched."""

    request: int
    unwatched: float
    watched: float


@dataclass(frozen=True, slots=True)
class MakeTitle:
    """A title of a few words for the conversation ``turns``, by the loaded model, unsteered.

    Work for idle moments, as :class:`RateReply`.
    """

    request: int
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class TitleMade:
    """``title``: a line without quotes or a full stop; "" where what the model wrote is no title."""

    request: int
    title: str
