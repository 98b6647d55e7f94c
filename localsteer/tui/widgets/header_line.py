"""The first line: which model, how fast, how full its context is."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from localsteer.tui.plain import plain

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def meter(fraction: float, width: int) -> str:
    """A bar of ``width`` characters, to an eighth of a character."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


class HeaderLine(Widget):
    """One line. What does not fit goes from the middle: the state stays readable."""

    DEFAULT_CSS = """
    HeaderLine { dock: top; height: 1; width: 1fr; padding: 0 1; background: $panel; color: $foreground; }
    """

    model = reactive("")
    state = reactive("")
    loading: reactive[bool] = reactive(False)
    fraction = reactive(0.0)
    trouble = reactive(False)
    speed = reactive(0.0)
    context_used = reactive(0)
    context_size = reactive(0)

    def render(self) -> Content:
        width = self.content_size.width
        right = self._right()
        left = Content.assemble(("localsteer", "bold $primary"), "  ", self._middle(width))
        return Content.assemble(
            left.truncate(max(0, width - right.cell_length - 1), ellipsis=True, pad=True), " ", right
        )

    def _middle(self, width: int) -> Content:
        name = Content.styled(plain(self.model), "bold") if self.model else Content("")
        if not self.state:
            return name
        colour = "$error" if self.trouble else "$quiet"
        return Content.assemble(name, "  " if self.model else "", (plain(self.state), colour))

    def _right(self) -> Content:
        if self.fraction > 0:
            bar = Content.styled(meter(self.fraction, 12), "$primary on $dial-track")
            return Content.assemble(bar, f" {self.fraction * 100:3.0f} %")
        parts = []
        if self.speed:
            parts.append(Content.styled(f"{self.speed:.0f} tok/s", "$quiet"))
        if self.context_size:
            part = self.context_used / self.context_size
            colour = "$error" if part > 0.9 else "$warning" if part > 0.75 else "$quiet"
            bar = Content.styled(meter(part, 6), f"{colour} on $dial-track")
            parts.append(Content.assemble(("context ", "$quiet"), bar, (f" {part * 100:.0f} %", colour)))
        return Content("   ").join(parts)
