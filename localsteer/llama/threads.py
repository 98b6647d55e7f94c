"""How many threads llama.cpp should use: one for each physical core (on Apple silicon: each performance core).

A second thread on the same core, or one on an efficiency core, makes all of them wait: llama.cpp's threads meet after
every matrix. Its Python binding would take half the logical processors, whatever they are.
"""

from __future__ import annotations

import ctypes
import os
import sys

import psutil

SMALL = 50_000_000
"""Below so many parameters a token's matrices are done before a second thread has woken up."""


def default_threads(n_params: int | None = None) -> int:
    """At least 1, and never more than this process may run on; 1 for a model of few parameters (None: a large one).

    A small model gains nothing from a second thread and loses nearly everything when another program holds one of the
    cores: with 3.3 million parameters and one of two cores busy, one thread wrote 600 tokens a second and two wrote
    one.
    """
    if n_params is not None and n_params < SMALL:
        return 1
    cores = _performance_cores() or psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, min(cores, _allowed() or cores))


def _allowed() -> int | None:
    """Processors that this process may run on, where the system can say so."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else None


def _performance_cores() -> int | None:
    """``sysctl hw.perflevel0.physicalcpu``, which only Apple silicon has."""
    if sys.platform != "darwin":
        return None
    count, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
    # int sysctlbyname(const char * name, void * oldp, size_t * oldlenp, void * newp, size_t newlen);
    status = ctypes.CDLL(None).sysctlbyname(
        b"hw.perflevel0.physicalcpu", ctypes.byref(count), ctypes.byref(size), None, ctypes.c_size_t(0)
    )
    return count.value if status == 0 and count.value > 0 else None
