"""What is said between the app and the engine process: commands in, events out.

All of them are small frozen dataclasses of plain Python values, so that they cross a pipe and need neither NumPy nor
llama.cpp to be read. Every command that starts work carries a ``request`` number that its events repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from localsteer.engine.experiment_protocol import Experiment, ExperimentDone, ResultRow

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
    """A message with, for replies, the tokens it was written as and the dials it was written under."""

    role: Literal["system", "user", "assistant"]
    content: str
    tokens: tuple[int, ...] | None = None
    marks: tuple[DialMark, ...] = ()


# ---------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model; ``n_ctx`` 0 takes the smaller of its own context and 8,192. None = chosen for this machine."""

    request: int
    path: str
    n_ctx: int = 0
    n_threads: int | None = None
    gpu_layers: int | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    """Write the reply that follows ``turns`` (a conversation that ends with the user's message, or a raw text).

    ``prefix`` is a beginning of the reply that is forced; its tokens come as the first :class:`TokenText` of the
    reply. ``raw``: ``turns`` holds one user turn whose text is continued without a chat template, ``prefix`` included.
    ``afresh``: evaluate every earlier reply under the present dials instead of the recorded ones.
    ``pace``: tokens per second at most, 0 for as fast as it goes; a tiny model would be done before a dial is turned.
    ``watched``: dials along which the reply is read while it is written, whatever their strengths; that costs some of
    its speed.
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


@dataclass(frozen=True, slots=True)
class SetDials:
    """New dials, in force before the next token. The latest wins; nothing is queued."""

    dials: tuple[DialSetting, ...]


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
class RateReply:
    """How natural the reply that ends ``turns`` is to the unsteered model, as an answer to what was said before it.

    Work for idle moments: whatever else arrives goes first, and this ends with :class:`Stopped`.
    """

    request: int
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class MeasureNeedles:
    """What watching a reply costs. Work for idle moments, as :class:`RateReply`."""

    request: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the generations, sweeps and extractions that were sent so far, running or waiting, at once.

    A generation ends with :class:`Finished` (reason "stopped"), an extraction with :class:`Stopped`.
    """


@dataclass(frozen=True, slots=True)
class Quit:
    """End the process."""


Work: TypeAlias = Load | Generate | Extract | Sweep | ReadTokens | RateReply | MeasureNeedles | Experiment
"""What takes time and is done one after the other."""

Command: TypeAlias = Work | SetDials | Stop | Quit

# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the app shows of a loaded model. ``template`` False: a plain User/Assistant form has to serve."""

    path: str
    name: str
    architecture: str
    quantisation: str
    n_params: int
    size_bytes: int
    n_layer: int
    n_embd: int
    n_vocab: int
    n_ctx: int
    n_ctx_train: int
    n_threads: int
    gpu_layers: int
    model_id: str
    vocabulary: str
    steerable: bool
    template: bool


@dataclass(frozen=True, slots=True)
class Loading:
    """``fraction`` of the weights read so far, 0..1."""

    request: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Loaded:
    request: int
    card: ModelCard


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
    reply.
    """

    request: int
    index: int
    token: int
    text: str


@dataclass(frozen=True, slots=True)
class NeedlesMoved:
    """How far the reply itself leans along each watched dial, before what dials add: the last tokens count most.

    Said some ten times a second at most. ``readings``: name and value, on the scale of :class:`Reading`.
    """

    request: int
    readings: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply is whole. ``tokens`` without the end-of-turn token; ``marks`` as in :class:`Turn`."""

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
class SweepBasis:
    """What the figures of a sweep rest on: how many contrasts, how many replies, and the tokens of those in all."""

    request: int
    pairs: int
    replies: int
    reply_tokens: int


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
class ReplyRated:
    """``perplexity`` of the reply under the unsteered model: exp of its tokens' mean negative log-likelihood. Near 1
    each token could be foreseen; many times that of unsteered replies, the reply is strained.
    """

    request: int
    perplexity: float


@dataclass(frozen=True, slots=True)
class NeedlesMeasured:
    """Tokens per second that are evaluated one by one, unwatched and watched."""

    request: int
    unwatched: float
    watched: float


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know; no work is lost."""

    request: int
    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The request ended with an error a person can mend; the engine lives on."""

    request: int
    message: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The extraction was stopped and wrote nothing; or the load was given up for another one asked for meanwhile."""

    request: int


@dataclass(frozen=True, slots=True)
class Died:
    """The engine process is gone; said by the client. ``reason`` is one sentence."""

    reason: str


Event: TypeAlias = (
    Loading
    | Loaded
    | PromptProgress
    | Started
    | TokenText
    | Finished
    | ExtractProgress
    | Extracted
    | SweepBasis
    | SweepRow
    | SweepControl
    | SweepPrompting
    | SweepRange
    | Swept
    | ResultRow
    | ExperimentDone
    | TokensRead
    | NeedlesMoved
    | ReplyRated
    | NeedlesMeasured
    | Notice
    | Failed
    | Stopped
    | Died
)
