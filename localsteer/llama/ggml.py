"""The few ggml calls that llama-cpp-python does not bind, by ctypes, each with its C prototype.

They live in ``libggml-base``, which the binding ships beside ``libllama``.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp
import numpy as np
import numpy.typing as npt

_NAMES = ("libggml-base.so", "libggml-base.dylib", "ggml-base.dll", "libggml-base.dll")
_FLOAT_BYTES = 4


def _load() -> ctypes.CDLL:
    folder = Path(llama_cpp.__file__).parent / "lib"
    for name in _NAMES:
        if (folder / name).exists():
            return ctypes.CDLL(str(folder / name))
    raise ImportError(f"llama-cpp-python's ggml library is not in {folder}; install llama-cpp-python again.")


_lib = _load()

# const char * ggml_get_name(const struct ggml_tensor * tensor);
_lib.ggml_get_name.argtypes = [ctypes.c_void_p]
_lib.ggml_get_name.restype = ctypes.c_char_p
tensor_name = _lib.ggml_get_name
"""The bytes of a tensor's name; bare, because it is called for every node of every graph."""

# size_t ggml_nbytes(const struct ggml_tensor * tensor);
_lib.ggml_nbytes.argtypes = [ctypes.c_void_p]
_lib.ggml_nbytes.restype = ctypes.c_size_t

# int64_t ggml_nelements(const struct ggml_tensor * tensor);
_lib.ggml_nelements.argtypes = [ctypes.c_void_p]
_lib.ggml_nelements.restype = ctypes.c_int64

# void ggml_backend_tensor_get(const struct ggml_tensor * tensor, void * data, size_t offset, size_t size);
_lib.ggml_backend_tensor_get.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
_lib.ggml_backend_tensor_get.restype = None

# void ggml_backend_tensor_set(struct ggml_tensor * tensor, const void * data, size_t offset, size_t size);
_lib.ggml_backend_tensor_set.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
_lib.ggml_backend_tensor_set.restype = None


def read_rows(tensor: int, width: int, into: npt.NDArray[np.float32] | None = None) -> npt.NDArray[np.float32]:
    """A copy of a contiguous F32 tensor, wherever it lives: float32[n_rows, width]; in the first rows of ``into`` where
    it has as many.
    """
    nbytes = int(_lib.ggml_nbytes(tensor))
    count = int(_lib.ggml_nelements(tensor))
    if nbytes != count * _FLOAT_BYTES or count % width:
        raise ValueError(f"not a contiguous F32 tensor of width {width}: {count} entries in {nbytes} bytes")
    n_rows = count // width
    fits = into is not None and into.shape[0] >= n_rows and into.shape[1] == width and into.flags.c_contiguous
    rows = into[:n_rows] if into is not None and fits else np.empty((n_rows, width), dtype=np.float32)
    _lib.ggml_backend_tensor_get(tensor, rows.ctypes.data, 0, nbytes)
    return rows


def write_rows(tensor: int, rows: npt.NDArray[np.float32]) -> None:
    """Overwrite a contiguous F32 tensor with float32[n_rows, width] of its own shape."""
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if rows.nbytes != int(_lib.ggml_nbytes(tensor)):
        raise ValueError(f"{rows.nbytes} bytes do not fit a tensor of {int(_lib.ggml_nbytes(tensor))} bytes")
    _lib.ggml_backend_tensor_set(tensor, rows.ctypes.data, 0, rows.nbytes)
