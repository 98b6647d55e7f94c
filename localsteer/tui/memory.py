"""What the app keeps from one day to the next: last model, theme, dials per model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from localsteer.errors import StorageError
from localsteer.library.files import changing
from localsteer.library.places import Places
from localsteer.library.remembered import Remembered, RememberedDial, read_remembered, write_remembered
from localsteer.tui.dial_shelf import recalled, to_remember
from localsteer.tui.rack import Rack

Known = TypeVar("Known")
_PATIENCE = 0.2
"""Seconds for another app that writes, while this one hears no keys."""


class Memory:
    """Reads once, writes on :meth:`write` where something changed."""

    def __init__(
        self,
        places: Places,
        *,
        remember_dials: bool = True,
        needles: bool | None = None,
        first_dial: bool = False,
    ) -> None:
        """``needles``: on or off to begin with, None for as they were left. ``first_dial``: the practice model has a
        dial on its panel when it is opened for the first time.
        """
        self._places = places
        self._first_dial = first_dial
        self.lent = False
        """Whether the rack that was given last is the one for the first time."""
        self._kept = read_remembered(places)
        self._news: dict[str, Callable[[Remembered], Remembered]] = {}
        self._remember_dials = remember_dials
        if needles is not None:
            self.keep_needles(needles)

    @property
    def last_model(self) -> str | None:
        """A path, or ``practice``."""
        return self._kept.last_model

    @property
    def theme(self) -> str | None:
        return self._kept.theme

    @property
    def needles(self) -> bool:
        """Whether they are on."""
        return self._kept.needles

    def needles_cost(self, model_id: str) -> float | None:
        """The part of this model's speed that they take, 0 to 1; None where that was never measured."""
        return self._kept.needles_cost.get(model_id)

    def rack(self, model_id: str) -> Rack:
        """The dials as they were left with this model."""
        from localsteer.library.first_dial import FIRST_DIAL, lend_first_dial

        dials = self._kept.dials.get(model_id) if self._remember_dials else ()
        self.lent = dials is None and self._first_dial and lend_first_dial(self._places, model_id) is not None
        if self.lent:
            dials = (RememberedDial(FIRST_DIAL),)
        return recalled(dials or (), self._places, model_id)

    def keep_rack(self, model_id: str, rack: Rack) -> None:
        if not self._remember_dials:
            return
        dials = to_remember(rack)
        self._keep(f"dials {model_id}", lambda kept: replace(kept, dials=_last(kept.dials, model_id, dials)))

    def keep_model(self, model: str) -> None:
        self._keep("model", lambda kept: replace(kept, last_model=model))

    def keep_theme(self, theme: str) -> None:
        self._keep("theme", lambda kept: replace(kept, theme=theme))

    def keep_needles(self, on: bool) -> None:
        self._keep("needles", lambda kept: replace(kept, needles=on))

    def keep_needles_cost(self, model_id: str, cost: float) -> None:
        part = round(cost, 3)
        self._keep(
            f"cost {model_id}", lambda kept: replace(kept, needles_cost=_last(kept.needles_cost, model_id, part))
        )

    def write(self) -> None:
        """To the disk, where there is news: this, and nothing of what another app has kept there since. A full disk
        costs nobody's attention; it is tried again.
        """
        if not self._news:
            return
        with contextlib.suppress(StorageError), changing(self._places.remembered, _PATIENCE):
            latest = read_remembered(self._places)
            if latest == Remembered():
                # The file is gone, or cannot be read.
                latest = self._kept
            for change in self._news.values():
                latest = change(latest)
            write_remembered(self._places, latest)
            self._news.clear()
            # What is on here stays so.
            self._kept = replace(latest, needles=self._kept.needles)

    def _keep(self, what: str, change: Callable[[Remembered], Remembered]) -> None:
        kept = change(self._kept)
        if kept != self._kept:
            self._kept = kept
            self._news[what] = change


def _last(known: Mapping[str, Known], name: str, value: Known) -> dict[str, Known]:
    """``known`` with this value, as the newest."""
    return {**{other: one for other, one in known.items() if other != name}, name: value}
