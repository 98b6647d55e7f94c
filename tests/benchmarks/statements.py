"""Two personas' truncated statements: the prompts that vectors are made from in repeng's way."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.random_vocabulary import WORDS

COUNT = 582
_LONGEST = 4
_CHAT = (
    "<|start_header_id|>user<|end_header_id|>\n\nAct as if you're extremely {pole}.<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n{statement}"
)
"""In the template of the benchmarks' models, so that it is the same tokens for tools that know no templates."""
_POLES = ("happy", "sad")


def made_up(count: int = COUNT, seed: int = 0) -> list[str]:
    """Statements of no to four words, each of which begins with another one that is in the list, too."""
    draw = random.Random(seed)
    found: list[tuple[str, ...]] = [()]
    while len(found) < count:
        longer = (*draw.choice(found), draw.choice(WORDS))
        if len(longer) <= _LONGEST and longer not in found:
            found.append(longer)
    return [" ".join(words) for words in found]


def read(path: Path) -> list[str]:
    """Those in a JSON file that holds a list of texts."""
    return [" ".join(str(text).split()) for text in json.loads(path.read_text(encoding="utf-8"))]


def pairs(statements: list[str]) -> list[tuple[str, str]]:
    """Every statement as either persona says it."""
    happy, sad = ([_CHAT.format(pole=pole, statement=text) for text in statements] for pole in _POLES)
    return list(zip(happy, sad, strict=True))
