"""Which tokens become likelier, and which less likely, when a direction is added: the logit lens.

A direction in the residual stream is sent through what stands at the end of the model, the final norm's weights and the
output matrix, as if no block came in between (nostalgebraist, "interpreting GPT: the logit lens", 2020). The norm's
division is left out: it scales all tokens alike. What blocks in between make of the direction is not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError
from localsteer.lens.token_texts import token_texts, unused_tokens
from localsteer.lens.weights import Matrix, Weights, open_weights

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PromotedToken:
    """``text`` is readable and safe to print; ``score`` is what the direction adds to the token's logit before the
    final norm's division.
    """

    token: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class PromotedTokens:
    """``promoted``: highest scores first; ``suppressed``: lowest first."""

    promoted: tuple[PromotedToken, ...]
    suppressed: tuple[PromotedToken, ...]


def promoted_tokens(
    model_path: Path,
    direction: Floats,
    count: int = 10,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> PromotedTokens:
    """The ``count`` tokens with the highest and with the lowest ``direction · (norm weights ∘ output row)``.

    ``direction``: float32[n_embd]. The output matrix is read in small pieces; where a model has none of its
    own its token embeddings serve (tied embeddings). Tokens that only fill the vocabulary up are left out. ``progress``
    gets rows done and rows in all. Raises ModelError for a file that is no model or has weights that cannot be
    dequantised here, and where the direction has another width.
    """
    scores, weights = _scores(model_path, np.asarray(direction, dtype=np.float32), progress)
    order = np.argsort(scores, kind="stable")
    left_out = unused_tokens(weights.path, weights.header)
    order = order[~np.isin(order, left_out) & np.isfinite(scores[order])]
    lowest, highest = order[:count], order[::-1][:count]
    texts = token_texts(weights.path, weights.header, {int(token) for token in (*lowest, *highest)})

    def told(tokens: npt.NDArray[np.int64]) -> tuple[PromotedToken, ...]:
        return tuple(
            PromotedToken(int(token), texts.get(int(token), f"⟨{token}⟩"), float(scores[token])) for token in tokens
        )

    return PromotedTokens(told(highest), told(lowest))


def _scores(
    model_path: Path, direction: Floats, progress: Callable[[int, int], None] | None
) -> tuple[npt.NDArray[np.float64], Weights]:
    """float64[n_vocab]."""
    weights = open_weights(model_path)
    try:
        output = _output(weights)
        rows, columns = output.shape
        if direction.shape != (columns,):
            raise ModelError(
                f"The direction is {direction.size} wide and {model_path} is {columns} wide; it was made for a model "
                "of another size."
            )
        norm, scores = _norm(weights, columns), np.empty(rows)
        for first, chunk in output.chunks():
            # Weights that are no numbers make scores that are none, which are left out.
            with np.errstate(all="ignore"):
                scores[first : first + len(chunk)] = chunk @ (direction * norm)
            if progress is not None:
                progress(first + len(chunk), rows)
    except OSError as error:
        raise ModelError(f"{model_path} cannot be read: {error.strerror or error}.") from error
    return scores, weights


def _output(weights: Weights) -> Matrix:
    found = weights.find("output.weight") or weights.find("token_embd.weight")
    if found is None or len(found.info.shape) != 2:
        raise ModelError(f"{weights.path} holds no output weights; a complete model is needed.")
    return found


def _norm(weights: Weights, columns: int) -> Floats:
    """float32[n_embd]; ones where the model's final norm has no weights."""
    found = weights.find("output_norm.weight")
    if found is None:
        return np.ones(columns, dtype=np.float32)
    row = np.concatenate([chunk.ravel() for _, chunk in found.chunks()])
    if row.size != columns:
        raise ModelError(f"{weights.path} is damaged: its output norm is {row.size} wide, not {columns}.")
    return row
