"""Vector files: llama.cpp control vectors (GGUF) with our own knowledge in ``localsteer.*`` metadata.

llama.cpp's loader takes a file whose tensors are all ``direction.N`` (F32, one dimension, equal lengths, N ≥ 1) and
reads no metadata (``common_control_vector_load`` in common/common.cpp), so files go both ways. ``direction.N`` is added
to the output of block N.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Never

import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError, VectorError
from localsteer.gguf_header import GgufHeader, TensorInfo, Value, read_header
from localsteer.steering import vector_keys
from localsteer.steering.calibration import Calibration, MeasuredCost
from localsteer.steering.fit import ModelStamp
from localsteer.steering.scatter import Scatter
from localsteer.steering.vector import Direction, Front, LayerStatistics, SteeringVector
from localsteer.steering.vector_origin import Origin, origin_of
from localsteer.steering.whole_file import write_whole

if TYPE_CHECKING:
    import gguf

_LAST_LAYER = 511  # llama.cpp knows no model with more
_LONGEST_STATE = 1e30
_DIRECTION = re.compile(r"direction\.(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Composition:
    """What a vector was put together from: the expression, and the SHA-256 (hex) of the file of each of its names."""

    expression: str
    parts: tuple[str, ...]


def save_vector(vector: SteeringVector, path: Path, made_of: Composition | None = None) -> None:
    """Write ``vector`` to ``path``, whole or not at all, with what it was put together from.

    Raises :class:`StorageError` where the disk refuses.
    """
    # Every engine reads vectors, few write one, and this takes as long to import as all the rest here.
    import gguf

    with write_whole(path) as beside:
        writer = gguf.GGUFWriter(beside, vector_keys.ARCHITECTURE)
        try:
            _add_metadata(writer, vector)
            if made_of is not None:
                writer.add_string(vector_keys.EXPRESSION, made_of.expression)
                writer.add_array(vector_keys.PARTS, list(made_of.parts))
            for layer, direction in vector.directions.items():
                writer.add_tensor(f"direction.{layer}", np.ascontiguousarray(direction))
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        finally:
            writer.close()


def read_origin(path: Path) -> Origin | None:
    """Which tool wrote the vector file ``path``, see :func:`origin_of`. Raises :class:`VectorError`."""
    return origin_of(_header(path))


def load_vector(path: Path, layer_offset: int = 0, *, skip_layer_0: bool = False) -> SteeringVector:
    """The vector in ``path``, ours or another tool's (its poles and model are then unknown).

    ``layer_offset`` is added to every layer: −1 for tools that write one layer late. ``skip_layer_0``: leave out what
    stands at layer 0, which cannot be steered. Raises :class:`VectorError` for anything that is not a whole, finite
    control vector.
    """
    header = _header(path)
    layers = _tensors_by_layer(path, header, layer_offset, skip_layer_0)
    try:
        directions = {layer: _read(path, tensor) for layer, tensor in layers.items()}
    except OSError as error:
        raise VectorError(f"{path} cannot be read: {error.strerror or error}.") from None
    widths = {direction.size for direction in directions.values()}
    if len(widths) > 1:
        raise VectorError(
            f"The directions in {path} are {min(widths)} to {max(widths)} wide; they must be equally wide."
        )
    return _described(path, _Metadata(header.metadata, path), directions, widths.pop(), layer_offset)


def _header(path: Path) -> GgufHeader:
    try:
        return read_header(path, arrays=True)
    except ModelError as error:
        raise VectorError(str(error)) from None


def _add_metadata(writer: gguf.GGUFWriter, vector: SteeringVector) -> None:
    model = vector.model
    writer.add_uint32(vector_keys.LAYER_COUNT, len(vector.directions))
    writer.add_uint32(vector_keys.VERSION, vector_keys.FORMAT)
    for key, text in (
        (vector_keys.NAME, vector.name),
        (vector_keys.POSITIVE_POLE, vector.positive_pole),
        (vector_keys.NEGATIVE_POLE, vector.negative_pole),
        (vector_keys.METHOD, vector.method),
        (vector_keys.RECIPE_DIGEST, vector.recipe_digest),
        (vector_keys.MODEL_ARCHITECTURE, model.architecture),
        (vector_keys.MODEL_NAME, model.name),
        (vector_keys.MODEL_VOCABULARY, model.vocabulary),
        (vector_keys.MODEL_ID, model.model_id),
    ):
        writer.add_string(key, text.encode("utf-8", "replace").decode())
    writer.add_uint32(vector_keys.MODEL_N_LAYER, model.n_layer)
    writer.add_uint32(vector_keys.MODEL_N_EMBD, vector.n_embd)
    statistics = list(vector.layers.values())
    writer.add_array(vector_keys.LAYERS, list(vector.layers))
    _add_floats(writer, vector_keys.RESIDUAL_NORMS, [measured.residual_norm for measured in statistics])
    _add_floats(writer, vector_keys.AUCS, [measured.auc for measured in statistics])
    writer.add_array(vector_keys.DEFAULT_LAYERS, list(vector.default_layers))
    for layer, rows in vector.front.items():
        _add_rows(writer, f"{vector_keys.FRONT}{layer}", rows)
    if vector.scatter is not None:
        writer.add_uint32(vector_keys.SCATTER_LAYER, vector.scatter.layer)
        _add_rows(writer, vector_keys.SCATTER_POSITIVE, vector.scatter.positive)
        _add_rows(writer, vector_keys.SCATTER_NEGATIVE, vector.scatter.negative)
    if vector.strength_low is not None:
        writer.add_float64(vector_keys.STRENGTH_LOW, vector.strength_low)
    if vector.strength_high is not None:
        writer.add_float64(vector_keys.STRENGTH_HIGH, vector.strength_high)
    if vector.calibration is not None:
        _add_calibration(writer, vector.calibration)


def _add_calibration(writer: gguf.GGUFWriter, known: Calibration) -> None:
    limits: list[float | None] = [known.careful_low, known.safe_low, known.safe_high, known.careful_high]
    _add_floats(writer, vector_keys.SAFE_RANGE, limits)
    _add_floats(writer, vector_keys.SAFE_BOUNDS, [known.perplexity_bound, known.kl_bound, known.addition_bound])
    costs: list[float | None] = []
    for cost in known.costs:
        costs += [cost.strength, cost.perplexity_ratio, cost.kl_95]
    if costs:
        _add_floats(writer, vector_keys.COSTS, costs)


def _add_floats(writer: gguf.GGUFWriter, key: str, values: list[float | None]) -> None:
    """NaN stands for what was not measured."""
    import gguf

    numbers = [math.nan if value is None else float(value) for value in values]
    writer.add_key_value(key, numbers, gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.FLOAT64)


def _add_rows(writer: gguf.GGUFWriter, key: str, rows: npt.NDArray[np.float32]) -> None:
    import gguf

    writer.add_key_value(key, rows.ravel().tolist(), gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.FLOAT32)


def _tensors_by_layer(path: Path, header: GgufHeader, layer_offset: int, skip_layer_0: bool) -> dict[int, TensorInfo]:
    layers: dict[int, TensorInfo] = {}
    named = [(tensor, _DIRECTION.fullmatch(tensor.name)) for tensor in header.tensors]
    if header.tensors and not any(match for _, match in named):
        raise VectorError(
            f"{path} is a model ({header.architecture or 'unknown'}), not a vector; give the vector's own file."
        )
    for tensor, match in named:
        if match is None:
            raise VectorError(
                f'{path} holds the tensor "{tensor.name}" beside its directions; '
                "llama.cpp takes no such file, nor does localsteer."
            )
        if tensor.type_name != "F32" or len(tensor.shape) != 1:
            raise VectorError(
                f"{tensor.name} in {path} is {tensor.type_name} with {len(tensor.shape)} dimensions; "
                "a direction must be F32 with one dimension."
            )
        layer = int(match[1]) + layer_offset
        if layer > _LAST_LAYER:
            raise VectorError(f"{path} has {tensor.name}, but no model has so many layers; it is no vector.")
        if layer == 0 and skip_layer_0:
            continue
        if layer < 1:
            raise VectorError(
                f"{path} has {tensor.name} for layer {layer}, which llama.cpp cannot steer; if its tool counts from 0, "
                f"import it with --layer-offset {1 - int(match[1])}."
            )
        if layer in layers:
            raise VectorError(f"{path} holds {tensor.name} twice; make it again.")
        layers[layer] = tensor
    if not layers:
        raise VectorError(f"{path} holds no directions; it is no vector.")
    return layers


def _read(path: Path, tensor: TensorInfo) -> Direction:
    read: Direction = np.fromfile(path, dtype="<f4", count=tensor.shape[0], offset=tensor.offset)
    if read.size != tensor.shape[0]:
        raise VectorError(f"{path} ends in the middle of {tensor.name}; copy or download it again.")
    return read.astype(np.float32)


class _Metadata:
    """Our metadata of a file, each value checked for its type: files come from strangers."""

    def __init__(self, values: Mapping[str, Value], path: Path) -> None:
        self._values = values
        self._path = path

    def text(self, key: str, default: str = "") -> str:
        value = self._values.get(key, default)
        return value if isinstance(value, str) else self._damaged(key)

    def count(self, key: str) -> int:
        value = self._values.get(key, 0)
        return value if isinstance(value, int) and value >= 0 else self._damaged(key)

    def number(self, key: str) -> float | None:
        value = self._values.get(key)
        return value if value is None or isinstance(value, float) else self._damaged(key)

    def counts(self, key: str) -> tuple[int, ...]:
        values = self._values.get(key, ())
        if not isinstance(values, tuple):
            self._damaged(key)
        return tuple(value if isinstance(value, int) else self._damaged(key) for value in values)

    def numbers(self, key: str) -> list[float]:
        values = self._values.get(key, ())
        if not isinstance(values, tuple):
            self._damaged(key)
        return [float(value) if isinstance(value, int | float) else self._damaged(key) for value in values]

    def holds(self, key: str) -> bool:
        return key in self._values

    def rows(self, key: str, width: int) -> Front:
        numbers = self.numbers(key)
        if not numbers or len(numbers) % width:
            self._damaged(key)
        return np.array(numbers, dtype=np.float32).reshape(-1, width)

    def _damaged(self, key: str) -> Never:
        raise VectorError(f'{self._path} has a damaged entry "{key}"; make or download the vector again.')


def _described(
    path: Path, metadata: _Metadata, directions: dict[int, Direction], n_embd: int, layer_offset: int
) -> SteeringVector:
    ours = metadata.count(vector_keys.VERSION)
    if ours > vector_keys.FORMAT:
        raise VectorError(f"{path} was written by a newer localsteer (format {ours}); update localsteer to read it.")
    index = metadata.counts(vector_keys.LAYERS)
    residual_norms = metadata.numbers(vector_keys.RESIDUAL_NORMS)
    aucs = metadata.numbers(vector_keys.AUCS)
    if not len(index) == len(residual_norms) == len(aucs):
        raise VectorError(f"{path} has damaged statistics of its layers; make or download the vector again.")
    return SteeringVector(
        name=metadata.text(vector_keys.NAME) if ours else path.stem,
        positive_pole=metadata.text(vector_keys.POSITIVE_POLE),
        negative_pole=metadata.text(vector_keys.NEGATIVE_POLE),
        directions=directions,
        model=ModelStamp(
            name=metadata.text(vector_keys.MODEL_NAME),
            architecture=metadata.text(vector_keys.MODEL_ARCHITECTURE),
            n_layer=metadata.count(vector_keys.MODEL_N_LAYER),
            n_embd=n_embd,
            vocabulary=metadata.text(vector_keys.MODEL_VOCABULARY),
            model_id=metadata.text(vector_keys.MODEL_ID),
        ),
        method=metadata.text(vector_keys.METHOD),
        recipe_digest=metadata.text(vector_keys.RECIPE_DIGEST),
        layers={
            layer + layer_offset: LayerStatistics(0.0, _known(residual_norm, _LONGEST_STATE), _known(auc, 1.0))
            for layer, residual_norm, auc in zip(index, residual_norms, aucs, strict=True)
        },
        default_layers=tuple(layer + layer_offset for layer in metadata.counts(vector_keys.DEFAULT_LAYERS)),
        strength_low=metadata.number(vector_keys.STRENGTH_LOW),
        strength_high=metadata.number(vector_keys.STRENGTH_HIGH),
        front={
            layer: metadata.rows(f"{vector_keys.FRONT}{layer - layer_offset}", n_embd)
            for layer in directions
            if metadata.holds(f"{vector_keys.FRONT}{layer - layer_offset}")
        },
        calibration=_calibration(path, metadata),
        scatter=_scatter(metadata, layer_offset),
    )


def _calibration(path: Path, metadata: _Metadata) -> Calibration | None:
    limits, bounds = metadata.numbers(vector_keys.SAFE_RANGE), metadata.numbers(vector_keys.SAFE_BOUNDS)
    costs = metadata.numbers(vector_keys.COSTS)
    if not limits:
        return None
    if len(limits) != 4 or len(bounds) != 3 or len(costs) % 3:
        raise VectorError(f"{path} has a damaged safe range; make or download the vector again.")
    measured = zip(costs[::3], costs[1::3], costs[2::3], strict=True)
    return Calibration(
        careful_low=limits[0],
        safe_low=limits[1],
        safe_high=limits[2],
        careful_high=limits[3],
        perplexity_bound=bounds[0],
        kl_bound=bounds[1],
        addition_bound=bounds[2],
        costs=tuple(MeasuredCost(*cost) for cost in measured),
    )


def _scatter(metadata: _Metadata, layer_offset: int) -> Scatter | None:
    if not metadata.holds(vector_keys.SCATTER_LAYER):
        return None
    return Scatter(
        metadata.count(vector_keys.SCATTER_LAYER) + layer_offset,
        metadata.rows(vector_keys.SCATTER_POSITIVE, 2),
        metadata.rows(vector_keys.SCATTER_NEGATIVE, 2),
    )


def _known(number: float, most: float) -> float | None:
    """What was measured; None for NaN, and for what cannot have been."""
    return float(number) if 0 <= number <= most else None
