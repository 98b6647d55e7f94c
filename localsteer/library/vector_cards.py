"""What a vector file says of itself, read from its header in a millisecond and without NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from localsteer.errors import ExpressionError, ModelError
from localsteer.gguf_header import Value, read_header
from localsteer.steering import vector_keys
from localsteer.steering.contrast import LONGEST_LABEL
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.scope import Scope

_LARGEST = 1e30
_MOST_DIGITS = 9
"""As strengths; with larger numbers nothing can be drawn, and none means anything."""


@dataclass(frozen=True, slots=True)
class VectorCard:
    """Everything but the directions. Empty texts, 0 and None mean that the file does not say.

    ``layers``: the layers that have a direction; ``default_layers``: those that a dial steers unless told otherwise;
    ``at_front``: it was made for the positions at the front of a prompt (scope ``prompt-start``);
    ``strength_low`` ≤ 0 ≤ ``strength_high``: the recommended strengths towards either pole; ``safe_low`` to
    ``safe_high`` is where the model keeps its wits, ``careful_low`` to ``careful_high`` where it barely does.
    ``expression``: what it was put together from, with the SHA-256 of the file of each of its names in ``parts``.
    ``error`` says what is wrong with a file that is no vector; the other fields are empty then.
    """

    name: str
    path: Path
    positive_pole: str = ""
    negative_pole: str = ""
    method: str = ""
    recipe_digest: str = ""
    model_name: str = ""
    model_id: str = ""
    architecture: str = ""
    vocabulary: str = ""
    n_layer: int = 0
    n_embd: int = 0
    layers: tuple[int, ...] = ()
    default_layers: tuple[int, ...] = ()
    residual_norms: tuple[float | None, ...] = ()
    aucs: tuple[float | None, ...] = ()
    strength_low: float | None = None
    strength_high: float | None = None
    safe_low: float | None = None
    safe_high: float | None = None
    careful_low: float | None = None
    careful_high: float | None = None
    at_front: bool = False
    expression: str = ""
    parts: tuple[str, ...] = ()
    error: str | None = None

    @property
    def scope(self) -> Scope | None:
        """The scope that it asks for; None where any will do."""
        if self.at_front:
            return "prompt-start"
        try:
            return parse_expression(self.expression).scope if self.expression else None
        except ExpressionError:
            return None

    def is_made_from(self, digest: str) -> bool:
        """False where the recipe has changed since the vector was made. One that names no recipe stays as it is."""
        return not self.recipe_digest or self.recipe_digest == digest


def read_vector_card(path: Path, name: str | None = None) -> VectorCard:
    """The card of a vector file. Never raises; a file that is no vector says so in ``error``."""
    name = path.stem if name is None else name
    try:
        header = read_header(path, arrays=True)
    except ModelError as error:
        return VectorCard(name, path, error=str(error))
    metadata = header.metadata
    layers = tuple(
        sorted(
            int(number)
            for tensor in header.tensors
            if (number := tensor.name.removeprefix("direction.")).isdecimal() and len(number) <= _MOST_DIGITS
        )
    )
    if not layers:
        return VectorCard(name, path, error=f"{path} holds no directions; it is no vector.")
    limits = _numbers(metadata, vector_keys.SAFE_RANGE)
    careful_low, safe_low, safe_high, careful_high = limits if len(limits) == 4 else [None] * 4
    default_layers = tuple(int(layer) for layer in _numbers(metadata, vector_keys.DEFAULT_LAYERS) if layer is not None)
    return VectorCard(
        name=name,
        path=path,
        positive_pole=(header.text(vector_keys.POSITIVE_POLE) or "")[:LONGEST_LABEL],
        negative_pole=(header.text(vector_keys.NEGATIVE_POLE) or "")[:LONGEST_LABEL],
        method=header.text(vector_keys.METHOD) or "",
        recipe_digest=header.text(vector_keys.RECIPE_DIGEST) or "",
        model_name=header.text(vector_keys.MODEL_NAME) or "",
        model_id=header.text(vector_keys.MODEL_ID) or "",
        architecture=header.text(vector_keys.MODEL_ARCHITECTURE) or "",
        vocabulary=header.text(vector_keys.MODEL_VOCABULARY) or "",
        n_layer=header.number(vector_keys.MODEL_N_LAYER),
        n_embd=header.tensors[0].shape[0] if header.tensors[0].shape else 0,
        layers=layers,
        default_layers=default_layers or layers,
        residual_norms=_by_layer(metadata, vector_keys.RESIDUAL_NORMS, layers),
        aucs=_by_layer(metadata, vector_keys.AUCS, layers),
        strength_low=_number(metadata.get(vector_keys.STRENGTH_LOW)),
        strength_high=_number(metadata.get(vector_keys.STRENGTH_HIGH)),
        safe_low=safe_low,
        safe_high=safe_high,
        careful_low=careful_low,
        careful_high=careful_high,
        at_front=any(key.startswith(vector_keys.FRONT) for key in metadata),
        expression=header.text(vector_keys.EXPRESSION) or "",
        parts=_texts(metadata.get(vector_keys.PARTS)),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return None
    return float(value)


def _numbers(metadata: Mapping[str, Value], key: str) -> list[float | None]:
    values = metadata.get(key)
    return [_number(value) for value in cast("tuple[object, ...]", values)] if isinstance(values, tuple) else []


def _by_layer(metadata: Mapping[str, Value], key: str, layers: tuple[int, ...]) -> tuple[float | None, ...]:
    index = _numbers(metadata, vector_keys.LAYERS)
    known = dict(zip(index, _numbers(metadata, key), strict=False))
    return tuple(known.get(layer) for layer in layers)
