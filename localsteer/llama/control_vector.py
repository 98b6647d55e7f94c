"""Sets the control vector of a llama.cpp context."""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError
from localsteer.llama.model import Model

_FLOATS = ctypes.POINTER(ctypes.c_float)


def set_control_vector(handle: Any, model: Model, data: npt.NDArray[np.float32] | None) -> None:
    """Steer what ``handle`` (``llama_context *``, of ``model``) decodes from now on by ``data``, None for nothing.

    ``data``: float32[(n_layer - 1) * n_embd], contiguous, the rows for layers 1 to n_layer - 1. It always goes over in
    full length: llama.cpp leaves the old rows of a longer one in place. Raises ValueError for another shape, ModelError
    where llama.cpp refuses it.
    """
    n_embd, n_layer = model.n_embd, model.n_layer
    # On a GPU the batch before may still be at work, under the vector that this one is written over.
    lib.llama_synchronize(handle)
    if data is None:
        lib.llama_set_adapter_cvec(handle, None, 0, n_embd, -1, -1)
        return
    expected = (n_layer - 1) * n_embd
    if data.shape != (expected,) or data.dtype != np.float32 or not data.flags.c_contiguous:
        raise ValueError(f"steering must be float32[{expected}], not {data.dtype}{list(data.shape)}")
    if lib.llama_set_adapter_cvec(handle, data.ctypes.data_as(_FLOATS), data.size, n_embd, 1, n_layer - 1) != 0:
        raise ModelError(f"llama.cpp does not take a control vector for {model.name}.")
