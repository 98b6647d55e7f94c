"""Lets go of what was read of a model's file only to be rewritten.

llama.cpp maps the file and copies many matrices into an order that suits the processor; the pages that they were copied
from would count as this process's memory until some other program needs room.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

_MAPPINGS = Path("/proc/self/maps")
_SHARED_AND_READ_ONLY = "r--s"
_SMALLEST = 1_000_000
_DONTNEED = 4  # MADV_DONTNEED


def let_go_of_mapped_pages() -> None:
    """Unload the pages of all files that are mapped here for reading. Those that are read again come back by
    themselves, one by one. Does something on Linux only.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None).madvise
        for line in _MAPPINGS.read_text(encoding="utf-8", errors="replace").splitlines():
            addresses, permissions = line.split(maxsplit=2)[:2]
            begin, end = (int(address, 16) for address in addresses.split("-"))
            if permissions == _SHARED_AND_READ_ONLY and end - begin >= _SMALLEST:
                # Advice: where it is not taken, nothing is lost.
                madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), ctypes.c_int(_DONTNEED))
