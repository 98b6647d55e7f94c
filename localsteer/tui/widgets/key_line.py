"""The last line: the keys that matter now, each of them also a button."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from localsteer.tui.keymap import Keymap

_GAP = "   "


@dataclass(frozen=True, slots=True)
class Key:
    """A key, what it does in one word, and the action that a click on it runs.

    ``commands``: those whose keys it is, by their names in the settings; where the person has changed one of them,
    their present first keys are shown instead.
    """

    key: str
    word: str
    action: str
    commands: tuple[str, ...] = ()

    def under(self, keymap: Keymap) -> Key | None:
        """As it is with these keys; None where it has none any more."""
        if not any(name in keymap.changed for name in self.commands):
            return self
        key = " ".join(filter(None, map(keymap.first, self.commands)))
        return replace(self, key=key) if key else None


TALKING = (
    Key("Enter", "send", "screen.send"),
    Key("Alt+←→", "turn", "screen.turn(1)", ("turn_down", "turn_up")),
    Key("Alt+A", "add dial", "screen.add_dial", ("add_dial",)),
    Key("Ctrl+R", "again", "screen.again", ("again",)),
    Key("F1", "keys", "screen.keys_help", ("keys_help",)),
    Key("Ctrl+P", "commands", "app.command_palette", ("command_palette",)),
    Key("Alt+1…9", "pick", "screen.pick_next(1)"),
    Key("Ctrl+N", "new", "screen.new_chat", ("new_chat",)),
    Key("Alt+Y", "copy", "screen.copy_message", ("copy_message",)),
    Key("Ctrl+J", "line", "screen.new_line"),
    Key("F6", "dials", "screen.focus_dials", ("focus_dials",)),
    Key("Ctrl+Q", "quit", "app.quit", ("quit",)),
)
WRITING = (Key("Esc", "stop", "screen.stop", ("stop",)), *TALKING[1:])
MAKING = (Key("Esc", "stop", "screen.stop", ("stop",)), *TALKING)
PICKED = (
    Key("Alt+U/J", "pick", "screen.pick_message(-1)", ("previous_message", "next_message")),
    Key("Alt+E", "edit", "screen.edit_message", ("edit_message",)),
    Key("Ctrl+R", "another", "screen.again", ("again",)),
    Key("Alt+G", "same again", "screen.again_exactly", ("again_exactly",)),
    Key("Alt+,.", "alternatives", "screen.alternative(1)", ("previous_alternative", "next_alternative")),
    Key("Enter", "go on here", "screen.continue_here"),
    Key("Alt+W", "delete", "screen.delete_message", ("delete_message",)),
    Key("Alt+Y", "copy", "screen.copy_message", ("copy_message",)),
    Key("Alt+V", "words", "screen.see_tokens", ("see_tokens",)),
    Key("Esc", "leave", "screen.stop", ("stop",)),
)
DIALS = (
    Key("←→", "turn", "screen.turn(1)", ("panel_turn_down", "panel_turn_up")),
    Key("↑↓", "pick", "screen.pick_next(1)", ("panel_previous_dial", "panel_next_dial")),
    Key("m", "mute", "screen.mute", ("panel_mute",)),
    Key("s", "solo", "screen.solo", ("panel_solo",)),
    Key("0", "zero", "screen.zero", ("panel_zero",)),
    Key("z", "all zero", "screen.zero_all", ("panel_zero_all",)),
    Key("n", "add", "screen.add_dial", ("panel_add_dial",)),
    Key("i", "card", "screen.show_card", ("panel_show_card",)),
    Key("x", "remove", "screen.remove_dial", ("panel_remove_dial",)),
    Key("u", "undo", "screen.undo_dials", ("panel_undo_dials",)),
    Key("=", "type", "screen.type_strength", ("panel_type_strength",)),
    Key("q", "scenes", "screen.scenes", ("panel_scenes",)),
    Key("l", "layers", "screen.show_place", ("panel_layers_and_scope",)),
    Key("Esc", "back", "screen.focus_dials"),
    Key("Home/End", "jump", "screen.jump(1)", ("panel_jump_down", "panel_jump_up")),
)


class KeyLine(Widget):
    """As many keys as fit; those at the end of the list go first."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; width: 1fr; padding: 0 1; background: $panel; color: $quiet; }
    """

    keys: reactive[tuple[Key, ...]] = reactive(TALKING)

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    def render(self) -> Content:
        return Content(_GAP).join(
            Content.assemble((key.key, "$primary"), (f" {key.word}", "$quiet")) for key in self._shown()
        )

    async def on_click(self, event: events.Click) -> None:
        """A key is also a button."""
        left = self.content_region.x - self.region.x
        for key in self._shown():
            width = len(key.key) + 1 + len(key.word)
            if left <= event.x < left + width:
                await self.run_action(key.action)
                return
            left += width + len(_GAP)

    def _shown(self) -> list[Key]:
        shown: list[Key] = []
        room = self.content_size.width
        for key in filter(None, (key.under(self._keymap) for key in self.keys)):
            room -= len(key.key) + 1 + len(key.word) + (len(_GAP) if shown else 0)
            if room < 0:
                break
            shown.append(key)
        return shown
