"""What the engine works with while a model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from localsteer.engine.mixing import Mixer
from localsteer.engine.needles import Watch
from localsteer.engine.protocol import Event
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.residuals import Rows

Say: TypeAlias = Callable[[Event], None]


@dataclass
class Desk:
    """What replies are written with: a loaded model, its chat context, its mixer; and how much the last one dropped.

    ``watch`` None: nobody listens in on the chat context, and replies are as fast as they can be. ``neutral``: layer to
    float32[n, n_embd], hidden states of everyday messages, as far as they have been read.
    """

    model: Model
    context: Context
    mixer: Mixer
    dropped: int = 0
    watch: Watch | None = None
    neutral: dict[int, Rows] = field(default_factory=dict)
