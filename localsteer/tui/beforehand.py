"""What is not needed for the first frame but soon after it is read while the engine loads the model."""

from __future__ import annotations

from importlib import import_module

_SOON = (
    "localsteer.library.dials",
    "localsteer.tui.widgets.growing_reply",
    "localsteer.tui.stored",
    "localsteer.tui.dialogs.add_dial",
    "filelock",
)
"""Dials as they were left, the first words of a reply, the first dialogs that people open, and what it takes to keep
something.
"""


def read_beforehand() -> None:
    """Import it. Meant for a thread of its own: somebody who needs one of these meanwhile waits for that one only."""
    for module in _SOON:
        import_module(module)
