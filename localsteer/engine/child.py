"""How a process of localsteer's own is started, with the very package that starts it."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])


def child_command(module: str, function: str) -> list[str]:
    """What to start, as :class:`subprocess.Popen` takes it: a Python that calls this function of this module."""
    # The root goes in front only where the child would not find the package by itself, as when it runs from a clone.
    program = (
        "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root); "
        f"from {module} import {function}; {function}()"
    )
    # -P: a numpy.py in the folder the person happens to be in is none of our business.
    return [sys.executable, "-P", "-c", program, _ROOT]
