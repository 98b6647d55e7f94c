"""What the engine will run on, for ``localsteer doctor``."""

from __future__ import annotations

from localsteer.llama.build import Build, inspect_build

__all__ = ["Build", "inspect_build"]
