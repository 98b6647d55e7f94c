"""Texts, TOML and JSON with something wrong: in their bytes, their syntax, their shape, their values."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

DEEP = 100_000
STRINGS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\ud83d\ude00",
    "\ue000",
    "\u202e\u2066",
    "\x1b[2J\x07",
    "a\nb\r\nc",
    "x" * 100_000,
    "nan",
    "1e400",
    "../../../etc/passwd",
    "/dev/zero",
    "/dev/null",
    "~nobody/x",
    "CON",
    "{persona}{message}{a}{question}",
    "{" * 1000,
    "%s%n%d",
    "[bold]x[/bold][/]",
    "'; DROP TABLE messages; --",
    "mood*1e308*1e308",
    "(" * 500,
    "a+" * 900 + "a",
    "é" * 500,
)
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    2**31,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**400,
    -(10**4000),
    1e-320,
    1e308,
    -1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    -0.0,
    0.1,
)
_OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [{}], {"": ""}, [None], ["a", 1], {"a": {"a": {"a": []}}})


def spoilt_text(rng: random.Random, content: bytes) -> bytes:
    """Bytes: cut, changed, doubled, in another encoding, with a mark in front, one line out of place."""
    size = max(1, len(content))
    at = rng.randrange(size)
    lines = content.split(b"\n")
    line = rng.randrange(len(lines))
    match rng.randrange(12):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + bytes([rng.choice([0, 0x80, 0xFF, 0xC0, 0x22, 0x5B, 0x7B, 0x0A])]) + content[at:]
        case 2:
            return content[:at] + content[at + rng.randrange(1, 20) :]
        case 3:
            return b"\xef\xbb\xbf" + content
        case 4:
            return content.decode("utf-8", "replace").encode(rng.choice(["utf-16", "utf-32", "utf-16-be"]))
        case 5:
            return content + content
        case 6:
            lines[line:line] = [lines[line]]
            return b"\n".join(lines)
        case 7:
            del lines[line]
            return b"\n".join(lines)
        case 8:
            return content.replace(b"\n", rng.choice([b"\r", b"\r\n", b"", b"\0", b"\xe2\x80\xa8"]))
        case 9:
            rng.shuffle(lines)
            return b"\n".join(lines)
        case 10:
            return rng.choice(
                [b"", b"\0" * 100, b" ", b"\n" * 1000, b"\xef\xbb\xbf", rng.randbytes(200), b"GGUF", b"PK\3\4"]
            )
        case _:
            changed = bytearray(content or b"x")
            for _ in range(rng.randrange(1, 9)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            return bytes(changed)


# ---------------------------------------------------------------- JSON


def spoilt_json(rng: random.Random, text: bytes) -> bytes:
    """A JSON document with one to three values of it wrong, or the text of it."""
    draw = rng.random()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return spoilt_text(rng, text)
    if draw < 0.2:
        text = json.dumps(document, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
        return spoilt_text(rng, text)
    if draw < 0.25:
        return rng.choice(
            [
                b"[" * DEEP + b"]" * DEEP,
                b'{"a":' * DEEP + b"1" + b"}" * DEEP,
                b"9" * 10_000,
                b"[" + b"9" * 10_000 + b"]",
                b"1e400",
                b"NaN",
                b"null",
                b'""',
                b"{}",
                b"[]",
                b'{"a":1,"a":2}',
                text[:-1] + b"," + text[1:],
            ]
        )
    changed = copy.deepcopy(document)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        changed = _changed(rng, changed)
    spelled = json.dumps(changed, ensure_ascii=rng.random() < 0.7)
    if draw < 0.3:
        spelled = re.sub(r"(?<=[:,] )-?\d+(\.\d+)?", lambda found: rng.choice([found[0], "1e999", "9" * 5000]), spelled)
    return spelled.encode("utf-8", "surrogatepass")


def _places(document: Any) -> list[tuple[Any, Any]]:
    """(holder, key) of every value."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else list(range(len(one))) if isinstance(one, list) else []
        for key in keys:
            found.append((one, key))
            waiting.append(one[key])
    return found


def _changed(rng: random.Random, document: Any) -> Any:
    places = _places(document)
    if not places or rng.random() < 0.03:
        return any_value(rng)
    holder, key = rng.choice(places)
    match rng.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice([*STRINGS, str(key) + "x", "A"])] = holder.pop(key)
        case 2 if isinstance(holder, list):
            holder.extend([copy.deepcopy(holder[key])] * rng.choice([1, 2, 300]))
        case 3:
            other, place = rng.choice(places)
            holder[key] = copy.deepcopy(other[place]) if not _is_within(other, place) else None
        case 4:
            holder[key] = [holder[key]]
        case _:
            holder[key] = any_value(rng)
    return document


def _is_within(holder: Any, key: Any) -> bool:
    return (key not in holder) if isinstance(holder, dict) else not (isinstance(key, int) and key < len(holder))


def any_value(rng: random.Random) -> Any:
    """Any value that JSON can spell, and some that it cannot."""
    return copy.deepcopy(rng.choice([rng.choice(STRINGS), rng.choice(NUMBERS), rng.choice(_OTHERS)]))


# ---------------------------------------------------------------- TOML


_TOML_VALUES = (
    "nan",
    "-inf",
    "1e400",
    "9" * 10_000,
    "-1",
    "0",
    str(2**63),
    "9" * 400,
    "0x" + "f" * 5000,
    "1979-05-27T07:32:00Z",
    "25:61:61",
    "true",
    '""',
    "''",
    '"\\ud800"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\u001b[2J"',
    '"' + "x" * 50_000 + '"',
    "[]",
    "{}",
    "[[], {}, 1]",
    '["a", 1]',
    "[{}]",
    '{ name = "x" }',
    "[" * 5000 + "]" * 5000,
    "{a=" * 3000 + "1" + "}" * 3000,
    "",
    "bare",
    '"open',
    '"""\nopen',
    '"mood*1e308*1e308"',
    '"1-9999,1-9999"',
    '"/dev/zero"',
)
_VALUE = re.compile(rb"(?<==)[ \t]*[^\n]*")


def spoilt_toml(rng: random.Random, content: bytes) -> bytes:
    """TOML with a value of it wrong, a key that nobody knows, or its text spoilt."""
    draw = rng.random()
    if draw < 0.35:
        return spoilt_text(rng, content)
    if draw < 0.4:
        return rng.choice(
            [
                b"a = " + b"[" * DEEP + b"]" * DEEP,
                b".".join([b"a"] * 50_000) + b" = 1",
                b"[" + b".".join([b"a"] * 20_000) + b"]",
                b"a.b = 1\na = 2\n",
                b"[[a]]\n[a]\n",
                b"a" * 100_000 + b" = 1",
                content + b"\n\x00\n",
            ]
        )
    values = list(_VALUE.finditer(content))
    if draw < 0.85 and values:
        found = rng.choice(values)
        new = rng.choice(_TOML_VALUES).encode()
        return content[: found.start()] + b" " + new + content[found.end() :]
    lines = content.split(b"\n")
    at = rng.randrange(len(lines) + 1)
    line = rng.choice(
        [
            b"unknown = 1",
            b"[unknown]",
            b"[[unknown]]",
            b"name = 7",
            b"[poles]",
            b"[[pairs]]",
            b"[[scene]]",
            b'"" = 1',
            b"=",
            b"]",
        ]
    )
    return b"\n".join([*lines[:at], line, *lines[at:]])
