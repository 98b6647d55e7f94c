"""The card of a vector, in characters for a person and as JSON."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from localsteer.cli.output import bar, clear_progress, note, plain, show_progress, table
from localsteer.cli.session import Home, identify
from localsteer.errors import LocalsteerError, ModelError
from localsteer.library.models import PRACTICE
from localsteer.library.portraits import read_tokens
from localsteer.library.vector_cards import VectorCard
from localsteer.plots.curve import Curve, spoken_window
from localsteer.plots.portrait import Portrait, TokenFigures
from localsteer.plots.terminal import (
    NEGATIVE_MARK,
    POSITIVE_MARK,
    Draw,
    draw_cost,
    draw_effect,
    draw_norms,
    draw_scatter,
    draw_separation,
    picture,
)

_WIDEST = 100
_LOW, _HIGH = 9, 16
_GAP = "    "


def find_tokens(card: VectorCard, model_id: str, home: Home, wanted: str | None) -> TokenFigures | None:
    """What the vector promotes in the model ``wanted``, else in the model it was made for, where that is the one used
    last or the practice model. None where it is neither, or its weights cannot be read, which is said on stderr.
    """
    model = _model_of(model_id, home) if wanted is None else home.model_path(wanted)
    if model is None:
        note("Which tokens it promotes is read off its model: name that with --model.")
        return None
    try:
        return read_tokens(card, model, progress=_tell)
    except ModelError as error:
        note(f"Which tokens it promotes is not known. {error}")
        return None
    finally:
        clear_progress()


def _model_of(model_id: str, home: Home) -> Path | None:
    for name in (None, PRACTICE):
        try:
            path = home.model_path(name)
            if model_id and identify(path) == model_id:
                return path
        except LocalsteerError:
            continue
    return None


def _tell(done: int, total: int) -> None:
    show_progress(f"reading the output matrix {bar(done / max(1, total))}")


def as_text(card: Portrait) -> str:
    """All figures and pictures, as wide as the terminal allows; what is not known is left out, or said to be unknown
    where a person might look for it.
    """
    width = min(shutil.get_terminal_size().columns, _WIDEST) - 1
    return "\n\n".join(_parts(card, width))


def as_document(card: Portrait) -> dict[str, object]:
    """The keys that the figures add to those of the vector's file."""
    return {
        "main_layer": card.main_layer,
        "layers": [
            {
                "layer": layer.layer,
                "norm": layer.norm,
                "residual_norm": None if not layer.norm_share else layer.norm / layer.norm_share,
                "norm_share": layer.norm_share,
                "auc": layer.auc,
            }
            for layer in card.layers
        ],
        "cosines": card.cosines,
        "others": [asdict(other) for other in card.others],
        "scatter": card.scatter and asdict(card.scatter),
        "curve": card.curve and asdict(card.curve),
        "tokens": card.tokens and asdict(card.tokens),
    }


def _parts(card: Portrait, width: int) -> Iterator[str]:
    half = (width - len(_GAP)) // 2
    yield _layers(card)
    if len(card.layers) > 1:
        blocks = [_block("norm by layer", lambda plt, inks: draw_norms(plt, inks, card), half, _LOW)]
        if any(layer.auc is not None for layer in card.layers):
            blocks.insert(0, _block("AUC by layer", lambda plt, inks: draw_separation(plt, inks, card), half, _LOW))
        yield _beside(blocks)
    if card.scatter is None:
        yield "Where its prompts lie is not known: the file does not say."
    else:
        negative, positive = map(plain, card.poles)
        title = f"prompts at layer {card.scatter.layer}: {NEGATIVE_MARK} {negative}   {POSITIVE_MARK} {positive}"
        yield "\n".join(_block(title, lambda plt, inks: draw_scatter(plt, inks, card), width, _HIGH))
    if card.curve is None:
        yield f"Effect and cost are not measured; `localsteer sweep {plain(card.name)}` measures them."
    else:
        yield from _curve(card.curve, width)
    if card.tokens is not None:
        yield _tokens(card.tokens)
    if card.others:
        rows = [(other.name, _cosine(other.cosine), _cosine_bar(other.cosine)) for other in card.others]
        yield table(rows, (f"cosine with others, layer {card.main_layer}", "", ""))


def _layers(card: Portrait) -> str:
    place = [layer.layer for layer in card.layers].index(card.main_layer)
    rows = [
        (
            f"{'*' if layer.layer in card.default_layers else ' '}{layer.layer}",
            "–" if layer.auc is None else f"{layer.auc:.3f}",
            f"{layer.norm:.3g}",
            "–" if layer.norm_share is None else f"{layer.norm_share:.1%}",
            _cosine(cosines[place]),
        )
        for layer, cosines in zip(card.layers, card.cosines, strict=True)
    ]
    return table(rows, (" layer", "AUC", "norm", "of residual norm", f"cosine with layer {card.main_layer}"))


def _curve(curve: Curve, width: int) -> Iterator[str]:
    title = "effect by layer" if curve.by_layer else f"effect of {'; '.join(map(spoken_window, curve.windows))}"
    lines = _block(f"{title}, nats per token", lambda plt, inks: draw_effect(plt, inks, curve), width, _HIGH)
    half = (width - len(_GAP)) // 2
    costs = [
        _block("perplexity, times", lambda plt, inks: draw_cost(plt, inks, curve, "perplexity_ratio"), half, _LOW),
        _block("KL, nats per token", lambda plt, inks: draw_cost(plt, inks, curve, "kl"), half, _LOW),
    ]
    yield "\n".join(lines)
    yield _beside(costs)


def _tokens(tokens: TokenFigures) -> str:
    rows = [
        (more.text, f"{more.score:+.2f}", less.text, f"{less.score:+.2f}")
        for more, less in zip(tokens.promoted, tokens.suppressed, strict=False)
    ]
    return table(rows, (f"promoted at layer {tokens.layer}", "", "suppressed", ""))


def _cosine(value: float) -> str:
    # Not -0.00.
    return f"{round(value, 2) + 0.0:+.2f}"


def _cosine_bar(cosine: float, half: int = 12) -> str:
    filled = "█" * round(min(1.0, abs(cosine)) * half)
    return f"{filled if cosine < 0 else '':>{half}}│{filled if cosine >= 0 else ''}"


def _block(title: str, draw: Draw, width: int, height: int) -> list[str]:
    """A picture with its title, as lines that are all ``width`` characters wide."""
    return [title[:width].ljust(width), *picture(draw, width, height).split("\n")]


def _beside(blocks: Sequence[list[str]]) -> str:
    return "\n".join(_GAP.join(lines) for lines in zip(*blocks, strict=True))
