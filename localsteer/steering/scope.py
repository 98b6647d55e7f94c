"""Which token positions a dial steers. Without NumPy, for those who only read of it."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from localsteer.errors import DialError

Scope: TypeAlias = Literal["reply", "everything", "prompt-start"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


def check_scope(scope: str) -> None:
    """Raise :class:`DialError` for an unknown scope."""
    if scope not in SCOPES:
        raise DialError(f'There is no scope "{scope}"; scopes are {", ".join(SCOPES)}.')
