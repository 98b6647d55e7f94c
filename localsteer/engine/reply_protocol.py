"""What is said between the app and the engine process about a reply: what it is written from, and as what it came.

Part of :mod:`localsteer.engine.protocol`, on whose terms it is: small frozen dataclasses of plain Python values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["reply", "everything", "prompt-start"]
SCOPES: tuple[Scope, ...] = ("reply", "everything", "prompt-start")
FinishReason: TypeAlias = Literal["end", "length", "stopped", "context"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How llama.cpp's own sampler chain draws the next token. ``temperature`` 0 is greedy; ``seed`` None draws one."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class DialSetting:
    """One dial as the engine needs it: which vector file, how strong, where.

    ``strength`` is the effective one (0.0 while muted, or while another dial is soloed); ``layers`` None means the
    vector's own default layers.
    """

    name: str
    vector_path: str
    strength: float
    layers: tuple[int, ...] | None = None
    scope: Scope = "reply"


@dataclass(frozen=True, slots=True)
class DialMark:
    """From the reply's token ``start`` on, these dials were in force."""

    start: int
    dials: tuple[DialSetting, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with, for replies, the tokens it was written as and the dials it was written under.

    ``foreign``: the tokens come from somebody's file; they are used only where they say what ``content`` does.
    """

    role: Literal["system", "user", "assistant"]
    content: str
    tokens: tuple[int, ...] | None = None
    marks: tuple[DialMark, ...] = ()
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """What the tokens of a reply depend on beside turns, dials, sampling and seed: what to give to a
    :class:`Generate` so that the same model writes the same reply again.

    llama.cpp rounds differently in batches of different lengths, so it matters how what stands before a reply was cut.
    ``cuts``: (kept, length, times) from the first position to the end of the header: ``times`` batches of ``length``
    tokens, of each of which the first ``kept`` were kept. ``n_threads`` worked at it, 0 for unknown. ``dropped``: how
    many of the oldest turns did not fit. ``prefix`` and ``afresh`` as in :class:`Generate`.

    ``sides``: the dials of all replies that were written side by side with it, itself included, at place ``side``; ()
    for a reply that was written alone. Then ``cuts`` go to the end of the prompt; where sides read it differently,
    those of each reading follow one after the other.
    """

    cuts: tuple[tuple[int, int, int], ...] = ()
    n_threads: int = 0
    dropped: int = 0
    prefix: str = ""
    afresh: bool = False
    sides: tuple[tuple[DialSetting, ...], ...] = ()
    side: int = 0


@dataclass(frozen=True, slots=True)
class Generate:
    """Write the reply that follows ``turns`` (a conversation that ends with the user's message, or a raw text).

    ``prefix`` is a beginning of the reply that is forced; its tokens come as the first :class:`TokenText` of the
    reply. ``raw``: ``turns`` holds one user turn whose text is continued without a chat template, ``prefix`` included.
    ``afresh``: evaluate every earlier reply under the present dials instead of the recorded ones.
    ``pace``: tokens per second at most, 0 for as fast as it goes; a tiny model would be done before a dial is turned.
    ``watched``: dials along which the reply is read while it is written, whatever their strengths; that costs some of
    its speed.

    ``schedule``: marks of a reply, to be followed instead of ``dials``; a dial that is turned meanwhile takes over.
    ``course``: that of a reply that is to be written again exactly; its ``prefix`` and ``afresh`` hold then.
    """

    request: int
    turns: tuple[Turn, ...]
    dials: tuple[DialSetting, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    prefix: str = ""
    raw: bool = False
    afresh: bool = False
    pace: float = 0.0
    watched: tuple[DialSetting, ...] = ()
    schedule: tuple[DialMark, ...] = ()
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class SetDials:
    """New dials, in force before the next token. The latest wins; nothing is queued."""

    dials: tuple[DialSetting, ...]


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """``done`` of ``total`` tokens of the prompt are evaluated (cached ones not counted)."""

    request: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt is evaluated; the first token comes next. ``dropped``: how many of the oldest turns had to go.

    ``prompt_tokens_evaluated`` and ``prompt_tokens_reused`` count the tokens of the prompt, without those of the
    assistant header and of earlier replies; ``seed`` is the one that was drawn.
    """

    request: int
    prompt_tokens_evaluated: int
    prompt_tokens_reused: int
    dropped: int
    seed: int


@dataclass(frozen=True, slots=True)
class TokenText:
    """One token of the reply; ``text`` is what it adds (may be empty in the middle of a UTF-8 character).

    Text that had to be held back until the end comes with the last token said once more; all texts together are the
    reply. ``at``: seconds by a clock of the engine's that begins anywhere; what is said may come a little later, with
    more.
    """

    request: int
    index: int
    token: int
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class NeedlesMoved:
    """How far the reply itself leans along each watched dial, before what dials add: the last tokens count most.

    Said some ten times a second at most. ``readings``: name and value, on the scale of :class:`Reading`.
    """

    request: int
    readings: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply is whole. ``tokens`` without the end-of-turn token; ``marks`` as in :class:`Turn`; ``course`` is needed
    to have it again exactly.
    """

    request: int
    reason: FinishReason
    text: str
    tokens: tuple[int, ...]
    marks: tuple[DialMark, ...]
    seed: int
    prompt_tokens_evaluated: int
    prompt_tokens_reused: int
    tokens_per_second: float
    context_used: int
    context_size: int
    course: Course = field(default_factory=Course)
