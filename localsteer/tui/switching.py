"""Another model in place of the present one while the conversation stays; and back, where it does not load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from localsteer.engine.protocol import Died, Event, Failed
from localsteer.errors import EngineError
from localsteer.tui.greeting import waiting_name
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.tui.chat_screen import ChatScreen


class Switching:
    """For a :class:`ChatScreen`."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen

    async def to(self, path: Path) -> None:
        """Stop what runs and load the model of this file; a message that waited goes back into the input."""
        screen, link = self._screen, self._screen.link
        if link.card is not None and Path(link.card.path) == path:
            screen.say(f"{waiting_name(str(path))} is the model that is loaded.")
            return
        screen.asides.forget()
        screen.comparing.turn_away()
        try:
            forgotten = link.switch(str(path))
        except EngineError as error:
            await screen.query_one(Transcript).add_note(str(error), "error")
            return
        await screen.forget(forgotten)
        await screen.dialling.model_leaves()
        self._show()

    async def hear(self, event: Event) -> bool:
        """Whether the event says that the new model does not load and the old one is loaded again instead."""
        screen, link = self._screen, self._screen.link
        match event:
            case Failed(request=request, message=message) if request == link.load_request:
                reason = message
            case Died(reason=reason) if not link.client.alive:
                pass
            case _:
                return False
        wanted = waiting_name(link.model_path)
        try:
            before = link.go_back()
        except EngineError as error:
            await screen.query_one(Transcript).add_note(str(error), "error")
            return False
        if before is None:
            return False
        await screen.query_one(Transcript).add_note(
            f"{wanted} could not be loaded: {reason} {waiting_name(before)} is loaded again.", "error"
        )
        self._show()
        return True

    def _show(self) -> None:
        header = self._screen.query_one(HeaderLine)
        header.model, header.fraction = waiting_name(self._screen.link.model_path), 0.0
        header.speed = 0.0
