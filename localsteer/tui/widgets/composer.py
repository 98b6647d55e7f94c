"""Where the person writes: Enter sends, Ctrl+J makes a new line, up and down fetch back what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from localsteer.tui.sent import SentHistory
from localsteer.tui.widgets.completions import Completions
from localsteer.tui.widgets.writing_area import WritingArea
from localsteer.visible import without_controls

_NEW_LINE_KEYS = frozenset({"ctrl+j", "shift+enter", "ctrl+enter", "alt+enter"})


class Composer(WritingArea):
    """A text area that grows with its text and gives it away on Enter."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 8;
        border: round $edge;
        background: $background;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary 70%; }
        &.-editing { border: round $accent; border-title-color: $accent; border-subtitle-color: $quiet; }
        & .text-area--placeholder { color: $faint; }
        & .text-area--cursor { background: $primary; color: $background; }
        & .text-area--cursor-line { background: transparent; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "screen.scroll_back", show=False),
        Binding("pagedown", "screen.scroll_on", show=False),
    ]

    @dataclass
    class Sent(Message):
        """The person pressed Enter; ``text`` is never blank."""

        text: str

    @dataclass
    class Blank(Message):
        """The person pressed Enter, and there is nothing to send."""

    def __init__(self, history: SentHistory, completions: Completions) -> None:
        """``completions``: the list that goes with what is typed after a slash."""
        self._history = history
        self._completions = completions
        super().__init__(
            id="composer",
            placeholder="Say something…",
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )

    async def _on_key(self, event: events.Key) -> None:
        if self._completions.open and self._complete(event.key):
            event.stop()
            event.prevent_default()
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self.send()
        elif event.key in _NEW_LINE_KEYS:
            event.stop()
            event.prevent_default()
            self.insert("\n")
        else:
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert(without_controls(event.text))

    def send(self) -> None:
        """Give the text away and be empty; spaces alone stay."""
        text = without_controls(self.text).strip()
        if text:
            self._history.add(text)
            self._completions.close()
            self.clear()
            said: Message = self.Sent(text)
        else:
            said = self.Blank()
        # Straight to the screen: commands that come next would overtake what went through this one's own queue.
        self.screen.post_message(said)

    def begin_editing(self, text: str) -> None:
        """A message that was sent before, to be sent again otherwise."""
        self.border_title = "editing"
        self.border_subtitle = "Enter sends it as a new branch · Esc leaves it as it is"
        self.add_class("-editing")
        self.text = text
        self.move_cursor(self.document.end)

    def end_editing(self, draft: str) -> None:
        """What had been written before."""
        self.border_title = self.border_subtitle = ""
        self.remove_class("-editing")
        self.text = draft
        self.move_cursor(self.document.end)

    def action_undo(self) -> None:
        """In an empty input what was done to messages is undone; else what was typed."""
        if self.text:
            super().action_undo()
        else:
            self.app.call_later(self.screen.run_action, "undo")

    def put(self, text: str) -> None:
        """This text instead, with the cursor behind it."""
        self.text = text
        self.move_cursor(self.document.end)

    def action_cursor_up(self, select: bool = False) -> None:
        """On the first line, what was sent before."""
        if select or not self.navigator.is_first_wrapped_line(self.cursor_location) or not self._recall(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """On the last line, what was sent after; at the end the draft again."""
        if select or not self.navigator.is_last_wrapped_line(self.cursor_location) or not self._recall(1):
            super().action_cursor_down(select)

    def _recall(self, by: int) -> bool:
        text = self._history.go(by, self.text)
        if text is not None:
            self.put(text)
        return text is not None

    def _complete(self, key: str) -> bool:
        """Whether a key meant the list over the input."""
        offered = self._completions
        if key in {"tab", "enter"} and offered.typed != self.text:
            # It follows in a moment. Enter sends what was typed, not what goes with the beginning of it.
            return key == "tab"
        match key:
            case "up" | "down":
                offered.move(-1 if key == "up" else 1)
            case "escape":
                offered.close()
            case "tab" if offered.chosen is None:
                offered.move(1)
            case "tab":
                self.take(run=False)
            case "enter" if offered.chosen is not None:
                self.take(run=True)
            case _:
                return False
        return True

    def take(self, *, run: bool) -> None:
        """Complete what is typed by what the list's highlight stands on; ``run``: and send it where that is all."""
        chosen = self._completions.chosen
        if chosen is not None:
            self.put(chosen.text)
            if run and chosen.whole:
                self.send()

    def action_cursor_word_left(self, select: bool = False) -> None:
        """In an empty input the word keys turn the dial: on a Mac, Option and an arrow arrive as Ctrl and an arrow."""
        if self.text or select:
            super().action_cursor_word_left(select)
        else:
            self.app.call_later(self.screen.run_action, "turn(-1)")

    def action_cursor_word_right(self, select: bool = False) -> None:
        """See :meth:`action_cursor_word_left`."""
        if self.text or select:
            super().action_cursor_word_right(select)
        else:
            self.app.call_later(self.screen.run_action, "turn(1)")
