"""How well a direction tells the poles apart at each layer, and which layers are steered by default."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

HELD_OUT_EVERY = 5
AUC_TOLERANCE = 0.02
"""Windows whose mean AUC is this close to the best are equally good: with a few dozen pairs the rest is noise."""


def auc(positive: npt.NDArray[np.floating], negative: npt.NDArray[np.floating]) -> float:
    """The chance that a positive score exceeds a negative one, ties counting half (Mann and Whitney's U, scaled).

    ``positive``: float[n], ``negative``: float[m], both at least 1 long. 0.5 is chance, 1.0 perfect.
    """
    if positive.size == 0 or negative.size == 0:
        raise ValueError("no scores to compare")
    ordered = np.sort(negative.astype(np.float64))
    scores = positive.astype(np.float64)
    below = np.searchsorted(ordered, scores, side="left")
    not_above = np.searchsorted(ordered, scores, side="right")
    return float((below + not_above).mean() / (2 * negative.size))


def held_out(n_pairs: int) -> npt.NDArray[np.bool_]:
    """bool[n_pairs]: every fifth pair, to try a direction on that the others made. All False below five pairs."""
    mask: npt.NDArray[np.bool_] = np.arange(n_pairs) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return mask


def candidate_windows(layers: tuple[int, ...], n_layer: int) -> list[tuple[int, ...]]:
    """The windows that a dial may steer by default: neighbours among ``layers``, an eighth of the model wide, between a
    quarter and three quarters of the depth (earlier layers still read the words, later ones already choose them).
    Without such a window: the one layer nearest to the middle. Raises ValueError for no layers.
    """
    if not layers:
        raise ValueError("no layers to choose from")
    width = max(1, round(n_layer / 8))
    first, last = max(1, n_layer // 4), min(n_layer - 1, 3 * n_layer // 4)
    windows = [tuple(range(start, start + width)) for start in range(first, last - width + 2)]
    windows = [window for window in windows if all(layer in layers for layer in window)]
    return windows or [min(((layer,) for layer in layers), key=lambda window: (_distance(window, n_layer), window))]


def choose_layers(auc_by_layer: Mapping[int, float], n_layer: int) -> tuple[int, ...]:
    """The layers to steer by default: one window of neighbours, an eighth of the model wide, near the middle.

    ``auc_by_layer`` holds the layers that have a direction. Of the :func:`candidate_windows`, of those that tell the
    poles apart about as well as the best, the one nearest to the middle. Raises ValueError for no layers.
    """
    windows = candidate_windows(tuple(auc_by_layer), n_layer)
    quality = {window: float(np.mean([auc_by_layer[layer] for layer in window])) for window in windows}
    best = max(quality.values())
    good = [window for window in windows if quality[window] >= best - AUC_TOLERANCE]
    return min(good, key=lambda window: (_distance(window, n_layer), window))


def _distance(window: tuple[int, ...], n_layer: int) -> float:
    """How far the window's centre lies from the middle of the model."""
    return abs((window[0] + window[-1]) / 2 - (n_layer - 1) / 2)
