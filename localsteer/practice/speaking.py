"""Lets a practice model reply, steered or not: what the measurements of this room are made with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localsteer.engine.positions import tokens_of
from localsteer.llama.batch import generate_many
from localsteer.llama.chat_template import render
from localsteer.llama.closing import Closing
from localsteer.llama.context import Context
from localsteer.llama.front import Front, Rows
from localsteer.llama.generation import FinishReason
from localsteer.llama.model import Model
from localsteer.llama.sampling import Sampling
from localsteer.llama.steering import UNSTEERED, Steering
from localsteer.messages import Message

LONGEST_REPLY = 200


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply and why it ended."""

    text: str
    reason: FinishReason


def _reason(model: Model, reply: Sequence[int]) -> FinishReason:
    return "end" if reply and model.is_end(reply[-1]) else "length"


class Speaker(Closing):
    """A model and one context, with the app's default sampling."""

    def __init__(self, path: Path, temperature: float = 0.8) -> None:
        self.model = Model(path)
        self._context = Context(self.model, n_ctx=min(self.model.n_ctx_train, 2048))
        self._temperature = temperature

    def reply(self, messages: Sequence[Message], seed: int, steering: Steering = UNSTEERED) -> Spoken:
        """The reply to ``messages``, written under ``steering`` from its header on (scope ``reply``)."""
        *prompt, header = render(self.model, messages)
        generation = self._context.generate(
            [(piece.tokens, UNSTEERED) for piece in prompt],
            header=header.tokens,
            steering=lambda: steering,
            sampling=Sampling(temperature=self._temperature, seed=seed, max_tokens=LONGEST_REPLY),
        )
        text = b"".join(self.model.piece(token) for token in generation).decode("utf-8", "replace")
        assert generation.reason is not None
        return Spoken(text, generation.reason)

    def replies(
        self, texts: Sequence[str], seed: int, steering: Steering = UNSTEERED, *, front: Rows | None = None
    ) -> list[Spoken]:
        """The replies to messages of a user, each by itself, written together, the first with ``seed``, the next with
        the next number. ``front``: float32[n_positions, n_layer - 1, n_embd], added from the front of each message on,
        as far as the shortest of them goes.
        """
        model = self.model
        pieces = [render(model, (Message("user", text),)) for text in texts]
        begins = [sum(len(piece.tokens) for piece in found[:-1]) for found in pieces]
        data = None if steering.data is None else steering.data.reshape(model.n_layer - 1, model.n_embd)
        written = generate_many(
            model,
            [[token for piece in found for token in piece.tokens] for found in pieces],
            steered_from=begins,
            directions=data,
            strengths=[1.0] * len(texts),
            n_tokens=LONGEST_REPLY,
            front=None if front is None else self._front(texts, front),
            temperature=self._temperature,
            seed=seed,
        )
        return [
            Spoken(model.text([token for token in reply if not model.is_end(token)]), _reason(model, reply))
            for reply in written
        ]

    def _front(self, texts: Sequence[str], rows: Rows) -> Front:
        asked = [tokens_of(self.model, (Message("user", text),)) for text in texts]
        return Front(asked[0].front, rows[: min(found.reply - found.front for found in asked)])

    def close(self) -> None:
        self._context.close()
        self.model.close()
