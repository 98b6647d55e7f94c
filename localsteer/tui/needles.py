"""The needles, on or off: what is watched, where they point, and what they cost."""

from __future__ import annotations

from collections.abc import Callable

from localsteer.engine.protocol import DialSetting, Event, MeasureNeedles, NeedlesMeasured, NeedlesMoved
from localsteer.tui.asides import Asides
from localsteer.tui.dialling import Dialling
from localsteer.tui.engine_link import EngineLink
from localsteer.tui.memory import Memory
from localsteer.tui.widgets.dials_panel import DialsPanel


class NeedleSwitch:
    """Off until the person switches it on; remembered, and so is what they cost with each model."""

    def __init__(
        self,
        link: EngineLink,
        panel: DialsPanel,
        dialling: Dialling,
        asides: Asides,
        memory: Memory,
        *,
        say: Callable[[str, bool], None],
    ) -> None:
        self._link = link
        self._panel = panel
        self._dialling = dialling
        self._asides = asides
        self._memory = memory
        self._say = say
        self._measured: set[str] = set()

    @property
    def watched(self) -> tuple[DialSetting, ...]:
        """The dials that a reply is to be watched along: all of them, or none."""
        return self._dialling.rack.watched() if self._memory.needles else ()

    def toggle(self) -> None:
        """On, with what that costs; or off."""
        if self._link.card is not None and not self._link.card.steerable:
            self._say("This model cannot be steered, so there is no dial with a needle.", False)
            return
        on = not self._memory.needles
        self._memory.keep_needles(on)
        if on:
            self._say(
                f"From the next reply on each dial shows how far the text itself leans. {self._cost_words()}", False
            )
        else:
            self._panel.point({})
        self.show()

    def show(self) -> None:
        """On the panel, from what is true now; and have the cost measured once for this model."""
        card = self._link.card
        if card is None or not card.steerable:
            return
        cost = self._memory.needles_cost(card.model_id)
        self._panel.show_needles(self._memory.needles, cost)
        if self._memory.needles and cost is None and card.model_id not in self._measured:
            self._measured.add(card.model_id)
            self._asides.ask(
                lambda request, _: MeasureNeedles(request), lambda event: self._learn(card.model_id, event)
            )

    def hear(self, events: list[Event]) -> None:
        """Where the needles point."""
        for event in events:
            if isinstance(event, NeedlesMoved) and self._memory.needles:
                self._panel.point(dict(event.readings))

    def _learn(self, model_id: str, event: Event) -> None:
        if isinstance(event, NeedlesMeasured) and event.unwatched > 0:
            self._memory.keep_needles_cost(model_id, max(0.0, 1 - event.watched / event.unwatched))
            self.show()

    def _cost_words(self) -> str:
        card = self._link.card
        cost = None if card is None else self._memory.needles_cost(card.model_id)
        if cost is None:
            return "Listening in makes replies somewhat slower; how much is measured in a quiet moment."
        return f"That takes {cost:.0%} of the tokens per second with this model on this machine."
