"""What is said between the app and the engine process about replies that are written side by side.

Part of :mod:`localsteer.engine.protocol`, on whose terms it is: small frozen dataclasses of plain Python values.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from localsteer.engine.reply_protocol import Course, DialSetting, Finished, Sampling, Turn

MOST_SIDES = 9


@dataclass(frozen=True, slots=True)
class Compare:
    """Answer ``turns`` once under each of ``sides`` (at most :data:`MOST_SIDES`), all at the same time, from the same
    seed. What the chat has in its cache stays there.

    ``prefix``, ``raw`` and ``pace`` as in :class:`~localsteer.engine.protocol.Generate`; dials that are turned
    meanwhile change nothing. ``course``: that of a side to be written again exactly.

    Answered by PromptProgress, Started, many :class:`SideToken`, a :class:`SideFinished` for each side, Compared.
    """

    request: int
    turns: tuple[Turn, ...]
    sides: tuple[tuple[DialSetting, ...], ...]
    sampling: Sampling = field(default_factory=Sampling)
    prefix: str = ""
    raw: bool = False
    pace: float = 0.0
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class SideToken:
    """As :class:`~localsteer.engine.protocol.TokenText`, of the reply under ``Compare.sides[side]``."""

    request: int
    side: int
    index: int
    token: int
    text: str


@dataclass(frozen=True, slots=True)
class SideFinished:
    """One of the replies is whole, maybe long before the others: ``reply`` is what a reply written alone ends with."""

    request: int
    side: int
    reply: Finished


@dataclass(frozen=True, slots=True)
class Compared:
    """All replies are whole. ``tokens_per_second``: of all of them together."""

    request: int
    tokens_per_second: float
