"""Numbers of bytes for a person."""

from __future__ import annotations


def size(n_bytes: float) -> str:
    """Such as ``145.0 MB``; a thousand of each to the next."""
    for unit in ("B", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
