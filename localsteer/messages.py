"""A chat message, the one word that all rooms share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message. A list that ends with an assistant message ends with the *beginning* of a reply."""

    role: Role
    content: str
