"""``--dial NAME=STRENGTH`` as the engine needs it; vectors that are not there yet are made on the spot and kept."""

from __future__ import annotations

from collections.abc import Mapping

from localsteer.cli.output import note
from localsteer.cli.session import Session
from localsteer.engine.protocol import DialSetting, Extract, Scope
from localsteer.errors import DialError
from localsteer.library.dials import VectorToUse, find_vector
from localsteer.library.places import Places


def find_vectors(strengths: Mapping[str, float], model_id: str, places: Places) -> list[tuple[VectorToUse, float]]:
    """Which vector each dial means, before any model is loaded. Raises LocalsteerError."""
    return [(find_vector(name, model_id, places), strength) for name, strength in strengths.items()]


def make_dials(vectors: list[tuple[VectorToUse, float]], scope: Scope, session: Session) -> tuple[DialSetting, ...]:
    """Dial settings for the loaded model. A vector is extracted where it is missing or its recipe has changed."""
    turned = [vector for vector, strength in vectors if strength]
    if turned and not session.card.steerable:
        raise DialError(
            f"{session.card.name} can chat but not be steered: its architecture ignores control vectors. "
            "Leave the dials out, or take another model."
        )
    for vector in turned:
        if vector.make_from is not None:
            why = "the recipe has changed" if vector.changed else "for the first time"
            note(f"making the vector {vector.name} for {session.card.name} ({why})")
            made = session.extract(Extract(0, str(vector.make_from.path), str(vector.path)))
            note(f"made {vector.name} in {made.seconds:.1f} s")
    return tuple(DialSetting(vector.name, str(vector.path), strength, scope=scope) for vector, strength in vectors)
