"""A conversation read token by token: how far each token leans along some vectors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from localsteer.engine.asked import render_turns
from localsteer.engine.control import Control
from localsteer.engine.desk import Desk, Say
from localsteer.engine.gauges import make_gauges, read_rows, vectors_to_read
from localsteer.engine.present import PresentDials
from localsteer.engine.protocol import Notice, PromptProgress, Reading, ReadToken, ReadTokens, TokensRead, Turn
from localsteer.engine.turns import Fitted, fit, stretches
from localsteer.errors import PromptError
from localsteer.llama.chat_template import Piece, plain_text
from localsteer.llama.model import Model
from localsteer.llama.residuals import Rows
from localsteer.llama.spans import Span
from localsteer.llama.text import ReplyText
from localsteer.steering.reading import Gauge

Readings: TypeAlias = npt.NDArray[np.float32]


class TokenReading:
    """One reading, in a context of its own: the chat's cache stays as it is."""

    def __init__(self, desk: Desk, command: ReadTokens, control: Control, ticket: int, say: Say) -> None:
        self._desk = desk
        self._command = command
        self._stopped = lambda: control.stopped(ticket)
        self._say = say
        self._dials = PresentDials(desk.mixer, lambda own: control.dials(ticket, own), command.dials, self._notice)

    def run(self) -> None:
        """Say PromptProgress and at last TokensRead. Raises LocalsteerError, or Stopped."""
        command, desk = self._command, self._desk
        if not command.turns:
            raise PromptError("There is nothing to read yet; write a message first.")
        vectors = vectors_to_read(desk, command.vectors, command.layer)
        fitted = fit(command.turns, self._render, n_ctx=desk.context.n_ctx, max_tokens=1)
        spans = self._dials.spans(stretches(fitted.pieces, fitted.kept))
        gauges = make_gauges(desk, vectors, self._stopped)
        # Kept are numbers, not rows: of those a long conversation has too many.
        along: list[list[Readings]] = [[] for _ in gauges]

        def read(_: int, layer: int, states: Rows) -> None:
            for gauge, values in zip(gauges, along, strict=True):
                if gauge.layer == layer:
                    values.append(gauge.read(states))

        read_rows(
            desk.model,
            [spans],
            {gauge.layer for gauge in gauges},
            read,
            n_threads=desk.context.n_threads,
            should_stop=self._stopped,
            progress=lambda done, total: self._say(PromptProgress(command.request, done, total)),
        )
        readings = [
            Reading(
                name=dial.name,
                positive_pole=vector.positive_pole,
                negative_pole=vector.negative_pole,
                layer=gauge.layer,
                scale=gauge.scale,
                values=tuple(np.round(np.concatenate(values) - _added(spans, gauge), 4).tolist()),
            )
            for dial, (vector, _), gauge, values in zip(command.vectors, vectors, gauges, along, strict=True)
        ]
        self._say(
            TokensRead(
                request=command.request,
                tokens=tuple(_tokens(desk.model, fitted, command.turns)),
                readings=tuple(readings),
                steered=any(steering.data is not None for _, steering in spans),
                dropped=fitted.dropped,
            )
        )

    def _render(self, turns: Sequence[Turn]) -> tuple[Piece, ...]:
        """The conversation as it stands: where it ends with a reply, that reply is whole and not yet to be written."""
        model = self._desk.model
        if self._command.raw:
            pieces = plain_text(model, "".join(turn.content for turn in turns))
            return (replace(pieces[0], tokens=tuple(token for piece in pieces for token in piece.tokens), reply=None),)
        last = turns[-1]
        if last.role != "assistant" or last.tokens is None:
            return render_turns(model, turns)
        *before, header = render_turns(model, turns[:-1])
        return (*before, replace(header, tokens=header.tokens + last.tokens))

    def _notice(self, text: str) -> None:
        self._say(Notice(self._command.request, text))


def _added(spans: Sequence[Span], gauge: Gauge) -> Readings:
    """What steering at the gauge's own layer adds to each token's reading."""
    shifts = [
        0.0 if (row := steering.added_at(gauge.layer, gauge.direction.size)) is None else float(row @ gauge.direction)
        for _, steering in spans
    ]
    return np.repeat(shifts, [len(tokens) for tokens, _ in spans]).astype(np.float32)


def _tokens(model: Model, fitted: Fitted, turns: Sequence[Turn]) -> Iterator[ReadToken]:
    """Every token with its text, and with the turn whose text it belongs to."""
    front = next((number for number, turn in enumerate(turns) if turn.role != "system"), len(turns))
    numbers = [*range(front), *range(front + fitted.dropped, len(turns))]
    replies = deque(number for number in numbers if turns[number].role == "assistant")
    asked = deque(number for number in numbers if turns[number].role != "assistant")
    decoder = ReplyText()
    for piece in fitted.pieces:
        texts = [decoder.feed(model.piece(token)) for token in piece.tokens]
        if piece.reply is not None:
            owner = replies.popleft() if replies else None
            owners = [None if at < piece.header else owner for at in range(len(texts))]
        else:
            own = []
            while asked and (not replies or asked[0] < replies[0]):
                own.append(asked.popleft())
            owners = _owners(texts, [(number, turns[number].content.strip()) for number in own], piece.front)
        yield from (ReadToken(text, owner) for text, owner in zip(texts, owners, strict=True))


def _owners(texts: Sequence[str], contents: Sequence[tuple[int, str]], front: int) -> list[int | None]:
    """Which of the messages each token belongs to: they are looked for, in their order, in what the template wrote."""
    whole, begins = "".join(texts), [0, *accumulate(map(len, texts))]
    owners: list[int | None] = [None] * len(texts)
    at = 0
    for number, content in contents:
        found = whole.find(content, at)
        if found < 0:
            # A template that changes a message: what begins where the last one begins.
            begin, end = begins[front], len(whole)
        else:
            begin, end = found, found + len(content)
        for place, (start, stop) in enumerate(pairwise(begins)):
            if start < end and stop > begin:
                owners[place] = number
        at = end
    return owners
