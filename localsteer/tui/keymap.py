"""Which key does what: the table's own keys, and over them those that the person has set."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textual.binding import Binding, BindingType
from textual.keys import Keys, key_to_character

from localsteer.tui.keys import COMMANDS, Command, Group

PANEL = "panel_"
"""Stands before a command's name in the settings where its plain key in the dials is meant."""

_NO_KEY = "none"
_MODIFIERS = frozenset({"ctrl", "alt", "shift", "super", "hyper", "meta"})
_NAMED = frozenset(key.value for key in Keys if not key.value.startswith("<"))
_ALIASES = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown", "del": "delete"}
_SAME_TO_TERMINALS = {"ctrl+m": "Enter", "ctrl+i": "Tab", "ctrl+h": "Backspace", "ctrl+[": "Esc"}
_WRITING = frozenset(
    [
        "enter",
        "tab",
        "space",
        "backspace",
        "delete",
        "left",
        "right",
        "up",
        "down",
        "home",
        "end",
        "ctrl+j",
        "shift+enter",
        "ctrl+enter",
        "alt+enter",
    ]
)
_PICKING = tuple(f"alt+{number}" for number in range(1, 10))
# These belong to whatever has the focus first.
_AFTER_FOCUS = frozenset({"stop", "scroll_back", "scroll_on", "copy_selected", "undo"})

_SHOWN = {
    "alt": "Alt",
    "ctrl": "Ctrl",
    "shift": "Shift",
    "super": "Super",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "Esc",
    "enter": "Enter",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "plus": "+",
    "equals_sign": "=",
    "minus": "−",
    "delete": "Del",
    "home": "Home",
    "end": "End",
}


def shown_key(key: str) -> str:
    """A key in the words of a keyboard: ``alt+shift+left`` is ``Alt+Shift+←``."""
    parts = key.split("+")
    return "+".join(_shown_part(part, alone=len(parts) == 1) for part in parts)


def _shown_part(part: str, *, alone: bool) -> str:
    if part in _SHOWN:
        return _SHOWN[part]
    if len(part) == 1:
        return part if alone else part.upper()
    if part[0] == "f" and part[1:].isdigit():
        return part.upper()
    # Such as "comma" and "full_stop".
    character = key_to_character(part)
    return part if character is None or not character.isprintable() or character == " " else character


def default_keys() -> dict[str, tuple[str, ...]]:
    """What the settings can change: a command's name to its keys; after ``panel_`` its plain keys in the dials."""
    return {command.id: command.keys for command in COMMANDS} | {
        PANEL + command.id: command.panel_keys for command in COMMANDS if command.panel_keys
    }


@dataclass(frozen=True, slots=True)
class Keymap:
    """``changed``: only what differs from the table. ``problems``: one sentence for each wish that cannot be had."""

    changed: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()

    def keys(self, command: Command) -> tuple[str, ...]:
        """The keys that do it from anywhere."""
        return self.changed.get(command.id, command.keys)

    def panel_keys(self, command: Command) -> tuple[str, ...]:
        """The keys that do it while the dials have the focus."""
        return self.changed.get(PANEL + command.id, command.panel_keys)

    def first(self, name: str) -> str:
        """The first key of a command (its name in the settings) as a keyboard names it; nothing where it has none."""
        keys = self.changed.get(name, default_keys().get(name, ()))
        return shown_key(keys[0]) if keys else ""

    def hint(self, name: str, does: str) -> str:
        """A sentence such as ``Ctrl+L chooses another. `` and a space; nothing where the command has no key."""
        key = self.first(name)
        return f"{key} {does}. " if key else ""

    @property
    def for_textual(self) -> dict[str, str]:
        """What :meth:`textual.app.App.set_keymap` takes."""
        # An empty list would leave the default in place.
        return {name: ",".join(keys) or _NO_KEY for name, keys in self.changed.items()}

    def help_rows(self, group: Group) -> Iterator[tuple[str, str, str]]:
        """(keys, keys in the dials, what they do) for the key help."""
        if group == "Talking":
            yield "Enter", "", "Send"
            yield "Ctrl+J", "", "New line"
        if group == "Dials":
            yield "Alt+1 … Alt+9", "1 … 9", "Pick a dial"
        for command in COMMANDS:
            if command.group == group:
                yield (
                    "  ".join(shown_key(key) for key in self.keys(command)),
                    " ".join(shown_key(key) for key in self.panel_keys(command)),
                    command.help,
                )


def keymap_of(wanted: Mapping[str, tuple[str, ...]]) -> Keymap:
    """The keys as the person wants them, as far as that can be had; a command whose wish cannot keeps its own keys."""
    known = default_keys()
    changed: dict[str, tuple[str, ...]] = {}
    problems = []
    for name, keys in wanted.items():
        read = tuple(_read(key) for key in keys)
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            instead = f'did you mean "{close[0]}"?' if close else "`localsteer settings keys` lists them."
            problems.append(f'Keys: there is no command "{name}"; {instead}')
        elif problem := next(filter(None, (_unusable(key, name) for key in read)), ""):
            problems.append(f"Keys: {name} cannot have {problem}{_stays(name)}")
        elif read != known[name]:
            changed[name] = read
    while clash := _clash(changed):
        name, key, other = clash
        del changed[name]
        problems.append(f'Keys: {name} cannot have "{key}", which is the key of {other}{_stays(name)}')
    return Keymap(changed, tuple(problems))


def _stays(name: str) -> str:
    keys = default_keys()[name]
    return f"; it keeps {' and '.join(map(shown_key, keys))}." if keys else "; it stays without a key."


def _read(key: str) -> str:
    """What a person writes, in Textual's words."""
    parts = [part.strip() for part in key.split("+")] if key != "+" else ["plus"]
    return "+".join(_ALIASES.get(part, part) for part in parts)


def _unusable(key: str, name: str) -> str:
    """The key and why it cannot be used, or nothing."""
    *modifiers, last = key.split("+")
    is_key = (
        len(last) == 1 or last in _NAMED or (last[:1] == "f" and last[1:].isdigit() and 1 <= int(last[1:]) <= 24)
    ) or (last and key_to_character(last) is not None)
    if not is_key or not _MODIFIERS.issuperset(modifiers):
        return f'"{key}", which is no key (write them like ctrl+b, alt+up or f5)'
    if key in _SAME_TO_TERMINALS:
        return f'"{key}", which terminals cannot tell from {_SAME_TO_TERMINALS[key]}'
    plain = not modifiers and (len(last) == 1 or (last not in _NAMED and key_to_character(last) is not None))
    if not name.startswith(PANEL) and (plain or key in _WRITING):
        return f'"{key}", which is needed for writing (add ctrl or alt, or take one of F1 to F12)'
    if key in _PICKING or (name.startswith(PANEL) and key in "123456789"):
        return f'"{key}", which picks a dial'
    return ""


def _clash(changed: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str] | None:
    """A changed command, its key, and the command that has the same one; the dials' keys come after all others."""
    holders: dict[str, list[str]] = {}
    for name, keys in (default_keys() | dict(changed)).items():
        for key in dict.fromkeys(keys):
            holders.setdefault(key, []).append(name)
    for key, names in holders.items():
        if len(names) > 1:
            name = next(name for name in reversed(names) if name in changed)
            return name, key, next(other for other in names if other != name)
    return None


# ---------------------------------------------------------------- bindings


def chat_bindings() -> list[BindingType]:
    """What the chat screen binds. They come before the focused widget's own keys, so that dials turn from anywhere."""
    bindings: list[BindingType] = [
        Binding(key, f"pick({index})", f"Pick dial {index + 1}", show=False, priority=True)
        for index, key in enumerate(_PICKING)
    ]
    return bindings + [
        binding for command in COMMANDS if not command.action.startswith("app.") for binding in _bindings(command)
    ]


def app_bindings() -> list[BindingType]:
    """What works over every dialog."""
    return [binding for command in COMMANDS if command.action.startswith("app.") for binding in _bindings(command)]


def panel_bindings() -> list[BindingType]:
    """Plain keys while the dials have the focus."""
    bindings: list[BindingType] = [
        Binding(str(number), f"screen.pick({number - 1})", f"Pick dial {number}", show=False) for number in range(1, 10)
    ]
    for command in COMMANDS:
        bindings += [
            Binding(key, f"screen.{command.action}", command.title, show=False, id=PANEL + command.id)
            for key in command.panel_keys
        ]
    return bindings


def _bindings(command: Command) -> list[Binding]:
    action = command.action.removeprefix("app.")
    priority = command.id not in _AFTER_FOCUS
    return [
        # A command without a key of its own can still be given one.
        Binding(key, action, command.title, show=False, priority=priority, id=command.id)
        for key in command.keys or (f"{_NO_KEY}+{command.id}",)
    ]
