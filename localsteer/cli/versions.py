"""Versions of what computes figures; with other ones they may come out otherwise."""

from __future__ import annotations

from importlib.metadata import version

from localsteer import __version__


def versions() -> dict[str, str]:
    """Of localsteer, and of the libraries that it computes with."""
    return {"localsteer": __version__, **{name: version(name) for name in ("llama-cpp-python", "numpy")}}
