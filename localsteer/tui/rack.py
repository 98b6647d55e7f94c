"""The dials that are in use: values and plain arithmetic, no widgets.

A :class:`Rack` never changes; every turn of a dial gives a new one. What the engine gets is :meth:`Rack.settings`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from localsteer.engine.protocol import DialSetting, Scope

_FULL_SCALES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_UNKNOWN_FULL = 2.0
COARSE = 0.1
"""One coarse step, as a part of half the bar."""

Zone: TypeAlias = Literal["safe", "careful", "broken"]


@dataclass(frozen=True, slots=True)
class Dial:
    """A vector in use, as the person sees it.

    ``low`` (below zero) and ``high`` are the recommended strengths, None where the vector's file names none. ``safe``
    and ``careful``: from where to where the model keeps its wits, and barely does, at the default layers. ``layers``
    are the vector's default layers, ``own_layers`` those that the person chose instead; ``held`` are all layers that
    it has a direction for, () where nobody knows. ``usual_scope`` is its scope unless the person chose another one;
    only those made for the front of a prompt have it there.
    """

    name: str
    vector_path: str
    negative_pole: str
    positive_pole: str
    low: float | None = None
    high: float | None = None
    safe: tuple[float, float] | None = None
    careful: tuple[float, float] | None = None
    layers: tuple[int, ...] = ()
    own_layers: tuple[int, ...] | None = None
    held: tuple[int, ...] = ()
    scope: Scope = "reply"
    usual_scope: Scope = "reply"
    strength: float = 0.0
    muted: bool = False

    @property
    def measured(self) -> bool:
        """Whether what was measured of its vector holds for it: not for layers or a scope that the person chose."""
        return self.own_layers is None and self.scope == self.usual_scope

    @property
    def full(self) -> float:
        """The end of the bar: a round number with room beyond what is recommended, and never less than the strength."""
        recommended = max(abs(self.low or 0.0), abs(self.high or 0.0))
        wanted = max(recommended * 1.25, abs(self.strength)) if recommended else max(_UNKNOWN_FULL, abs(self.strength))
        return next((scale for scale in _FULL_SCALES if scale >= wanted), math.ceil(wanted))

    @property
    def zone(self) -> Zone | None:
        """What its strength does to the model; None where nobody measured it."""
        if self.safe is None or self.careful is None or not self.measured:
            return None
        if self.safe[0] <= self.strength <= self.safe[1]:
            return "safe"
        return "careful" if self.careful[0] <= self.strength <= self.careful[1] else "broken"

    @property
    def step(self) -> float:
        """One coarse step."""
        return self.full * COARSE

    @property
    def stops(self) -> tuple[float, ...]:
        """Where a jump halts: the recommended strengths and zero; the ends of the bar where nothing is recommended."""
        return (-self.full if self.low is None else self.low, 0.0, self.full if self.high is None else self.high)

    def placed(self, layers: tuple[int, ...] | None, scope: Scope) -> Dial:
        """The same dial on these layers (None: its vector's own) and in this scope, as far as its vector has them."""
        own = tuple(sorted({layer for layer in layers or () if not self.held or layer in self.held}))
        possible = scope != "prompt-start" or scope == self.usual_scope
        return replace(
            self,
            own_layers=None if own in ((), self.layers) else own,
            scope=scope if possible else self.usual_scope,
        )


@dataclass(frozen=True, slots=True)
class Rack:
    """All dials, which one is picked, and which one (if any) plays solo."""

    dials: tuple[Dial, ...] = ()
    picked: int = 0
    solo: str | None = None

    @property
    def current(self) -> Dial | None:
        """The picked dial."""
        return self.dials[self.picked] if self.dials else None

    def names(self) -> tuple[str, ...]:
        return tuple(dial.name for dial in self.dials)

    def silenced(self, dial: Dial) -> bool:
        """Whether another dial's solo keeps ``dial`` quiet."""
        return self.solo is not None and self.solo != dial.name

    def effective(self, dial: Dial) -> float:
        """The strength that is in force: 0 while muted, or while another dial plays solo."""
        return 0.0 if dial.muted or self.silenced(dial) else dial.strength

    def settings(self) -> tuple[DialSetting, ...]:
        """What the engine needs: the dials that do something, in their order."""
        return tuple(
            DialSetting(dial.name, dial.vector_path, strength, dial.own_layers, dial.scope)
            for dial in self.dials
            if (strength := self.effective(dial)) != 0.0
        )

    def watched(self) -> tuple[DialSetting, ...]:
        """All dials in their order, those at 0 and the muted ones too: what the text can be read along."""
        return tuple(
            DialSetting(dial.name, dial.vector_path, self.effective(dial), dial.own_layers, dial.scope)
            for dial in self.dials
        )

    def with_dial(self, dial: Dial) -> Rack:
        """``dial`` added at the end and picked; one of the same name is :meth:`renewed` where it stands."""
        names = self.names()
        if dial.name in names:
            return self.renewed(dial).pick(names.index(dial.name))
        return replace(self, dials=(*self.dials, dial), picked=len(self.dials))

    def renewed(self, dial: Dial) -> Rack:
        """``dial``'s vector in the dial of the same name; what the person did with that one is kept."""
        return replace(self, dials=tuple(_anew(dial, old) if old.name == dial.name else old for old in self.dials))

    def without(self, index: int) -> Rack:
        """The dial at ``index`` taken away; a solo of its own ends with it."""
        if not 0 <= index < len(self.dials):
            return self
        gone = self.dials[index].name
        dials = self.dials[:index] + self.dials[index + 1 :]
        picked = self.picked - 1 if self.picked > index else self.picked
        return Rack(dials, max(0, min(picked, len(dials) - 1)), None if self.solo == gone else self.solo)

    def pick(self, index: int) -> Rack:
        """The dial at ``index`` picked; nothing happens where there is none."""
        return replace(self, picked=index) if 0 <= index < len(self.dials) else self

    def pick_next(self, by: int) -> Rack:
        """The dial ``by`` places further picked, round and round."""
        return self.pick((self.picked + by) % len(self.dials)) if self.dials else self

    def move(self, index: int, to: int) -> Rack:
        """The dial at ``index`` picked and put at place ``to``, or at the end that lies nearest to it."""
        if not 0 <= index < len(self.dials):
            return self
        others = [*self.dials[:index], *self.dials[index + 1 :]]
        to = max(0, min(to, len(others)))
        return replace(self, dials=(*others[:to], self.dials[index], *others[to:]), picked=to)

    def place(self, name: str, layers: tuple[int, ...] | None, scope: Scope) -> Rack:
        """The dial of this name on these layers (None: its vector's own) and in this scope, see :meth:`Dial.placed`."""
        dials = tuple(dial.placed(layers, scope) if dial.name == name else dial for dial in self.dials)
        return replace(self, dials=dials)

    def turn(self, steps: float) -> Rack:
        """The picked dial turned by so many coarse steps, never past the ends of its bar; zero is never jumped over."""

        def turned(dial: Dial) -> Dial:
            wanted = round(dial.strength + steps * dial.step, 6)
            if dial.strength * wanted < 0:
                wanted = 0.0
            return _at(dial, max(-dial.full, min(dial.full, wanted)))

        return self._changed(turned)

    def jump(self, towards: int) -> Rack:
        """The picked dial at its next stop: up for ``towards`` > 0, down for < 0."""

        def jumped(dial: Dial) -> Dial:
            if towards > 0:
                return _at(dial, next((stop for stop in dial.stops if stop > dial.strength), dial.strength))
            return _at(dial, next((stop for stop in reversed(dial.stops) if stop < dial.strength), dial.strength))

        return self._changed(jumped)

    def set_strength(self, index: int, strength: float) -> Rack:
        """The dial at ``index`` picked and set. A strength that is no finite number changes nothing."""
        if not 0 <= index < len(self.dials) or not math.isfinite(strength):
            return self
        return self.pick(index)._changed(lambda dial: _at(dial, strength))

    def zero(self) -> Rack:
        """The picked dial at 0."""
        return self._changed(lambda dial: replace(dial, strength=0.0))

    def zero_all(self) -> Rack:
        """Every dial at 0, no mute, no solo: the model as it is."""
        return replace(self, dials=tuple(replace(dial, strength=0.0, muted=False) for dial in self.dials), solo=None)

    def toggle_mute(self) -> Rack:
        return self._changed(lambda dial: replace(dial, muted=not dial.muted))

    def toggle_solo(self) -> Rack:
        """The picked dial alone in force, or all of them again."""
        if self.current is None:
            return self
        return replace(self, solo=None if self.solo == self.current.name else self.current.name)

    def _changed(self, change: Callable[[Dial], Dial]) -> Rack:
        if self.current is None:
            return self
        return replace(self, dials=_put(self.dials, self.picked, change(self.current)))


def _at(dial: Dial, strength: float) -> Dial:
    """Turning a muted dial un-mutes it: whoever turns wants to hear it."""
    return replace(dial, strength=0.0 if strength == 0 else strength, muted=False)


def _anew(dial: Dial, old: Dial) -> Dial:
    return replace(dial.placed(old.own_layers, old.scope), strength=old.strength, muted=old.muted)


def _put(dials: tuple[Dial, ...], index: int, dial: Dial) -> tuple[Dial, ...]:
    return (*dials[:index], dial, *dials[index + 1 :])
