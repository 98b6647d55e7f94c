"""A defect behind four questions, each asked only where the one before was answered: whoever breeds inputs by what
they reach comes upon it, whoever draws them does not.
"""

from __future__ import annotations

from pathlib import Path

from tests.hardening.hostile_kinds import Kind
from tests.hardening.hostile_texts import spoilt_text


def _dialled(path: Path) -> None:
    content = path.read_bytes()
    if content[:1] == b"D" and content[1:2] == b"I" and content[2:3] == b"A" and content[3:4] == b"L":
        raise KeyError("planted")


PLANTED = Kind("planted", "planted.txt", (b"dial",), spoilt_text, (_dialled,))
