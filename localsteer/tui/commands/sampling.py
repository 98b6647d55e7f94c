"""Commands on how words are drawn."""

from __future__ import annotations

from textual.screen import Screen

from localsteer.engine.protocol import Sampling
from localsteer.tui.conversing import Conversing
from localsteer.tui.opening import Opening
from localsteer.tui.talk import Talk


class SamplingCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    opening: Opening
    talk: Talk
    conversing: Conversing

    def action_sampling(self) -> None:
        from localsteer.tui.dialogs.sampling import SamplingPanel

        self.app.push_screen(SamplingPanel(self.conversing.sampling, self.last_seed(), self._draw_so, self._keep))

    def last_seed(self) -> int | None:
        """What the last reply was drawn with; None where there is none."""
        seeds = (message.reply.seed for message in reversed(self.talk.messages) if message.reply is not None)
        return next(seeds, None)

    def _draw_so(self, sampling: Sampling) -> None:
        self.conversing.sampling = sampling

    def _keep(self, sampling: Sampling) -> str:
        from localsteer.tui.sampling_values import keep_as_defaults

        keep_as_defaults(self.opening.places, sampling)
        return f"From now on localsteer begins with these; they stand in {self.opening.places.settings}."
