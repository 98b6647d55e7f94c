"""Tokenises text of mixed origin: special tokens come from the template alone, never from a message.

llama.cpp cuts a text at its special tokens and tokenises what lies between. The same is done here, but the cuts are
looked for in the template's text only, and what lies between, template and message together, is tokenised as plain
text. So the tokens are those of the whole text tokenised at once, unless a message spells a special token; then that
stays a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localsteer.llama.plain_tokens import tokens_between, tokens_without

if TYPE_CHECKING:
    from localsteer.llama.model import Model

_UNKNOWN, _CONTROL, _USER_DEFINED, _LSTRIP, _RSTRIP = 1, 8, 16, 128, 256
_SPECIAL = _UNKNOWN | _CONTROL | _USER_DEFINED
_LIKE_A_MARK = re.compile(r"[<\[{](?!/)[^\w\s].*[^\w\s][>\]}]|\[/?[A-Z_]+\]", re.DOTALL)
"""``<|user|>``, ``[@BOS@]``, ``[INST]``; not ``<table>``, which vocabularies have for the sake of web pages."""


@dataclass(slots=True)
class _Stretch:
    """Text between two cuts, as it grows."""

    continues: bool = False
    """It follows tokens that are text too, so the vocabulary must not put its usual space in front."""
    strip_start: bool = False
    text: str = ""
    borders: list[int] = field(default_factory=list)
    """Characters before each border that somebody wants to find again among the tokens."""


class TemplateTokeniser:
    """Collects text, tokens and borders in order; ``tokens`` and ``borders`` are complete after :meth:`finish`."""

    def __init__(self, model: Model, cuts: TemplateCuts) -> None:
        """``cuts`` are those of the template."""
        self.tokens: list[int] = []
        self.borders: list[int] = []
        """Tokens before each border, in the order in which the borders were set."""
        self._model = model
        self._cuts = cuts
        self._stretch = _Stretch()

    @property
    def n_borders(self) -> int:
        """How many borders have been set so far."""
        return len(self.borders) + len(self._stretch.borders)

    def template(self, text: str, border: int | None = None) -> None:
        """Text of the template; special tokens in it become tokens.

        ``border``: remember the place after so many characters; in front of a special token that reaches across it.
        """
        before = 0 if border is None else border
        for part in self._cuts.of(self._model, text):
            length = len(part) if isinstance(part, str) else len(self._model.token_text(part))
            if border is not None and 0 <= before < length:
                self._stretch.borders.append(len(self._stretch.text) + (before if isinstance(part, str) else 0))
            before -= length
            if isinstance(part, str):
                self._stretch.text += part
                continue
            attributes = self._model.attributes(part)
            self._flush(strip_end=bool(attributes & _LSTRIP))
            self.tokens.append(part)
            self._stretch = _Stretch(strip_start=bool(attributes & _RSTRIP))
        if border is not None and before >= 0:
            self.border()

    def message(self, text: str) -> None:
        """Text of a message; nothing in it becomes a special token."""
        self._stretch.text += text

    def given(self, tokens: tuple[int, ...]) -> None:
        """Tokens that are known already."""
        self._flush(strip_end=False)
        self.tokens.extend(tokens)
        self._stretch = _Stretch(continues=True)

    def border(self) -> None:
        """Remember this place."""
        self._stretch.borders.append(len(self._stretch.text))

    def finish(self) -> None:
        """There is no more; put the beginning-of-text token in front where the model wants one and the template has
        none.
        """
        self._flush(strip_end=False)
        self._stretch = _Stretch()
        start = list(self._model.start_tokens)
        if start and self.tokens[: len(start)] != start:
            self.tokens[:0] = start
            self.borders = [border + len(start) for border in self.borders]

    def _flush(self, *, strip_end: bool) -> None:
        stretch = self._stretch
        text = stretch.text.rstrip() if strip_end else stretch.text
        dropped = len(text) - len(text.lstrip()) if stretch.strip_start else 0
        text = text[dropped:]
        found, splits = tokens_without(
            text, self._part(stretch.continues), lambda tokens: self._cuts.forged(self._model, tokens)
        )
        for border in stretch.borders:
            at = min(max(0, border - dropped), len(text))
            before = self._tokenise(text[:at], splits, stretch.continues)
            self.borders.append(len(self.tokens) + _common(before, found) if at < len(text) else self._end(found))
        self.tokens.extend(found)

    def _end(self, found: list[int]) -> int:
        return len(self.tokens) + len(found)

    def _tokenise(self, text: str, splits: list[int], continues: bool) -> list[int]:
        return tokens_between(text, splits, self._part(continues))

    def _part(self, continues: bool) -> Callable[[str, bool], list[int]]:
        return lambda part, later: self._model.tokenize(part, continues=continues or later)


def _common(one: list[int], other: list[int]) -> int:
    """Length of the common beginning. A token that reaches across a border belongs to what comes after it."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


class TemplateCuts:
    """Where a template's texts hold special tokens; remembered, because a conversation repeats a few texts over and
    over.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str | int, ...]] = {}
        self._forgeable: dict[int, bool] = {}

    def of(self, model: Model, text: str) -> tuple[str | int, ...]:
        """``text`` as plain texts and special tokens, in their order."""
        cuts = self._known.get(text)
        if cuts is None:
            cuts = self._known[text] = _cut(model, text)
            self._forgeable.update((part, True) for part in cuts if isinstance(part, int) and _is_mark(model, part))
        return cuts

    def forged(self, model: Model, tokens: Sequence[int]) -> set[str]:
        """The texts of those of ``tokens`` that no message may have: user-defined ones that the template uses, or that
        look as if one did. (Control tokens come of no text, see :meth:`Model.tokenize`.)
        """
        known = self._forgeable
        for token in set(tokens) - known.keys():
            known[token] = _is_mark(model, token) and bool(_LIKE_A_MARK.fullmatch(model.token_text(token)))
        return {model.token_text(token) for token in set(tokens) if known[token]}


def _is_mark(model: Model, token: int) -> bool:
    return bool(model.attributes(token) & _USER_DEFINED)


def _cut(model: Model, text: str) -> tuple[str | int, ...]:
    parts: list[str | int] = []
    at = 0
    for token in model.tokenize(text, special=True):
        if model.attributes(token) & _SPECIAL:
            spelled = model.token_text(token)
            found = text.find(spelled, at) if spelled.strip() else -1
            if found >= 0:
                parts += [text[at:found], token]
                at = found + len(spelled)
    return tuple(part for part in (*parts, text[at:]) if part != "")
