"""Everything the app can be told to do, in one table: bindings, palette and key help are made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.binding import Binding, BindingType

Group: TypeAlias = Literal["Talking", "Dials", "App"]
GROUPS: tuple[Group, ...] = ("Talking", "Dials", "App")


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do.

    ``keys`` in Textual's words; after the first come those for terminals that swallow it. ``panel_keys`` do it while
    the dials have the focus.
    """

    action: str
    title: str
    help: str
    group: Group
    keys: tuple[str, ...] = ()
    panel_keys: tuple[str, ...] = ()
    in_palette: bool = True


COMMANDS: tuple[Command, ...] = (
    Command("stop", "Stop", "Stop the reply, or the making of a vector", "Talking", ("escape",)),
    Command(
        "again",
        "Write the reply again",
        "Answer the last message once more, under the present dials",
        "Talking",
        ("ctrl+r",),
    ),
    Command(
        "again_afresh",
        "Read all again, then write again",
        "Again, with earlier replies read under the present dials instead of those they were written with",
        "Talking",
        ("alt+r",),
    ),
    Command("new_chat", "New chat", "Begin another conversation; this one stays saved", "Talking", ("ctrl+n",)),
    Command(
        "system_prompt",
        "System prompt",
        "Edit the system prompt: what the model is told first",
        "Talking",
        ("ctrl+s", "f8"),
    ),
    Command(
        "see_tokens",
        "See what each word leans to",
        "Colour each word said so far by how far it leans along a dial",
        "Talking",
        ("alt+v", "f12"),
    ),
    Command("scroll_back", "Scroll back", "Scroll the conversation back", "Talking", ("pageup",), in_palette=False),
    Command(
        "scroll_on",
        "Scroll on",
        "Scroll on; at the end it follows what comes",
        "Talking",
        ("pagedown",),
        in_palette=False,
    ),
    Command(
        "add_dial",
        "Add a dial",
        "Add a dial from the recipes; its vector is made on the spot if need be",
        "Dials",
        ("alt+a", "f7"),
        ("n",),
    ),
    Command(
        "turn(1)",
        "Turn up",
        "Turn the picked dial towards its right pole",
        "Dials",
        ("alt+right", "f5"),
        ("right", "plus"),
        False,
    ),
    Command(
        "turn(-1)",
        "Turn down",
        "Turn the picked dial towards its left pole",
        "Dials",
        ("alt+left", "f4"),
        ("left", "minus"),
        False,
    ),
    Command(
        "turn(0.2)",
        "Turn up finely",
        "A fifth of that to the right",
        "Dials",
        ("alt+shift+right",),
        ("shift+right",),
        False,
    ),
    Command(
        "turn(-0.2)",
        "Turn down finely",
        "A fifth of that to the left",
        "Dials",
        ("alt+shift+left",),
        ("shift+left",),
        False,
    ),
    Command(
        "jump(1)",
        "Jump up",
        "Jump to zero, or to what is recommended for the right pole",
        "Dials",
        ("alt+up",),
        ("end",),
    ),
    Command(
        "jump(-1)",
        "Jump down",
        "Jump to zero, or to what is recommended for the left pole",
        "Dials",
        ("alt+down",),
        ("home",),
    ),
    Command("pick_next(1)", "Next dial", "Pick the next dial", "Dials", ("f3", "alt+pagedown"), ("down",), False),
    Command("pick_next(-1)", "Previous dial", "Pick the dial before", "Dials", ("f2", "alt+pageup"), ("up",), False),
    Command("mute", "Mute dial", "Mute the picked dial, and let it speak again", "Dials", ("alt+m",), ("m",)),
    Command("solo", "Solo dial", "Solo: the picked dial alone, and all of them again", "Dials", ("alt+s",), ("s",)),
    Command("zero", "Zero dial", "Set the picked dial to 0", "Dials", ("alt+0",), ("0",)),
    Command("zero_all", "Zero all dials", "Set every dial to 0: the model as it is", "Dials", ("alt+z",), ("z",)),
    Command(
        "remove_dial",
        "Remove dial",
        "Remove the picked dial; its vector is kept",
        "Dials",
        ("alt+x",),
        ("x", "delete"),
    ),
    Command(
        "toggle_needles",
        "Needles",
        "Let each dial show how far the text itself leans while it is written, or not",
        "Dials",
        ("alt+n",),
        ("w",),
    ),
    Command(
        "show_card",
        "Show the dial's card",
        "What is known of the picked dial's vector: layers, prompts, effect, tokens, likeness",
        "Dials",
        ("alt+i",),
        ("i",),
    ),
    Command("toggle_panel", "Show or hide the dials", "Hide the dials, or show them", "Dials", ("alt+d",)),
    Command(
        "focus_dials", "Into the dials, and back", "Go into the dials, where plain keys do, and back", "Dials", ("f6",)
    ),
    Command("keys_help", "Keys", "This page", "App", ("f1",)),
    Command("toggle_theme", "Light or dark", "Change between the light and the dark theme", "App", ("ctrl+t", "f9")),
)

_SHOWN = {
    "alt": "Alt",
    "ctrl": "Ctrl",
    "shift": "Shift",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "Esc",
    "enter": "Enter",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "plus": "+",
    "minus": "−",
    "delete": "Del",
    "home": "Home",
    "end": "End",
}


def shown_key(key: str) -> str:
    """A key in the words of a keyboard: ``alt+shift+left`` is ``Alt+Shift+←``."""
    parts = key.split("+")
    return "+".join(
        _SHOWN.get(
            part,
            part.upper() if (len(part) == 1 and len(parts) > 1) or (part[0] == "f" and part[1:].isdigit()) else part,
        )
        for part in parts
    )


def chat_bindings() -> list[BindingType]:
    """What the chat screen binds. They come before the focused widget's own keys, so that dials turn from anywhere."""
    bindings: list[BindingType] = [
        Binding(f"alt+{number}", f"pick({number - 1})", f"Pick dial {number}", show=False, priority=True)
        for number in range(1, 10)
    ]
    for command in COMMANDS:
        for key in command.keys:
            # Esc and the paging keys belong to whatever has the focus first.
            priority = key not in {"escape", "pageup", "pagedown"}
            bindings.append(Binding(key, command.action, command.title, show=False, priority=priority))
    return bindings


def panel_bindings() -> list[BindingType]:
    """Plain keys while the dials have the focus."""
    bindings: list[BindingType] = [
        Binding(str(number), f"screen.pick({number - 1})", f"Pick dial {number}", show=False) for number in range(1, 10)
    ]
    for command in COMMANDS:
        bindings += [Binding(key, f"screen.{command.action}", command.title, show=False) for key in command.panel_keys]
    return bindings


def help_rows(group: Group) -> Iterator[tuple[str, str, str]]:
    """(keys, keys in the dials, what they do) for the key help."""
    if group == "Talking":
        yield "Enter", "", "Send"
        yield "Ctrl+J", "", "New line"
    if group == "Dials":
        yield "Alt+1 … Alt+9", "1 … 9", "Pick a dial"
    for command in COMMANDS:
        if command.group == group:
            yield (
                "  ".join(shown_key(key) for key in command.keys),
                " ".join(shown_key(key) for key in command.panel_keys),
                command.help,
            )
    if group == "App":
        yield "Ctrl+P", "", "All commands"
        yield "Ctrl+Q", "", "Quit"
