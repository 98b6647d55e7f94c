"""The first line: which model, how fast, how full its context is. A click on each says or does more."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from localsteer.tui.context_room import room_colour
from localsteer.tui.plain import plain

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_GAP = "   "
_NAME = "localsteer"


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
    speed = reactive(0.0, repaint=False)
    context_used = reactive(0)
    context_size = reactive(0)

    def watch_speed(self, before: float, now: float) -> None:
        """Painted only where it looks different."""
        if round(before) != round(now):
            self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        right = Content(_GAP).join([part for part, _ in self._right()])
        left = Content.assemble((_NAME, "bold $primary"), "  ", self._middle())
        return Content.assemble(
            left.truncate(max(0, width - right.cell_length - 1), ellipsis=True, pad=True), " ", right
        )

    def _middle(self) -> Content:
        name = Content.styled(plain(self.model), "bold") if self.model else Content("")
        if not self.state:
            return name
        colour = "$error" if self.trouble else "$quiet"
        return Content.assemble(name, "  " if self.model else "", (plain(self.state), colour))

    def _right(self) -> list[tuple[Content, str]]:
        """What stands at the right end, each with what a click on it does."""
        if self.fraction > 0:
            bar = Content.styled(meter(self.fraction, 12), "$primary on $dial-track")
            return [(Content.assemble(bar, f" {self.fraction * 100:3.0f} %"), "screen.models")]
        parts = []
        if self.speed:
            parts.append((Content.styled(f"{self.speed:.0f} tok/s", "$quiet"), "screen.explain_speed"))
        if self.context_size:
            part = self.context_used / self.context_size
            colour = room_colour(self.context_used, self.context_size)
            bar = Content.styled(meter(part, 6), f"{colour} on $dial-track")
            words = Content.assemble(("context ", "$quiet"), bar, (f" {part * 100:.0f} %", colour))
            parts.append((words, "screen.explain_context"))
        return parts

    async def on_click(self, event: events.Click) -> None:
        """The model's name leads to the models, a figure to what it means."""
        x = event.x - (self.content_region.x - self.region.x)
        end = self.content_size.width
        for part, action in reversed(self._right()):
            if end - part.cell_length <= x < end:
                await self.run_action(action)
                return
            end -= part.cell_length + len(_GAP)
        if x < len(_NAME):
            await self.run_action("app.command_palette")
        elif x < min(end, len(_NAME) + 2 + self._middle().cell_length):
            await self.run_action("screen.models")
