"""Vector files that are wrong in one way each."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np


def write_tensors(path: Path, tensors: dict[str, list[float]]) -> Path:
    """A control-vector file with just these tensors, written by the gguf package and checked by nobody."""
    writer = gguf.GGUFWriter(path, "controlvector")
    writer.add_string("controlvector.model_hint", "llama")
    for name, values in tensors.items():
        writer.add_tensor(name, np.array(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


BAD_VECTORS: dict[str, dict[str, list[float]]] = {
    "NaN": {"direction.1": [1.0, float("nan")]},
    "infinity": {"direction.1": [1.0, float("inf")]},
    "layer 0": {"direction.0": [1.0, 2.0]},
    "no directions": {},
    "other tensors": {"direction.1": [1.0, 2.0], "output.weight": [1.0, 2.0]},
    "unequal widths": {"direction.1": [1.0, 2.0], "direction.2": [1.0, 2.0, 3.0]},
}
