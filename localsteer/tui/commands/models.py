"""Commands on the model: choose another one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from localsteer.errors import ModelError
from localsteer.library.settings import Settings
from localsteer.tui.engine_link import EngineLink
from localsteer.tui.opening import Opening
from localsteer.tui.switching import Switching

if TYPE_CHECKING:
    from localsteer.tui.model_shelf import Offer


class ModelCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    opening: Opening
    settings: Settings
    link: EngineLink
    switching: Switching

    def find_models(self) -> tuple[Offer, ...]:
        """The models on this disk; not for the thread that paints."""
        from localsteer.tui.model_shelf import offers_on_disk

        return offers_on_disk(self.opening.places, self.settings.model_folders, self.settings.n_ctx)

    def action_models(self) -> None:
        from localsteer.tui.dialogs.models import Models

        present = Path(self.link.model_path) if self.link.card is not None else None
        self.app.push_screen(Models(self.find_models, present), self.take_model)

    def take_model(self, path: Path | None) -> None:
        """Load this file instead; None: everything stays."""
        if path is not None:
            self.call_later(self.switching.to, path)

    async def take_model_named(self, name: str) -> None:
        """Load the model of this name, or say that there is none."""
        from localsteer.library.models import resolve_model

        try:
            path = await asyncio.to_thread(
                resolve_model, name, self.opening.places, more_folders=self.settings.model_folders
            )
        except ModelError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
        else:
            await self.switching.to(path)
