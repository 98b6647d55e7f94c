"""Many texts as one tree of tokens: what they have in common stands in it once.

A text that begins another one needs no branch of its own, and a branch is a sequence of llama.cpp's cache. A context
holds few sequences, so large sets of texts are cut into chunks, neighbours in the alphabet together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class TokenTrie:
    """Nodes in the order of their depth, so that parents stand before children.

    ``tokens``, ``depths``: int32[n_nodes]. ``sequences[node]``: the sequences that pass through it. ``texts``: which
    texts are in this tree; ``paths[i]``: the node of every token of ``texts[i]``; ``leaves[i]``: a sequence that
    holds all of it.
    """

    tokens: npt.NDArray[np.int32]
    depths: npt.NDArray[np.int32]
    sequences: tuple[npt.NDArray[np.int32], ...]
    texts: tuple[int, ...]
    paths: tuple[npt.NDArray[np.int64], ...]
    leaves: tuple[int, ...]

    @property
    def n_sequences(self) -> int:
        return max(self.leaves) + 1


def build_tries(
    texts: Sequence[Sequence[int]], *, max_sequences: int, max_nodes: int, share: bool = True
) -> list[TokenTrie]:
    """Trees that hold all ``texts``, none of them empty.

    Each has at most ``max_sequences`` sequences and ``max_nodes`` nodes (more only for a single longer text).
    ``share`` False gives every text a sequence of its own, for texts that go on in different ways.
    """
    return [_build(texts, chunk, share) for chunk in _chunks(texts, max_sequences, max_nodes, share)]


def _chunks(texts: Sequence[Sequence[int]], max_sequences: int, max_nodes: int, share: bool) -> Iterator[list[int]]:
    chunk: list[int] = []
    last: Sequence[int] = ()
    n_sequences = n_nodes = 0
    for text in sorted(range(len(texts)), key=lambda index: tuple(texts[index])):
        tokens = texts[text]
        common = common_length(last, tokens)
        new_sequence = not (share and chunk and common == len(last))
        full = n_sequences + new_sequence > max_sequences or n_nodes + len(tokens) - common > max_nodes
        if chunk and full:
            yield chunk
            chunk, n_sequences, n_nodes, common, new_sequence = [], 0, 0, 0, True
        chunk.append(text)
        n_sequences += new_sequence
        n_nodes += len(tokens) - common
        last = tokens
    if chunk:
        yield chunk


def _build(texts: Sequence[Sequence[int]], chunk: list[int], share: bool) -> TokenTrie:
    tokens: list[int] = []
    depths: list[int] = []
    paths: list[list[int]] = []
    leaves: list[int] = []
    for text in chunk:
        previous = paths[-1] if paths else []
        common = common_length([tokens[node] for node in previous], texts[text])
        added = texts[text][common:]
        paths.append(previous[:common] + list(range(len(tokens), len(tokens) + len(added))))
        tokens.extend(added)
        depths.extend(range(common, len(texts[text])))
        if not leaves:
            leaves.append(0)
        else:
            leaves.append(leaves[-1] if share and common == len(previous) else leaves[-1] + 1)
    passing: list[list[int]] = [[] for _ in tokens]
    for number, (path, leaf) in enumerate(zip(paths, leaves, strict=True)):
        if number + 1 == len(leaves) or leaves[number + 1] != leaf:
            for node in path:
                passing[node].append(leaf)
    order = np.argsort(np.array(depths), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return TokenTrie(
        tokens=np.array(tokens, dtype=np.int32)[order],
        depths=np.array(depths, dtype=np.int32)[order],
        sequences=tuple(np.array(passing[node], dtype=np.int32) for node in order),
        texts=tuple(chunk),
        paths=tuple(place[np.array(path, dtype=np.int64)] for path in paths),
        leaves=tuple(leaves),
    )


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    length = min(len(one), len(other))
    return next((at for at in range(length) if one[at] != other[at]), length)
