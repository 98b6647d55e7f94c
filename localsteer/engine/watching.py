"""Has somebody listen in on the chat context while a reply is watched, and nobody otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from localsteer.engine.gauges import make_gauges, vectors_to_read
from localsteer.engine.needles import Needles, Watch
from localsteer.engine.protocol import DialSetting
from localsteer.errors import LocalsteerError, Stopped
from localsteer.steering.reading import Gauge

if TYPE_CHECKING:
    from localsteer.engine.desk import Desk


@contextmanager
def watching(
    desk: Desk, dials: Sequence[DialSetting], stopped: Callable[[], bool], notice: Callable[[str], None]
) -> Iterator[Needles | None]:
    """The needles of ``dials``, moved by what the chat context decodes inside; None where there are none to move.

    A context listens or does not from its beginning on, so the first reply that is watched, and the first that is not
    any more, move what is cached to a new one. Raises ModelError where there is not enough memory for it.
    """
    gauges = _gauges(desk, dials, stopped, notice)
    if bool(gauges) != (desk.watch is not None):
        watch = Watch(desk.model.n_embd) if gauges else None
        desk.context = desk.context.moved(watch.tap if watch else None)
        desk.watch = watch
    if desk.watch is None:
        yield None
        return
    needles = Needles(gauges)
    with desk.watch.moving(needles):
        yield needles


def _gauges(
    desk: Desk, dials: Sequence[DialSetting], stopped: Callable[[], bool], notice: Callable[[str], None]
) -> list[tuple[str, Gauge]]:
    """For the dials that can be read; the needles of the others stand still, and a stopped reply needs none."""
    found: list[tuple[str, Gauge]] = []
    for dial in dials:
        try:
            (gauge,) = make_gauges(desk, vectors_to_read(desk, [dial]), stopped)
        except Stopped:
            return []
        except LocalsteerError as error:
            notice(f'The needle of "{dial.name}" does not move: {error}')
        else:
            found.append((dial.name, gauge))
    return found
