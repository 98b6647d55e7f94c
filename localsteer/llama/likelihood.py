"""How likely the unsteered model finds texts that were written otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from localsteer.llama.many_sequences import ManySequences, most_sequences
from localsteer.llama.model import Model
from localsteer.llama.token_trie import TokenTrie, build_tries

_MOST_NODES = 512
"""Per context: attention looks at all of its cache, so a larger one is slower for each token."""
_OUTPUTS = 16

Progress = Callable[[int, int], None]


def mean_log_likelihood(
    model: Model,
    prompts: Sequence[Sequence[int]],
    continuations: Sequence[Sequence[int]],
    *,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> npt.NDArray[np.float64]:
    """float64[n]: the mean of log p(token) over each continuation after its prompt, unsteered, in nats.

    See :func:`log_likelihoods`.
    """
    found = log_likelihoods(
        model, prompts, continuations, n_threads=n_threads, progress=progress, should_stop=should_stop
    )
    return np.array([each.mean() for each in found], dtype=np.float64)


def log_likelihoods(
    model: Model,
    prompts: Sequence[Sequence[int]],
    continuations: Sequence[Sequence[int]],
    *,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[npt.NDArray[np.float64]]:
    """For each continuation float64[its length]: log p of each of its tokens after its prompt, unsteered, in nats.

    Prompts and continuations must not be empty. ``progress`` gets tokens done and tokens in all. Raises Stopped if
    ``should_stop`` says so.
    """
    if not all(map(len, prompts)) or not all(map(len, continuations)):
        raise ValueError("prompts and continuations must not be empty")
    texts = [[*prompt, *continuation] for prompt, continuation in zip(prompts, continuations, strict=True)]
    most = most_sequences(model)
    tries = build_tries(texts, max_sequences=most, max_nodes=_MOST_NODES)
    if not tries:
        return []
    found = [np.zeros(len(continuation), dtype=np.float64) for continuation in continuations]
    total, done = sum(len(trie.tokens) for trie in tries), 0
    with ManySequences(
        model,
        n_sequences=max(_OUTPUTS if most > 1 else 1, *(trie.n_sequences for trie in tries)),
        n_ctx=max(len(trie.tokens) for trie in tries),
        n_threads=n_threads,
        should_stop=should_stop,
    ) as context:
        for trie in tries:
            context.clear()
            asked = _asked(trie, texts, prompts)
            outputs = np.zeros(len(trie.tokens), dtype=np.bool_)
            outputs[list(asked)] = True
            for begin, end, nodes in context.evaluate(trie, outputs):
                for node, logits in zip(nodes, context.logits(len(nodes)) if len(nodes) else (), strict=True):
                    normaliser = _log_sum_exp(logits)
                    for text, position in asked[int(node)]:
                        found[text][position - len(prompts[text])] = float(logits[texts[text][position]]) - normaliser
                done += end - begin
                if progress is not None:
                    progress(done, total)
    return found


def _asked(
    trie: TokenTrie, texts: Sequence[Sequence[int]], prompts: Sequence[Sequence[int]]
) -> dict[int, list[tuple[int, int]]]:
    """For each node after which a token is asked about: the texts that ask, and the token's position in them."""
    asked: dict[int, list[tuple[int, int]]] = {}
    for text, path in zip(trie.texts, trie.paths, strict=True):
        for position in range(len(prompts[text]), len(texts[text])):
            asked.setdefault(int(path[position - 1]), []).append((text, position))
    return asked


def _log_sum_exp(logits: npt.NDArray[np.float32]) -> float:
    highest = float(logits.max())
    return highest + float(np.log(np.exp(logits - highest).sum(dtype=np.float64)))
