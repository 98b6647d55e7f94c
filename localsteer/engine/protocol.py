"""What is said between the app and the engine process: commands in, events out.

All of them are small frozen dataclasses of plain Python values, so that they cross a pipe and need neither NumPy nor
llama.cpp to be read. Every command that starts work carries a ``request`` number that its events repeat. What belongs
together stands in a module of its own; all of it can be had from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from localsteer.engine.compare_protocol import (
    MOST_SIDES,
    Compare,
    Compared,
    SideFinished,
    SideToken,
)
from localsteer.engine.experiment_protocol import (
    Experiment,
    ExperimentDone,
    ResultRow,
)
from localsteer.engine.reading_protocol import (
    MakeTitle,
    MeasureNeedles,
    NeedlesMeasured,
    RateReply,
    Reading,
    ReadToken,
    ReadTokens,
    ReplyRated,
    TitleMade,
    TokensRead,
)
from localsteer.engine.reply_protocol import (
    SCOPES,
    Course,
    DialMark,
    DialSetting,
    Finished,
    FinishReason,
    Generate,
    NeedlesMoved,
    PromptProgress,
    Sampling,
    Scope,
    SetDials,
    Started,
    TokenText,
    Turn,
)
from localsteer.engine.vector_protocol import (
    Extract,
    Extracted,
    ExtractProgress,
    Finding,
    LayerReport,
    Sweep,
    SweepBasis,
    SweepControl,
    SweepPrompting,
    SweepRange,
    SweepRow,
    Swept,
)

__all__ = [
    "MOST_SIDES",
    "SCOPES",
    "Command",
    "Compare",
    "Compared",
    "Course",
    "DialMark",
    "DialSetting",
    "Died",
    "Event",
    "Experiment",
    "ExperimentDone",
    "Extract",
    "ExtractProgress",
    "Extracted",
    "Failed",
    "Finding",
    "FinishReason",
    "Finished",
    "Generate",
    "LayerReport",
    "Load",
    "Loaded",
    "Loading",
    "MakeTitle",
    "MeasureNeedles",
    "ModelCard",
    "NeedlesMeasured",
    "NeedlesMoved",
    "Notice",
    "PromptProgress",
    "Quit",
    "RateReply",
    "ReadToken",
    "ReadTokens",
    "Reading",
    "ReplyRated",
    "ResultRow",
    "Sampling",
    "Scope",
    "SetDials",
    "SideFinished",
    "SideToken",
    "Started",
    "Stop",
    "Stopped",
    "Sweep",
    "SweepBasis",
    "SweepControl",
    "SweepPrompting",
    "SweepRange",
    "SweepRow",
    "Swept",
    "TitleMade",
    "TokenText",
    "TokensRead",
    "Turn",
    "Work",
]


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model; ``n_ctx`` 0 takes the smaller of its own context and 8,192. None = chosen for this machine."""

    request: int
    path: str
    n_ctx: int = 0
    n_threads: int | None = None
    gpu_layers: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the generations, sweeps and extractions that were sent so far, running or waiting, at once.

    A generation ends with :class:`Finished` (reason "stopped"), an extraction with :class:`Stopped`.
    """


@dataclass(frozen=True, slots=True)
class Quit:
    """End the process."""


Work: TypeAlias = (
    Load | Generate | Compare | Extract | Sweep | ReadTokens | RateReply | MeasureNeedles | MakeTitle | Experiment
)
"""What takes time and is done one after the other."""

Command: TypeAlias = Work | SetDials | Stop | Quit


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
    | SideToken
    | SideFinished
    | Compared
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
    | TitleMade
    | Notice
    | Failed
    | Stopped
    | Died
)
