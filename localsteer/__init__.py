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
    from localsteer.notebook import ChatModel as ChatModel
    from localsteer.notebook import load as load
    from localsteer.notebook_results import Measurement as Measurement
    from localsteer.notebook_results import Reply as Reply
    from localsteer.steering.contrast import ContrastPair as ContrastPair
    from localsteer.steering.contrast import ContrastSet as ContrastSet
    from localsteer.steering.vector import SteeringVector as SteeringVector

__version__ = "0.1.0"

_HOMES = {
    "ChatModel": "localsteer.notebook",
    "ContrastPair": "localsteer.steering.contrast",
    "ContrastSet": "localsteer.steering.contrast",
    "Engine": "localsteer.engine.engine",
    "LocalsteerError": "localsteer.errors",
    "Measurement": "localsteer.notebook_results",
    "Message": "localsteer.messages",
    "Reply": "localsteer.notebook_results",
    "SteeringVector": "localsteer.steering.vector",
    "load": "localsteer.notebook",
}

__all__ = [
    "ChatModel",
    "ContrastPair",
    "ContrastSet",
    "Engine",
    "LocalsteerError",
    "Measurement",
    "Message",
    "Reply",
    "SteeringVector",
    "__version__",
    "load",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'localsteer' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
