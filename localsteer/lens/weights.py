"""Weights of a model's file, dequantised a few rows at a time so that no matrix ever stands in memory whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError
from localsteer.file_reading import open_file
from localsteer.gguf_header import GgufHeader, TensorInfo, read_header

Floats = npt.NDArray[np.float32]

_WEIGHTS_AT_ONCE = 1 << 18
"""A megabyte of them: small enough for a processor's cache, where dequantising is twice as fast."""

_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$")


@dataclass(frozen=True, slots=True)
class Matrix:
    """A tensor of the model, in the file that holds it. ``shape``: rows, columns."""

    path: Path
    info: TensorInfo

    @property
    def shape(self) -> tuple[int, int]:
        columns, rows = (*self.info.shape, 1, 1)[:2]
        return rows, columns

    def chunks(self) -> Iterator[tuple[int, Floats]]:
        """(number of the first row, float32[some rows, columns]) from the first row to the last.

        Raises ModelError for a quantisation that cannot be read here, and for a file that ends too early.
        """
        from gguf import GGMLQuantizationType, dequantize

        rows, columns = self.shape
        kind = self.info.type_name
        n_bytes = self.info.nbytes
        if not n_bytes or n_bytes % rows or kind not in GGMLQuantizationType.__members__:
            raise _unreadable(self.path, kind)
        row_bytes = n_bytes // rows
        at_once = max(1, _WEIGHTS_AT_ONCE // columns)
        with open_file(self.path) as file:
            file.seek(self.info.offset)
            for first in range(0, rows, at_once):
                count = min(at_once, rows - first)
                packed = np.frombuffer(file.read(count * row_bytes), dtype=np.uint8)
                if packed.size != count * row_bytes:
                    raise ModelError(f"{self.path} ends in the middle of {self.info.name}. Get the file again.")
                try:
                    # Damaged scales are NaN; their rows drop out later.
                    with np.errstate(all="ignore"):
                        values = dequantize(packed.reshape(count, row_bytes), GGMLQuantizationType[kind])
                except (NotImplementedError, ValueError):
                    raise _unreadable(self.path, kind) from None
                yield first, np.asarray(values, dtype=np.float32).reshape(count, columns)


@dataclass(frozen=True, slots=True)
class Weights:
    """The headers of a model's file, or of all files of a model that is split."""

    parts: tuple[tuple[Path, GgufHeader], ...]

    @property
    def header(self) -> GgufHeader:
        """Of the first file: metadata and vocabulary stand there."""
        return self.parts[0][1]

    @property
    def path(self) -> Path:
        """The first file."""
        return self.parts[0][0]

    def find(self, name: str) -> Matrix | None:
        """The tensor of that name, None where the model has none."""
        for path, header in self.parts:
            for info in header.tensors:
                if info.name == name:
                    return Matrix(path, info)
        return None


def open_weights(path: Path) -> Weights:
    """What stands at the front of the model's file, and of its other parts where it has some. Raises ModelError."""
    header = read_header(path)
    count = header.number("split.count")
    paths = [path]
    if count > 1 and _PART.search(path.name):
        paths += [
            path.with_name(_PART.sub(f"-{number:05}-of-{count:05}.gguf", path.name)) for number in range(2, count + 1)
        ]
    return Weights(((path, header), *((other, read_header(other)) for other in paths[1:])))


def _unreadable(path: Path, kind: str) -> ModelError:
    return ModelError(f"The output weights of {path} are {kind}, which cannot be read here; use another quantisation.")
