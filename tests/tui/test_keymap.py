"""Keys as the person sets them: what can be had is had everywhere, what cannot is said and changes nothing."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from localsteer.library.settings import Settings
from localsteer.tui.dialogs.key_help import KeyHelp
from localsteer.tui.dialogs.system_prompt import SystemPrompt
from localsteer.tui.keymap import app_bindings, chat_bindings, default_keys, keymap_of, panel_bindings
from localsteer.tui.theme import DARK, LIGHT
from localsteer.tui.widgets.dials_panel import DialsPanel
from tests.tui.conftest import OpenApp


def test_without_wishes_nothing_changes() -> None:
    assert keymap_of({}).for_textual == {}
    assert keymap_of({"again": ("ctrl+r",)}).changed == {}


def test_keys_are_written_as_people_write_them() -> None:
    wanted = {"stop": ("esc", "f11"), "previous_dial": ("f2",), "again": ("alt+pgup",)}
    assert keymap_of(wanted).changed == {
        "stop": ("escape", "f11"),
        "previous_dial": ("f2",),
        "again": ("alt+pageup",),
    }


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("agian", "ctrl+b", 'did you mean "again"?'),
        ("again", "ctrl+", "is no key"),
        ("again", "hyperspace", "is no key"),
        ("again", "control+g", "is no key"),
        ("again", "g", "needed for writing"),
        ("again", "enter", "needed for writing"),
        ("again", "ctrl+m", "terminals cannot tell from Enter"),
        ("again", "alt+3", "picks a dial"),
        ("again", "ctrl+n", "the key of new_chat"),
        ("panel_mute", "s", "the key of panel_solo"),
        ("panel_mute", "3", "picks a dial"),
        ("quit", "ctrl+p", "the key of command_palette"),
    ],
)
def test_what_cannot_be_had_is_one_sentence_and_the_default_stays(name: str, key: str, why: str) -> None:
    keymap = keymap_of({name: (key,), "mute": ("alt+f2",)})
    (problem,) = keymap.problems
    assert why in problem
    assert name in problem
    assert keymap.changed == {"mute": ("alt+f2",)}


def test_two_commands_can_change_places_but_not_share_a_key() -> None:
    keymap = keymap_of({"again": ("ctrl+n",), "new_chat": ("ctrl+r",)})
    assert keymap.problems == ()
    shared = keymap_of({"again": ("ctrl+b",), "new_chat": ("ctrl+b",)})
    assert len(shared.problems) == 1
    assert len(shared.changed) == 1


def test_a_wish_that_falls_takes_those_with_it_that_needed_it() -> None:
    keymap = keymap_of({"again": ("ctrl+n",), "new_chat": ("enter",)})
    assert keymap.changed == {}
    assert len(keymap.problems) == 2


def test_every_command_that_can_be_set_is_bound_under_its_name() -> None:
    bindings = [*chat_bindings(), *app_bindings(), *panel_bindings()]
    assert set(default_keys()) <= {binding.id for binding in bindings if isinstance(binding, Binding)}


async def test_the_changed_key_works_the_old_one_does_not_and_help_and_foot_line_say_so(
    open_app: OpenApp,
) -> None:
    keys = {"toggle_theme": ("f9",), "keys_help": ("ctrl+b",), "panel_mute": ("v",), "system_prompt": ()}
    async with open_app(size=(120, 100), settings=Settings(keys=keys)) as running:
        app = running.app
        await running.pilot.press("ctrl+t", "f1", "ctrl+s", "f8")
        await running.pilot.press("f9")
        await running.until(lambda: app.theme == LIGHT)
        assert app.screen is running.screen
        await running.pilot.press("f9")
        await running.until(lambda: app.theme == DARK)
        await running.until(lambda: "Ctrl+B keys" in running.text())
        await running.pilot.press("f6")
        await running.until(lambda: running.screen.query_one(DialsPanel).has_focus and "v mute" in running.text())
        await running.pilot.press("ctrl+b")
        await running.until(lambda: isinstance(app.screen, KeyHelp) and "Ctrl+B" in running.text())
        assert not any(isinstance(screen, SystemPrompt) for screen in app.screen_stack)


async def test_what_cannot_be_had_is_a_note_at_the_start(open_app: OpenApp) -> None:
    async with open_app(settings=Settings(keys={"again": ("ctrl+n",), "agian": ("f11",)})) as running:
        await running.until(lambda: "the key of new_chat" in running.notes() and '"agian"' in running.notes())
