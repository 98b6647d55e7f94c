"""A local Llama with dials: steering vectors for GGUF models.

The library's names are offered lazily, so that ``import localsteer`` costs nothing until one of them is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localsteer.engine.engine import Engine as Engine
    from localsteer.errors import LocalsteerError as LocalsteerError
    from localsteer.messages import Message as Message
    from localsteer.steering.contrast import ContrastPair as ContrastPair
    from localsteer.steering.contrast import ContrastSet as ContrastSet
    from localsteer.steering.vector import SteeringVector as SteeringVector

__version__ = "0.1.0"

_HOMES = {
    "ContrastPair": "localsteer.steering.contrast",
    "ContrastSet": "localsteer.steering.contrast",
    "Engine": "localsteer.engine.engine",
    "LocalsteerError": "localsteer.errors",
    "Message": "localsteer.messages",
    "SteeringVector": "localsteer.steering.vector",
}

__all__ = ["ContrastPair", "ContrastSet", "Engine", "LocalsteerError", "Message", "SteeringVector", "__version__"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'localsteer' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
