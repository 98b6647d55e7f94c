"""The engine as the app has it, a child process behind a pipe, with a clock at the app's end of the pipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import (
    DialSetting,
    Failed,
    Finished,
    Generate,
    Load,
    Loaded,
    ModelCard,
    Sampling,
    SetDials,
    Started,
    TokenText,
    Turn,
)
from localsteer.errors import EngineError
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector

TURNS = (Turn("user", "Tell me about the sea and what you can find there."),)


@dataclass(frozen=True, slots=True)
class TimedReply:
    """``times[k]``: seconds at which token k was there, by the engine's clock."""

    times: tuple[float, ...]
    started: Started
    finished: Finished

    @property
    def tokens_per_second(self) -> float:
        """From the first token to the last one: what writing takes, without the prompt."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])

    def waits(self) -> list[float]:
        """Seconds that each token but the first let one wait: that of token k stands at k − 1."""
        return [later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)]


class TimedEngine:
    """A child process with a model; a context manager. ``n_threads`` None: as many as the engine takes by itself."""

    def __init__(self, model: Path, n_threads: int | None = None) -> None:
        self._client = EngineClient()
        self._client.start()
        request = self._client.new_request()
        self._client.send(Load(request, str(model), n_threads=n_threads))
        for event in self._client.events(request):
            if isinstance(event, Failed):
                raise EngineError(event.message)
            if isinstance(event, Loaded):
                self.card: ModelCard = event.card

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def turn(self, dials: Sequence[DialSetting]) -> None:
        """New dials for the reply that is being written."""
        self._client.send(SetDials(tuple(dials)))

    def reply(
        self,
        dials: Sequence[DialSetting],
        n_tokens: int,
        *,
        seed: int = 0,
        on_token: Callable[[int], None] | None = None,
    ) -> TimedReply:
        """A reply of ``n_tokens`` tokens; ``on_token`` is called after each with its place in the reply."""
        request = self._client.new_request()
        self._client.send(Generate(request, TURNS, tuple(dials), Sampling(seed=seed, max_tokens=n_tokens)))
        times: list[float] = []
        started: Started | None = None
        for event in self._client.events(request):
            match event:
                case TokenText() if event.index == len(times):
                    times.append(event.at)
                    if on_token is not None:
                        on_token(event.index)
                case Started():
                    started = event
                case Failed():
                    raise EngineError(event.message)
                case Finished():
                    if started is None or len(times) != n_tokens:
                        raise EngineError(f"the reply has {len(times)} tokens and not {n_tokens}")
                    return TimedReply(tuple(times), started, event)
                case _:
                    pass
        raise EngineError("the reply did not come to its end")

    def random_dials(self, folder: Path, count: int) -> list[DialSetting]:
        """Dials on all layers, scope ``reply``, a quarter as long as a hidden state of 1s everywhere."""
        card = self.card
        stamp = ModelStamp(card.name, card.architecture, card.n_layer, card.n_embd, card.vocabulary, card.model_id)
        dials = []
        for number in range(count):
            rows = np.random.default_rng(number).standard_normal((card.n_layer, card.n_embd)).astype(np.float32)
            rows *= 0.25
            directions = {layer: rows[layer] for layer in range(1, card.n_layer)}
            path = folder / f"dial-{number}.gguf"
            save_vector(SteeringVector(f"dial {number}", "", "", directions, stamp), path)
            dials.append(DialSetting(f"dial {number}", str(path), (-1.0) ** number * (1.0 + 0.25 * number)))
        return dials
