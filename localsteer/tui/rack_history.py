"""Undo and redo for the dials: racks as they were, plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace

from localsteer.tui.rack import Dial, Rack

REMEMBERED = 100
"""How many changes can be undone."""


@dataclass(frozen=True, slots=True)
class RackHistory:
    """``past``: the racks before each change, the latest last; ``future``: those that undoing has left, the next last.

    ``run``: what is being done step by step and counts as one change, empty for nothing.
    """

    past: tuple[Rack, ...] = ()
    future: tuple[Rack, ...] = ()
    run: str = ""

    def changed(self, before: Rack, after: Rack, run: str = "") -> RackHistory:
        """``before`` has become ``after``. A step of the same ``run`` as the last one is a part of that change.

        Picking another dial is no change, but ends a run.
        """
        if _same(before, after):
            return replace(self, run="")
        if run and run == self.run:
            return self
        return RackHistory((*self.past, before)[-REMEMBERED:], (), run)

    def undo(self, present: Rack) -> tuple[RackHistory, Rack] | None:
        """The rack before the last change, and what can be undone then; None where nothing can."""
        past = _that_differ(self.past, present)
        return (RackHistory(past[:-1], (*self.future, present)), past[-1]) if past else None

    def redo(self, present: Rack) -> tuple[RackHistory, Rack] | None:
        """The rack after the change that was undone last; None where none was."""
        future = _that_differ(self.future, present)
        return (RackHistory((*self.past, present), future[:-1]), future[-1]) if future else None

    def renewed(self, dial: Dial) -> RackHistory:
        """The same with the vector of ``dial``, made again, in every rack that has a dial of that name."""
        return replace(
            self,
            past=tuple(rack.renewed(dial) for rack in self.past),
            future=tuple(rack.renewed(dial) for rack in self.future),
        )


def _same(one: Rack, other: Rack) -> bool:
    return one.dials == other.dials and one.solo == other.solo


def _that_differ(racks: tuple[Rack, ...], present: Rack) -> tuple[Rack, ...]:
    """``racks`` up to the last that differs from ``present``: a run may end where it began."""
    while racks and _same(racks[-1], present):
        racks = racks[:-1]
    return racks
