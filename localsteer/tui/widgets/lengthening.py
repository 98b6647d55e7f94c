"""Widgets that become longer at their end while they are shown."""

from __future__ import annotations

from textual.geometry import Region, Size
from textual.widget import Widget


class Lengthening(Widget):
    """What has been there is not drawn again when there is more below it.

    When a widget has another size Textual lays the screen out and paints it, and then does both once more: with every
    new line of a reply that was the dearest part of showing it. Name this base last: Textual takes the style sheet of
    the first.
    """

    _only_longer = False

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        longer = _is_longer(size, self.outer_size) and _is_longer(virtual_size, self.virtual_size)
        # An empty line or a border below the content would have to move.
        self._only_longer = longer and not self.gutter.bottom
        try:
            # The size comes from a layout; ``layout`` would ask for another one.
            return super()._size_updated(size, virtual_size, container_size, layout and not longer)
        finally:
            self._only_longer = False

    def _set_dirty(self, *regions: Region) -> None:
        if regions or not self._only_longer:
            super()._set_dirty(*regions)


def _is_longer(size: Size, before: Size) -> bool:
    return size.width == before.width and size.height >= before.height > 0
