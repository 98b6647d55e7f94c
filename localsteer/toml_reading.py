"""TOML from whoever wrote it: read in a time that goes with its length."""

from __future__ import annotations

import re
import tomllib
from typing import Any

# Python's reader takes the square of a key's depth: minutes for what a hostile file can hold.
_DEEP_KEY = re.compile(r"""(?:^|[\[{,])[ \t]*(?:(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)[ \t]*\.[ \t]*){64}""", re.MULTILINE)


def parse_toml(text: str) -> dict[str, Any]:
    """What ``text`` says. Raises ValueError for what is no TOML, nested too deeply, or has too long a number; the
    message is a clause, with the line where that is known.
    """
    deep = _DEEP_KEY.search(text)
    if deep is not None:
        line = text.count("\n", 0, deep.start()) + 1
        raise ValueError(f"a key has too many parts (at line {line})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
