"""What is said of a model when it is there."""

from __future__ import annotations

from pathlib import Path

from localsteer.engine.protocol import ModelCard
from localsteer.library.places import practice_model
from localsteer.tui.keymap import Keymap

PRACTICE_NAME = "practice model"


def is_practice(path: str) -> bool:
    """Whether this file is the model in the box."""
    return Path(path) == practice_model()


def shown_name(card: ModelCard) -> str:
    """The model's name and its quantisation, as the header shows them."""
    if is_practice(card.path):
        return PRACTICE_NAME
    name = card.name or Path(card.path).stem
    quantisation = card.quantisation
    return name if not quantisation or quantisation.lower() in name.lower() else f"{name} {quantisation}"


def waiting_name(path: str) -> str:
    """A model's name while nothing but its file is known."""
    return PRACTICE_NAME if is_practice(path) else Path(path).stem


def greeting(card: ModelCard, keymap: Keymap, *, earlier: bool = False) -> str:
    """A few plain sentences: what this model is, and how to begin; ``earlier``: there are conversations of before."""
    words = _greeting(card, keymap)
    return f"{words} {keymap.hint('conversations', 'shows what was said before')}".rstrip() if earlier else words


def _greeting(card: ModelCard, keymap: Keymap) -> str:
    size = _parameters(card.n_params)
    add, up, down = (keymap.first(name) for name in ("add_dial", "turn_up", "turn_down"))
    adds = f"a dial with {add}" if add else "a dial by a click on + add"
    turns = f"turn it with {down} and {up}" if up and down else "turn it with the mouse"
    if is_practice(card.path):
        return (
            f"This is the practice model: a very small Llama ({size} parameters, {card.n_layer} layers) that comes "
            "with localsteer, made for turning dials and not for answering questions. It makes small talk about "
            f"everyday things: gardens, trains, cooking, old friends. Ask it about one of them, add {adds}, "
            f"and {turns} while it writes."
        )
    about = f"{shown_name(card)}: {size} parameters, {card.n_layer} layers, room for {card.n_ctx:,} tokens."
    return f"{about} Add {adds} and {turns}, also while a reply is being written." if card.steerable else about


def first_dial_words(name: str, negative: str, positive: str, up: str, down: str) -> str:
    """What to do with the dial that stands ready the first time; ``up`` and ``down`` are keys."""
    return (
        f"A first dial stands ready, {name}: {up} turns it to {positive}, {down} back and on to {negative}. "
        "Turn it and say something, for instance: Tell me about gardens."
    )


def warnings(card: ModelCard) -> tuple[str, ...]:
    """What this model cannot do, one sentence or two for each thing."""
    found = []
    if not card.template:
        found.append(
            "This model has no chat template, so a plain User/Assistant form is used. Base models continue a text "
            "rather than answer; replies may wander."
        )
    if not card.steerable:
        found.append(
            f"This model can chat but cannot be steered: llama.cpp applies no control vectors to its architecture "
            f"({card.architecture})."
        )
    return tuple(found)


def _parameters(count: int) -> str:
    for size, unit in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if count >= size:
            number = count / size
            return f"{number:.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"
    return str(count)
