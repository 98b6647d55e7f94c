"""From dial settings to what llama.cpp is given: vector files are read once, and a mix is named by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localsteer.engine.protocol import DialSetting
from localsteer.engine.turns import Place
from localsteer.errors import DialError, VectorError
from localsteer.llama.steering import UNSTEERED, Steering
from localsteer.steering.dials import Buffer, Dial, buffers, check_scope
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import load_vector

_MIXES_KEPT = 64

_FileState = tuple[int, int]


def check_steerable(*, steerable: bool) -> None:
    """Raise DialError for a model that no dial can move."""
    if not steerable:
        raise DialError(
            "This model can chat but cannot be steered: its architecture ignores control vectors. "
            "Load another model to use dials."
        )


@dataclass(frozen=True, slots=True)
class _Mix:
    """What some dials add up to, at each place, and at each position at the front of the user's message."""

    places: Mapping[Place, Steering]
    front: tuple[Steering, ...]


class Mixer:
    """Mixes dials for one loaded model. Used by one thread at a time.

    ``steerable`` False refuses every dial that is turned away from zero.
    """

    def __init__(self, stamp: ModelStamp, *, steerable: bool) -> None:
        self.stamp = stamp
        self._steerable = steerable
        self._vectors: dict[str, tuple[_FileState, SteeringVector]] = {}
        self._mixes: dict[object, _Mix] = {}
        self._warnings: dict[str, bool] = {}

    def steering(self, dials: Sequence[DialSetting], place: Place) -> Steering:
        """What is added to the residual stream at ``place``; equal mixes have equal keys.

        Raises DialError for a setting that makes no sense or cannot be had, VectorError for a vector that cannot be
        read or does not fit the model. A dial at strength 0 needs no vector file.
        """
        mix = self._mixed(dials)
        return UNSTEERED if mix is None else mix.places[place]

    def front(self, dials: Sequence[DialSetting]) -> tuple[Steering, ...]:
        """What is added to the first tokens of the user's message instead, one for each position. Raises the same."""
        mix = self._mixed(dials)
        return () if mix is None else mix.front

    def vector(self, dial: DialSetting) -> SteeringVector:
        """The vector of a dial, whatever its strength. Raises VectorError where it cannot be read or does not fit."""
        return self._vector(dial)[1]

    def _mixed(self, dials: Sequence[DialSetting]) -> _Mix | None:
        """None for nothing at all."""
        for dial in dials:
            check_scope(dial.scope)
        turned = tuple(dial for dial in dials if dial.strength != 0.0)
        if not turned:
            return None
        check_steerable(steerable=self._steerable)
        vectors = [self._vector(dial) for dial in turned]
        content = tuple((state, dial) for (state, _), dial in zip(vectors, turned, strict=True))
        mix = self._mixes.pop(content, None) or self._mix(turned, [vector for _, vector in vectors])
        self._mixes[content] = mix
        if len(self._mixes) > _MIXES_KEPT:
            del self._mixes[next(iter(self._mixes))]
        return mix

    def new_warnings(self) -> list[str]:
        """What the person should know about the vectors in use, one sentence each, each said once."""
        new = [warning for warning, said in self._warnings.items() if not said]
        self._warnings.update(dict.fromkeys(new, True))
        return new

    def _mix(self, dials: Sequence[DialSetting], vectors: Sequence[SteeringVector]) -> _Mix:
        mixed = buffers(
            [
                Dial(vector.renamed(dial.name), dial.strength, dial.layers, dial.scope)
                for dial, vector in zip(dials, vectors, strict=True)
            ],
            self.stamp.n_layer,
            self.stamp.n_embd,
        )
        places: dict[Place, Steering] = {"prompt": _steering(mixed.prompt), "reply": _steering(mixed.reply)}
        return _Mix(places, tuple(map(_steering, mixed.front)))

    def _vector(self, dial: DialSetting) -> tuple[_FileState, SteeringVector]:
        path = Path(dial.vector_path)
        try:
            status = path.stat()
        except (OSError, ValueError):
            raise VectorError(
                f'The vector file of the dial "{dial.name}" is not there any more ({path}); extract it again.'
            ) from None
        state = (status.st_mtime_ns, status.st_size)
        known = self._vectors.get(dial.vector_path)
        if known is None or known[0] != state:
            vector = load_vector(path)
            warning = vector.check_fits(self.stamp)
            if warning:
                self._warnings.setdefault(warning, False)
            known = self._vectors[dial.vector_path] = (state, vector)
        return known


def _steering(data: Buffer | None) -> Steering:
    if data is None:
        return UNSTEERED
    return Steering(hashlib.blake2b(data.tobytes(), digest_size=16).digest(), data)
