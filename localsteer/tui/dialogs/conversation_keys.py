"""The keys of the list of conversations, each of them also a button."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style

_BUTTONS = (
    ("Enter", "open", "open"),
    ("F2", "rename", "rename"),
    ("Alt+P", "pin", "pin"),
    ("Alt+A", "archive", "archive"),
    ("Alt+W", "delete", "delete"),
    ("Ctrl+Z", "undo", "undo"),
    ("Alt+E", "export", "export"),
    ("Alt+I", "import", "import"),
    ("Alt+S", "archived ones", "show_archived"),
)


def conversation_buttons() -> Content:
    """As many lines as they need."""
    return Content("   ").join(
        Content.assemble(Content(key).stylize(Style.from_meta({"@click": f"screen.{action}"})), f" {word}")
        for key, word, action in _BUTTONS
    )
