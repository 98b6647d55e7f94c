"""``--dial`` as the engine needs it; vectors that are not there yet are made on the spot and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from localsteer.cli.output import note
from localsteer.cli.session import Session
from localsteer.engine.protocol import DialSetting, Extract, Scope
from localsteer.errors import DialError
from localsteer.library.combinations import put_together
from localsteer.library.dials import VectorToUse, find_vector
from localsteer.library.places import Places


def find_vectors(strengths: Mapping[str, float], model_id: str, places: Places) -> list[tuple[VectorToUse, float]]:
    """Which vector each dial means, before any model is loaded. Raises LocalsteerError."""
    return [(find_vector(text, model_id, places), strength) for text, strength in strengths.items()]


def make_dials(vectors: list[tuple[VectorToUse, float]], scope: Scope, session: Session) -> tuple[DialSetting, ...]:
    """Dial settings for the loaded model, in their own scope or in ``scope``.

    A vector is extracted where it is missing or its recipe has changed, and put together where it is a combination.
    """
    turned = [vector for vector, strength in vectors if strength]
    if turned and not session.card.steerable:
        raise DialError(
            f"{session.card.name} can chat but not be steered: its architecture ignores control vectors. "
            "Leave the dials out, or take another model."
        )
    make_vectors(turned, session)
    return tuple(
        DialSetting(vector.name, str(vector.path), strength, scope=vector.scope or scope)
        for vector, strength in vectors
    )


def make_vectors(vectors: Iterable[VectorToUse], session: Session) -> None:
    """Have every vector stand ready. Raises LocalsteerError."""
    made: set[str] = set()
    for vector in vectors:
        for part in vector.to_extract:
            if part.make_from is not None and str(part.path) not in made:
                why = "the recipe has changed" if part.changed else "for the first time"
                note(f"making the vector {part.name} for {session.card.name} ({why})")
                done = session.extract(Extract(0, str(part.make_from.path), str(part.path)))
                note(f"made {part.name} in {done.seconds:.1f} s")
                made.add(str(part.path))
        put_together(vector)
