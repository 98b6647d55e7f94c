"""The dials of the reply that is being written: turned from outside at any moment, asked for before every token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from localsteer.engine.mixing import Mixer
from localsteer.engine.protocol import DialMark, DialSetting
from localsteer.engine.turns import PLACES, Place, Stretch
from localsteer.errors import LocalsteerError
from localsteer.llama.spans import Span
from localsteer.llama.steering import UNSTEERED, Steering

Known = TypeVar("Known")
Dials: TypeAlias = tuple[DialSetting, ...]


class PresentDials:
    """Follows the dials of one piece of work, and remembers from which token on which of them held.

    ``latest`` tells those in force, given the ones that the work brought for its next token: ``own``, or what
    ``schedule`` says. Raises LocalsteerError when any that it brought cannot be had; later ones are then refused by a
    notice.
    """

    def __init__(
        self,
        mixer: Mixer,
        latest: Callable[[Dials], Dials],
        own: Dials,
        notice: Callable[[str], None],
        schedule: Sequence[DialMark] = (),
    ) -> None:
        self._mixer = mixer
        self._latest = latest
        self._notice = notice
        self._schedule = tuple(schedule) or (DialMark(0, own),)
        self._next = 0
        for mark in self._schedule:
            self._mix(mark.dials)
        self._wanted = self._dials = self._begun()
        self._mixed, self._front = self._mix(self._dials)
        self._follow()
        self.marks: list[DialMark] = []

    def steering(self, place: Place) -> Steering:
        """What holds at ``place`` now."""
        self._follow()
        return self._mixed[place]

    def front(self) -> tuple[Steering, ...]:
        """What holds now at each position at the front of the user's message."""
        self._follow()
        return self._front

    def choosing(self, start: int) -> Steering:
        """What holds at the token before the reply's token ``start``, which is chosen under it: a mark is set there."""
        self._next = start
        steering = self.steering("reply")
        self._mark(start)
        return steering

    def _mark(self, start: int) -> None:
        if self.marks and _turned(self.marks[-1].dials) == _turned(self._dials):
            return
        if self.marks and self.marks[-1].start == start:
            self.marks.pop()
        self.marks.append(DialMark(start, self._dials))

    def recorded(self, dials: Dials, place: Place) -> Steering:
        """What held at ``place`` under ``dials`` of an earlier reply; nothing, with a notice, where they are gone."""
        return self._known(lambda: self._mixer.steering(dials, place), UNSTEERED)

    def recorded_front(self, dials: Dials) -> tuple[Steering, ...]:
        """The same for the front of the user's message before it."""
        return self._known(lambda: self._mixer.front(dials), ())

    def spans(self, plan: Sequence[Stretch]) -> list[Span]:
        """Stretches as they are evaluated: under the dials recorded with them, else under those that hold now."""
        return [span for stretch in plan for span in self._spans_of(stretch)]

    def _spans_of(self, stretch: Stretch) -> list[Span]:
        """The stretch as one span; where dials act at the front of a prompt, one more for each position there."""
        dials, place, tokens = stretch.dials, stretch.place, stretch.tokens
        steering = self.steering(place) if dials is None else self.recorded(dials, place)
        if place == "reply":
            return [(tokens, steering)]
        positions = self.front() if dials is None else self.recorded_front(dials)
        begin, end = stretch.front, stretch.front + len(positions)
        spans: list[Span] = [(tokens[:begin], steering)]
        spans += [([token], own) for token, own in zip(tokens[begin:end], positions, strict=False)]
        spans.append((tokens[end:], steering))
        return [span for span in spans if span[0]]

    def _known(self, mixed: Callable[[], Known], nothing: Known) -> Known:
        try:
            return mixed()
        except LocalsteerError as error:
            self._notice(f"An earlier reply is evaluated without its dials: {error}")
            return nothing

    def _begun(self) -> Dials:
        """Those that the work brought for its next token."""
        begun = [mark.dials for mark in self._schedule if mark.start <= self._next]
        return begun[-1] if begun else ()

    def _follow(self) -> None:
        wanted = self._latest(self._begun())
        if wanted == self._wanted:
            return
        self._wanted = wanted
        try:
            self._mixed, self._front = self._mix(wanted)
        except LocalsteerError as error:
            self._notice(str(error))
        else:
            self._dials = wanted

    def _mix(self, dials: Dials) -> tuple[dict[Place, Steering], tuple[Steering, ...]]:
        mixed: dict[Place, Steering] = {place: self._mixer.steering(dials, place) for place in PLACES}
        front = self._mixer.front(dials)
        for warning in self._mixer.new_warnings():
            self._notice(warning)
        return mixed, front


def _turned(dials: Dials) -> Dials:
    return tuple(dial for dial in dials if dial.strength != 0.0)
