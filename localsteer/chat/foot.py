"""How a reply was written, in a few words, for pages that are read elsewhere."""

from __future__ import annotations

import time

from localsteer.chat.conversation import ReplyRecord, StoredMessage
from localsteer.engine.protocol import DialSetting
from localsteer.visible import without_controls

_ENDINGS = {"stopped": "stopped", "length": "cut at the length limit", "context": "the context was full"}


def speaker(message: StoredMessage) -> str:
    """Who wrote a message."""
    if message.role == "user":
        return "You"
    if message.role == "system":
        return "System"
    named = without_controls(message.reply.model_name) if message.reply else ""
    return " ".join(named.split()) or "Reply"


def foot_of(message: StoredMessage) -> str:
    """Dials, seed, temperature, tokens, speed, which of how many alternatives; "" where nothing is known."""
    parts = []
    if message.reply is not None:
        parts += _dials(message.reply)
        record = message.reply
        if record.seed is not None:
            parts.append(f"seed {record.seed}")
        parts.append(f"temperature {record.sampling.temperature:g}")
        if record.tokens:
            parts.append(f"{record.token_count} tokens")
        if record.tokens_per_second:
            parts.append(f"{record.tokens_per_second:.0f} tok/s")
        if record.finish_reason is None:
            parts.append("broken off")
        elif record.finish_reason in _ENDINGS:
            parts.append(_ENDINGS[record.finish_reason])
    if message.alternatives > 1:
        parts.append(f"{message.alternative} of {message.alternatives}")
    if message.damage:
        parts.append(message.damage)
    return " · ".join(" ".join(without_controls(part).split()) for part in parts)


def day_and_time(seconds: float) -> str:
    """A moment in local time; "" for one that no calendar has."""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return ""


def _dials(record: ReplyRecord) -> list[str]:
    """Each dial with the strengths it went through, and where it was not at rest."""
    courses: dict[str, list[str]] = {}
    notes: dict[str, str] = {}
    for mark in record.marks:
        for dial in mark.dials:
            course = courses.setdefault(dial.name, [])
            strength = f"{dial.strength:+.4g}"
            if not course or course[-1] != strength:
                course.append(strength)
            notes[dial.name] = _where(dial)
    return [f"{name} {' → '.join(course)}{notes[name]}" for name, course in courses.items() if course != ["+0"]]


def _where(dial: DialSetting) -> str:
    scope = "" if dial.scope == "reply" else dial.scope
    layers = "" if dial.layers is None else f"layers {', '.join(map(str, dial.layers))}"
    said = "; ".join(filter(None, (scope, layers)))
    return f" ({said})" if said else ""
