"""What is said between the app and the engine process about vectors: making one, and measuring it.

Part of :mod:`localsteer.engine.protocol`, on whose terms it is: small frozen dataclasses of plain Python values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Extract:
    """Make a vector from a recipe file (or another tool's contrast file) and write it to ``out_path``.

    ``layers``: those that the dial steers by default, None to have them chosen; the vector holds all layers anyway.
    ``calibrate``: find recommended strengths and the safe range, too; ``thorough``: on eight times as much text.
    ``positive`` and ``negative`` name the poles where the file does
    not; ``persona`` and ``stems`` complete files that hold mere texts or ends of system prompts ("" and () for the
    usual ones). ``words``: instead of a file, two texts to be contrasted as they are. ``method`` "actadd" takes one
    pair of plain texts.
    """

    request: int
    recipe_path: str
    out_path: str
    method: str = "mean-difference"
    layers: tuple[int, ...] | None = None
    calibrate: bool = True
    thorough: bool = False
    positive: str = ""
    negative: str = ""
    persona: str = ""
    stems: tuple[str, ...] = ()
    words: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ExtractProgress:
    """``stage`` is "reading", "measuring" or "writing"; ``seconds_left`` None while unknown."""

    request: int
    stage: str
    done: int
    total: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class LayerReport:
    """``auc`` None where there were no pairs to be told apart."""

    layer: int
    norm: float
    residual_norm: float
    auc: float | None


@dataclass(frozen=True, slots=True)
class Extracted:
    """A vector was made and stored. ``tokens_one_by_one``: what evaluating each prompt by itself would have taken.

    The recommended strengths and the safe range are None where they were not measured.
    """

    request: int
    recipe: str
    model: str
    method: str
    out: str
    prompts: int
    tokens_evaluated: int
    tokens_one_by_one: int
    seconds: float
    default_layers: tuple[int, ...]
    strength_low: float | None
    strength_high: float | None
    safe_low: float | None
    safe_high: float | None
    layers: tuple[LayerReport, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Measure a vector file at each of ``strengths``, on the contrasts of its recipe.

    ``layers``: windows of layers to be steered one after the other, () for the vector's default ones. ``controls``:
    how many random vectors of the same norms are measured beside it in each window. Effects are measured on at most
    ``pairs`` contrasts, answered in up to ``answer_tokens`` tokens; costs on ``replies`` replies of up to
    ``reply_tokens`` tokens. ``known``: what the same sweep has found before; it is said again and not measured again.
    ``positive`` to ``stems`` are as in :class:`Extract`.
    """

    request: int
    recipe_path: str
    vector_path: str
    strengths: tuple[float, ...]
    layers: tuple[tuple[int, ...], ...] = ()
    controls: int = 5
    seed: int = 0
    pairs: int = 12
    answer_tokens: int = 40
    replies: int = 16
    reply_tokens: int = 50
    positive: str = ""
    negative: str = ""
    persona: str = ""
    stems: tuple[str, ...] = ()
    known: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class SweepBasis:
    """What the figures of a sweep rest on: how many contrasts, how many replies, and the tokens of those in all."""

    request: int
    pairs: int
    replies: int
    reply_tokens: int


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One setting: ``effect`` (nats per token, with its 95 % interval), and what it costs."""

    request: int
    layers: tuple[int, ...]
    strength: float
    effect: float
    effect_low: float
    effect_high: float
    perplexity_ratio: float
    kl: float


@dataclass(frozen=True, slots=True)
class SweepControl:
    """What the random vector ``number`` does and costs at one setting."""

    request: int
    layers: tuple[int, ...]
    strength: float
    number: int
    effect: float
    perplexity_ratio: float


@dataclass(frozen=True, slots=True)
class SweepPrompting:
    """The effects of either pole's own prompt, unsteered; None where the contrasts have no such prompts."""

    request: int
    positive: float | None
    negative: float | None


@dataclass(frozen=True, slots=True)
class SweepRange:
    """How far the vector can be turned in one window: neither of the two bounds is broken from ``low`` to ``high``."""

    request: int
    layers: tuple[int, ...]
    low: float
    high: float
    perplexity_bound: float
    kl_95_bound: float


Finding: TypeAlias = SweepBasis | SweepRow | SweepControl | SweepPrompting | SweepRange
"""What a sweep finds out, one at a time."""


@dataclass(frozen=True, slots=True)
class Swept:
    """All findings are said. The effects of random vectors at the ends of the sweep (None without any), and the safe
    range in the first window.
    """

    request: int
    vector: str
    model: str
    random_effect_low: float | None
    random_effect_high: float | None
    safe_low: float
    safe_high: float
    seconds: float
