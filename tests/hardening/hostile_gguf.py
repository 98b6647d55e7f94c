"""GGUF files taken apart, spoilt in one place or several, and put together again, byte by byte as the mutation wants.

Written against the format's description, not with our reader, so that it can write what no writer would.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
WHOLE = (0, 1, 2, 3, 4, 5, 10, 11)

HUGE = (2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**60, 2**63 - 1, 2**63, 2**64 - 1)
FLOATS = (float("nan"), float("inf"), float("-inf"), 0.0, -1.0, 1e-45, 3e38, -3e38, 1e30)


@dataclass
class Tensor:
    """One tensor's entry; ``name`` in bytes, for it need not be text."""

    name: bytes
    shape: list[int]
    type: int
    offset: int


@dataclass
class Gguf:
    """``entries``: key, type, and the bytes of the value as they stand in the file. A count of None: as many as there
    are.
    """

    entries: list[list[object]] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    data: bytes = b""
    alignment: int = 32
    magic: bytes = b"GGUF"
    version: int = 3
    n_tensors: int | None = None
    n_entries: int | None = None

    def raw(self, key: str) -> bytes:
        """The bytes of an entry's value."""
        return next(cast("bytes", entry[2]) for entry in self.entries if entry[0] == key.encode())

    def put(self, key: str | bytes, kind: int, raw: bytes) -> None:
        """An entry in the place of the one of that name, or a new one."""
        name = key.encode() if isinstance(key, str) else key
        for entry in self.entries:
            if entry[0] == name:
                entry[1:] = [kind, raw]
                return
        self.entries.append([name, kind, raw])

    def drop(self, key: str) -> None:
        """Without that entry."""
        self.entries = [entry for entry in self.entries if entry[0] != key.encode()]

    def content(self) -> bytes:
        """The file."""
        parts = [
            self.magic,
            struct.pack("<I", self.version & 0xFFFFFFFF),
            word(len(self.tensors) if self.n_tensors is None else self.n_tensors),
            word(len(self.entries) if self.n_entries is None else self.n_entries),
        ]
        for key, kind, raw in self.entries:
            parts += [text(key), struct.pack("<I", kind), raw]  # type: ignore[arg-type, list-item]
        for tensor in self.tensors:
            parts += [text(tensor.name), struct.pack("<I", len(tensor.shape)), *map(word, tensor.shape)]
            parts += [struct.pack("<I", tensor.type & 0xFFFFFFFF), word(tensor.offset)]
        head = b"".join(parts)
        return head + bytes(-len(head) % self.alignment) + self.data


def word(number: int) -> bytes:
    """uint64, little-endian; what is too large or negative wraps."""
    return struct.pack("<Q", number % 2**64)


def text(value: bytes) -> bytes:
    """A GGUF string."""
    return word(len(value)) + value


def array(kind: int, items: list[bytes], count: int | None = None) -> bytes:
    """A GGUF array of items that are bytes already."""
    return struct.pack("<I", kind) + word(len(items) if count is None else count) + b"".join(items)


def taken_apart(content: bytes) -> Gguf:
    """A sound file as its parts. Raises ValueError, LookupError, struct.error for what is too far from one."""
    at = 8

    def number(layout: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + layout, content, at)
        at += struct.calcsize("<" + layout)
        return int(value)

    def string() -> bytes:
        nonlocal at
        length = number("Q")
        at += length
        return content[at - length : at]

    def value(kind: int) -> bytes:
        nonlocal at
        begin = at
        if kind == STRING:
            string()
        elif kind == ARRAY:
            inner, count = number("I"), number("Q")
            if inner in FIXED:
                at += count * struct.calcsize("<" + FIXED[inner])
            else:
                for _ in range(count):
                    value(inner)
        else:
            at += struct.calcsize("<" + FIXED[kind])
        if at > len(content):
            raise ValueError("the file ends within a value")
        return content[begin:at]

    n_tensors, n_entries = number("Q"), number("Q")
    entries: list[list[object]] = []
    for _ in range(n_entries):
        key, kind = string(), number("I")
        entries.append([key, kind, value(kind)])
    tensors = [
        Tensor(string(), [number("Q") for _ in range(number("I"))], number("I"), number("Q")) for _ in range(n_tensors)
    ]
    return Gguf(entries, tensors, content[at + -at % 32 :])


def strings_of(raw: bytes) -> list[bytes]:
    """The texts of an array of strings."""
    (count,) = struct.unpack_from("<Q", raw, 4)
    at, found = 12, []
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", raw, at)
        found.append(raw[at + 8 : at + 8 + length])
        at += 8 + length
    return found


# ---------------------------------------------------------------- mutations


Mutation = Callable[[random.Random, Gguf], None]


def _header(rng: random.Random, file: Gguf) -> None:
    match rng.randrange(4):
        case 0:
            file.version = rng.choice([0, 1, 2, 4, 0x03000000, 2**32 - 1])
        case 1:
            file.n_tensors = rng.choice([0, 1, len(file.tensors) - 1, len(file.tensors) + 1, *HUGE])
        case 2:
            file.n_entries = rng.choice([0, 1, len(file.entries) - 1, len(file.entries) + 1, *HUGE])
        case _:
            file.magic = rng.choice([b"gguf", b"FUGG", b"\0\0\0\0", b"GGUE"])


def _key(rng: random.Random, file: Gguf) -> None:
    entry = rng.choice(file.entries)
    match rng.randrange(5):
        case 0:
            file.entries.append([entry[0], entry[1], entry[2]])
        case 1:
            entry[0] = rng.choice([b"", b"\xff\xfe", b"a" * 70_000, b"a\0b", b"general.architecture"])
        case 2:
            file.entries.remove(entry)
        case 3:
            rng.shuffle(file.entries)
        case _:
            other = rng.choice(file.entries)
            entry[0], other[0] = other[0], entry[0]


def _type(rng: random.Random, file: Gguf) -> None:
    rng.choice(file.entries)[1] = rng.choice([*range(14), 255, 2**32 - 1])


def _scalar(rng: random.Random, kind: int) -> bytes:
    if kind in (6, 12):
        return struct.pack("<" + FIXED[kind], rng.choice(FLOATS))
    if kind == 7:
        return bytes([rng.choice([0, 1, 2, 255])])
    size = struct.calcsize("<" + FIXED[kind])
    number: int = rng.choice(
        [0, 1, 2, 3, 5, 7, 63, 255, 511, 513, 1024, 1025, 65_535, *HUGE, rng.getrandbits(8 * size)]
    )
    return bytes((number % 2 ** (8 * size)).to_bytes(size, "little"))


def _some_text(rng: random.Random) -> bytes:
    return rng.choice(
        [
            b"",
            b"\xff\xfe\x80",
            b"\0",
            b"a\0b",
            "é\u202e\ue000".encode(),
            b"\n" * 50,
            b"{" * 2000,
            b"x" * 100_000,
            b"llama",
            b"gpt2",
            b"bert",
            b"none",
            b"\xf4\x90\x80\x80",
            rng.randbytes(rng.randrange(1, 40)),
        ]
    )


def _value(rng: random.Random, file: Gguf) -> None:
    entry = rng.choice([entry for entry in file.entries if entry[1] != ARRAY])
    kind = int(entry[1])  # type: ignore[call-overload]
    if kind == STRING:
        raw = text(_some_text(rng))
        entry[2] = raw if rng.random() < 0.8 else word(rng.choice(HUGE)) + raw[8:]
    elif kind in FIXED:
        if rng.random() < 0.3:
            kind = rng.choice(list(FIXED))
            entry[1] = kind
        entry[2] = _scalar(rng, kind)


def _array(rng: random.Random, file: Gguf) -> None:
    arrays = [entry for entry in file.entries if entry[1] == ARRAY]
    if not arrays:
        return
    entry = rng.choice(arrays)
    raw = bytes(entry[2])  # type: ignore[call-overload]
    kind, count = struct.unpack_from("<IQ", raw)
    match rng.randrange(6):
        case 0:
            entry[2] = struct.pack("<IQ", rng.choice([*range(14), 99]), count) + raw[12:]
        case 1:
            entry[2] = struct.pack("<I", kind) + word(rng.choice([0, 1, count - 1, count + 1, *HUGE])) + raw[12:]
        case 2:
            entry[2] = array(ARRAY, [array(ARRAY, [])] * 3)
        case 3:
            depth = rng.choice([2, 50, 5000])
            entry[2] = struct.pack("<IQ", ARRAY, 1) * depth + struct.pack("<IQ", 4, 0)
        case 4:
            entry[2] = array(kind, [])
        case _ if kind in FIXED:
            there = min(count, len(raw))  # an earlier mutation may have put any number there
            items = [_scalar(rng, kind) for _ in range(rng.choice([1, there // 2, there, there + 7]))]
            entry[2] = array(kind, items)
        case _:
            items = [text(_some_text(rng)) for _ in range(min(50, rng.choice([1, count // 2, count])))]
            entry[2] = array(STRING, items)


def _tensor(rng: random.Random, file: Gguf) -> None:
    if not file.tensors:
        return
    tensor, other = rng.choice(file.tensors), rng.choice(file.tensors)
    match rng.randrange(12):
        case 0:
            tensor.shape[rng.randrange(len(tensor.shape))] = rng.choice([0, 1, 31, 33, *HUGE])
        case 1:
            tensor.shape.reverse()
        case 2:
            tensor.shape.append(rng.choice([1, 1, 2, 0]))
        case 3:
            tensor.shape = tensor.shape[:-1]
        case 4:
            tensor.shape = [1] * rng.choice([0, 3, 5, 200])
        case 5:
            tensor.type = rng.choice([*range(42), 99, 2**32 - 1])
        case 6:
            tensor.offset = rng.choice([0, 1, tensor.offset + 1, tensor.offset + 32, other.offset, *HUGE])
        case 7:
            tensor.name = rng.choice([b"", b"\xff", b"x" * 64, b"x" * 70_000, other.name, b"blk.9999.attn_q.weight"])
        case 8:
            file.tensors.remove(tensor)
        case 9:
            tensor.name, other.name = other.name, tensor.name
        case 10:
            rng.shuffle(file.tensors)
        case _:
            tensor.shape, other.shape = other.shape, tensor.shape


def _alignment(rng: random.Random, file: Gguf) -> None:
    kind = rng.choice([4, 4, 4, 7, 8, 10, 11])
    raw = text(b"32") if kind == STRING else _scalar(rng, kind)
    file.put("general.alignment", kind, rng.choice([raw, struct.pack("<I", rng.choice([0, 1, 3, 64, 2**31]))]))


def _weights(rng: random.Random, file: Gguf) -> None:
    size = len(file.data)
    match rng.randrange(4):
        case 0:
            file.data = b"\xff" * size  # NaN everywhere
        case 1:
            file.data = bytes(size)
        case 2:
            file.data = rng.randbytes(size)
        case _:
            data = bytearray(file.data)
            for _ in range(8):
                if size >= 4:
                    at = rng.randrange(size // 4) * 4
                    data[at : at + 4] = struct.pack("<f", rng.choice(FLOATS))
            file.data = bytes(data)


ANY_FILE: tuple[Mutation, ...] = (_header, _key, _type, _value, _value, _array, _tensor, _tensor, _alignment, _weights)


def spoilt_bytes(rng: random.Random, content: bytes) -> bytes:
    """Mutations of the file as mere bytes: cut, longer, bytes changed, stretches doubled or taken out."""
    size = len(content)
    match rng.randrange(6):
        case 0:
            return content[: rng.randrange(size)]
        case 1:
            return content + rng.randbytes(rng.randrange(1, 100))
        case 2:
            begin = rng.randrange(size)
            return content[:begin] + content[begin + rng.randrange(1, 64) :]
        case 3:
            begin = rng.randrange(size)
            return content[:begin] + content[begin : begin + 64] + content[begin:]
        case _:
            changed = bytearray(content)
            for _ in range(rng.randrange(1, 9)):
                # Most of what can go wrong stands in front.
                changed[min(int(rng.random() ** 3 * size), size - 1)] = rng.choice([0, 1, 255, rng.randrange(256)])
            return bytes(changed)


def mutated(rng: random.Random, sound: bytes, mutations: tuple[Mutation, ...] = ANY_FILE) -> bytes:
    """``sound`` with one to three things wrong with it."""
    if rng.random() < 0.2:
        return spoilt_bytes(rng, sound)
    file = taken_apart(sound)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        # The second may find nothing left of what it wanted to spoil.
        with suppress(ValueError, LookupError, StopIteration, struct.error):
            rng.choice(mutations)(rng, file)
    return file.content()


def written(path: Path, content: bytes) -> Path:
    """``content`` as the file ``path``."""
    path.write_bytes(content)
    return path
