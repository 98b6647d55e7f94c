"""The table of commands and the keys of real terminals."""

from __future__ import annotations

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.binding import Binding

from localsteer.tui.app import LocalsteerApp
from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.keymap import Keymap, app_bindings, chat_bindings, panel_bindings, shown_key
from localsteer.tui.keys import COMMANDS, GROUPS
from localsteer.tui.terminal import claim_alt_keys


def action_name(action: str) -> str:
    return action.removeprefix("screen.").partition("(")[0]


@pytest.mark.parametrize(
    ("bindings", "place"),
    [(chat_bindings(), ChatScreen), (panel_bindings(), ChatScreen), (app_bindings(), LocalsteerApp)],
    ids=["anywhere", "in the dials", "over dialogs"],
)
def test_every_key_means_one_thing_that_exists(bindings: list[Binding], place: type) -> None:
    keys = [binding.key for binding in bindings]
    assert len(keys) == len(set(keys))
    for binding in bindings:
        assert hasattr(place, f"action_{action_name(binding.action)}")


def test_every_command_on_dials_works_without_an_alt_key() -> None:
    for command in COMMANDS:
        if command.group == "Dials" and command.action != "toggle_panel":
            assert command.panel_keys or any(not key.startswith("alt+") for key in command.keys), command


def test_every_command_without_a_safe_key_is_in_the_palette_or_on_the_panel() -> None:
    for command in COMMANDS:
        assert command.in_palette or command.panel_keys or command.keys, command


def test_the_key_help_names_every_command() -> None:
    rows = [words for group in GROUPS for _, _, words in Keymap({}).help_rows(group)]
    for command in COMMANDS:
        assert command.help in rows


def test_keys_are_shown_as_a_keyboard_names_them() -> None:
    assert shown_key("alt+shift+left") == "Alt+Shift+←"
    assert shown_key("ctrl+r") == "Ctrl+R"
    assert shown_key("f1") == "F1"
    assert shown_key("m") == "m"
    assert shown_key("alt+comma") == "Alt+,"
    assert shown_key("ctrl+space") == "Ctrl+space"


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        *((f"\x1b{digit}", f"alt+{digit}") for digit in "0123456789"),
        ("\x1b[49;3u", "alt+1"),
        ("\x1b[1;3C", "alt+right"),
        ("\x1b[1;4D", "alt+shift+left"),
        ("\x1b[1;3A", "alt+up"),
        ("\x1b=", "alt+equals_sign"),
        ("\x1b[61;3u", "alt+equals_sign"),
        ("\x1b,", "alt+comma"),
        ("\x1b.", "alt+full_stop"),
        ("\x1b[44;3u", "alt+comma"),
        ("\x1b[1;4A", "alt+shift+up"),
        ("1", "1"),
        ("¡", "inverted_exclamation_mark"),
    ],
)
def test_what_terminals_send_arrives_as_the_key_that_was_pressed(sent: str, key: str) -> None:
    claim_alt_keys()
    pressed = [event.key for event in XTermParser().feed(sent) if isinstance(event, events.Key)]
    assert pressed == [key]
