"""How full the context is, in words and as a colour, before old messages fall out of it."""

from __future__ import annotations

WARN_FROM = 0.8
SAY_FROM = 0.95


def room_colour(used: int, size: int) -> str:
    """The theme's colour for the meter."""
    part = used / size if size else 0.0
    return "$error" if part >= SAY_FROM else "$warning" if part >= WARN_FROM else "$quiet"


def room_words(used: int, size: int) -> str:
    """What the meter means, for whoever asks."""
    if not size:
        return "The context is what the model can read at once; how large it is shows when a model is loaded."
    if not used:
        return (
            f"The model can read {size:,} tokens at once; how many this conversation takes shows after the next reply."
        )
    return (
        f"The conversation takes {used:,} of the {size:,} tokens that the model can read at once ({used / size:.0%}); "
        f"{size - used:,} more fit. After that it no longer reads the oldest messages; you still can."
    )


def room_warning(used: int, size: int) -> str:
    """One sentence shortly before old messages fall out; nothing while there is room."""
    if not size or used / size < SAY_FROM:
        return ""
    return (
        f"The context is nearly full: {size - used:,} more tokens fit, then the model no longer reads the oldest "
        "messages. You still can."
    )
