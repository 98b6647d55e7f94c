"""Three dials on the panel of the real app, from one vector under three names: nothing is made."""

from __future__ import annotations

import shutil

from localsteer.tui.rack import Dial, Rack
from tests.tui.conftest import Running

NAMES = ("heat", "stream", "lake")


async def add_three(running: Running) -> None:
    """``heat``, ``stream`` and ``lake``; the last one is picked. Needs the fixture ``heat_at_hand``."""
    await running.loaded()
    card = running.screen.link.card
    assert card is not None
    folder = running.screen.dialling.places.vectors / card.model_id
    for name in NAMES[1:]:
        shutil.copy(folder / "heat.gguf", folder / f"{name}.gguf")
    for name in NAMES:
        await running.screen.dialling.add(name)
    await running.until(lambda: rack(running).names() == NAMES)


def rack(running: Running) -> Rack:
    return running.screen.dialling.rack


def dial(running: Running, name: str) -> Dial:
    return next(dial for dial in rack(running).dials if dial.name == name)
