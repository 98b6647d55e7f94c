"""Property tests run on busy machines too: no deadline for a single example."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steering", deadline=None)
settings.load_profile("steering")
