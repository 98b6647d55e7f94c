"""GGUF files of the shapes that people really use, with random weights, written where they are needed.

    python -m tests.benchmarks.shapes [--folder FOLDER]

Speed does not depend on what the weights are, so quantised blocks are drawn as they stand in the file: scales that
make every matrix as large as a trained one's, and uniform codes. What such a model writes is gibberish, but it is
written for ever: the end of a turn practically never comes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

from tests.random_models import LLAMA3_TEMPLATE, Shape, Tensor, add_shape, tensors
from tests.random_vocabulary import add_vocabulary

Kind = Literal["F32", "Q8_0", "Q4_0"]

_CODES = {"Q8_0": 32, "Q4_0": 16}
"""Bytes after the half-precision scale of a block."""
_DEVIATION = {"Q8_0": 73.9, "Q4_0": 4.61}
"""Of uniform codes, −128 to 127 and −8 to 7."""
_FILE_TYPES = {"F32": LlamaFileType.ALL_F32, "Q8_0": LlamaFileType.MOSTLY_Q8_0, "Q4_0": LlamaFileType.MOSTLY_Q4_0}


@dataclass(frozen=True, slots=True)
class RandomModel:
    """A shape with its vocabulary, and how its weights are stored."""

    name: str
    shape: Shape
    n_vocab: int
    kind: Kind

    @property
    def file_name(self) -> str:
        """What it is called in the folder."""
        return f"random-{self.name}-{self.kind}.gguf"

    @property
    def n_params(self) -> int:
        """Weights in matrices and norms."""
        return sum(int(np.prod(one.shape)) for one in self._tensors())

    def _tensors(self) -> list[Tensor]:
        return list(tensors(self.shape, self.n_vocab, scale=0.5, sharpness=4.0))

    def write(self, folder: Path) -> Path:
        """Its file in ``folder``, written unless it is there. One matrix at a time is held in memory."""
        path = folder / self.file_name
        if path.exists():
            return path
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        writer = gguf.GGUFWriter(beside, "llama")
        try:
            writer.add_name(f"Random {self.name} {self.kind}")
            add_shape(writer, self.shape, _FILE_TYPES[self.kind])
            size, never_written = add_vocabulary(writer, "bpe", self.n_vocab, ends=False, filled=True)
            writer.add_vocab_size(size)
            writer.add_chat_template(LLAMA3_TEMPLATE)
            for tensor in self._tensors():
                _announce(writer, tensor, self.kind)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            random = np.random.default_rng(0)
            for tensor in self._tensors():
                data = _drawn(random, tensor, self.kind)
                if tensor.name == ("token_embd.weight" if self.shape.tied else "output.weight"):
                    data[sorted(never_written)] = 0
                writer.write_tensor_data(data)
        finally:
            writer.close()
        beside.replace(path)
        return path


def _announce(writer: gguf.GGUFWriter, tensor: Tensor, kind: Kind) -> None:
    quantised = tensor.gain is not None and kind != "F32"
    if not quantised:
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), 4 * int(np.prod(tensor.shape)))
        return
    rows, columns = tensor.shape
    block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    width = columns // block * block_bytes
    writer.add_tensor_info(
        tensor.name, (rows, width), np.dtype(np.uint8), rows * width, raw_dtype=GGMLQuantizationType[kind]
    )


def _drawn(random: np.random.Generator, tensor: Tensor, kind: Kind) -> npt.NDArray[np.generic]:
    """The matrix as it stands in the file, a row of it in each row."""
    if tensor.gain is None:
        return np.ones(tensor.shape, dtype=np.float32)
    rows, columns = tensor.shape
    deviation = tensor.gain / np.sqrt(columns)
    if kind == "F32":
        return random.standard_normal(tensor.shape, dtype=np.float32) * np.float32(deviation)
    n_blocks = columns // GGML_QUANT_SIZES[GGMLQuantizationType[kind]][0]
    blocks = np.empty((rows * n_blocks, 2 + _CODES[kind]), dtype=np.uint8)
    blocks[:, :2] = np.frombuffer(np.float16(deviation / _DEVIATION[kind]).tobytes(), dtype=np.uint8)
    blocks[:, 2:] = np.frombuffer(random.bytes(len(blocks) * _CODES[kind]), dtype=np.uint8).reshape(len(blocks), -1)
    return blocks.reshape(rows, -1)


_135M = Shape(n_layer=30, n_embd=576, n_ff=1536, n_head=9, n_kv=3, n_ctx=2048, tied=True)
_1B = Shape(n_layer=16, n_embd=2048, n_ff=8192, n_head=32, n_kv=8, n_ctx=8192, tied=True)

SMALL = RandomModel("135M", _135M, 49_152, "Q8_0")
SMALL_F32 = RandomModel("135M", _135M, 49_152, "F32")
LARGE = RandomModel("1B", _1B, 128_256, "Q4_0")


def usual_folder() -> Path:
    """Where the files are kept unless a person says otherwise."""
    return Path(tempfile.gettempdir()) / "localsteer-shapes"


def main() -> None:
    """Write all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=usual_folder())
    asked = parser.parse_args()
    for model in (SMALL, SMALL_F32, LARGE):
        path = model.write(asked.folder)
        sys.stdout.write(f"{path}  {model.n_params / 1e6:,.0f} million weights, {path.stat().st_size / 1e6:,.0f} MB\n")


if __name__ == "__main__":
    main()
