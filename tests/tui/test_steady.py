"""Quick fingers: a second key or click that was under way when the first one changed everything does no harm."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual import events
from textual.command import CommandPalette
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Offset, Size
from textual.widgets import Input, OptionList

from localsteer.library.places import Places
from localsteer.tui.dialogs.conversations import Conversations
from localsteer.tui.dialogs.key_help import KeyHelp
from localsteer.tui.dialogs.models import Models
from localsteer.tui.dialogs.system_prompt import SystemPrompt
from localsteer.tui.palette_window import Palette
from localsteer.tui.steady import SteadyScreen
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.messages import ReplyView
from tests.tui.conftest import OpenApp, Running, remarks


def at_once(running: Running, *keys: str) -> None:
    """Keys that arrive together, before anything is done about the first."""
    driver = running.app._driver
    assert driver is not None
    for key in keys:
        driver.process_message(events.Key(key, key if len(key) == 1 else None))


def click_beside(running: Running) -> None:
    driver = running.app._driver
    assert driver is not None
    for kind in (events.MouseDown, events.MouseUp):
        driver.process_message(kind(None, 0, 0, 0, 0, 1, False, False, False, 0, 0))


async def quiet(running: Running) -> None:
    await running.pilot.pause()
    await running.until(lambda: running.app._message_queue.empty())
    await running.pilot.pause()


@pytest.mark.parametrize("key", ["ctrl+p", "f1"])
async def test_a_second_click_beside_a_window_closes_nothing_more(open_app: OpenApp, key: str) -> None:
    async with open_app() as running:
        await running.pilot.press(key)
        assert len(running.app.screen_stack) == 2
        click_beside(running)
        click_beside(running)
        await quiet(running)
        assert running.app.screen is running.screen


async def test_a_click_outside_a_terminal_that_became_smaller_is_none(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+p")
        palette = running.app.screen
        palette.post_message(events.Click(palette, 300, 200, 0, 0, 1, False, False, False, 300, 200))
        await quiet(running)
        assert running.app.screen is palette


async def test_a_second_esc_closes_nothing_more(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+s")
        at_once(running, "escape", "escape", "escape")
        await quiet(running)
        assert running.app.screen is running.screen


async def test_what_was_opened_over_a_window_closes_with_it(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+s")
        window = running.app.screen
        assert isinstance(window, SystemPrompt)
        # The palette is only just being opened when the window is told to close.
        at_once(running, "ctrl+p")
        window.call_later(window._dismiss_now, "Be kind.")
        await running.until(lambda: running.app.screen is running.screen)
        await running.until(lambda: running.screen.talk.system_prompt == "Be kind.")


async def test_a_window_that_is_closed_before_it_is_there_opens_and_closes(open_app: OpenApp) -> None:
    async with open_app() as running:
        window = KeyHelp(running.screen.keymap)
        running.app.push_screen(window)
        window.dismiss(None)
        await running.until(lambda: running.app.screen is running.screen)


async def test_a_palette_opened_twice_in_a_moment_is_one_palette(open_app: OpenApp) -> None:
    async with open_app() as running:
        for _ in range(3):
            at_once(running, "ctrl+p", "escape", "ctrl+p")
            await quiet(running)
            assert sum(isinstance(one, CommandPalette) for one in running.app.screen_stack) <= 1
            if isinstance(running.app.screen, Palette):
                await running.pilot.press("escape")


async def test_what_is_typed_into_a_palette_that_closes_is_searched_for_no_more(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+p")
        palette = running.app.screen
        field = palette.query_one(Input)
        palette.dismiss()
        field.post_message(Input.Changed(field, "copy"))
        await quiet(running)
        await running.until(lambda: not palette.is_running)
        assert running.app.screen is running.screen


async def test_paging_in_a_palette_that_is_not_laid_out_yet_goes_nowhere(open_app: OpenApp) -> None:
    async with open_app() as running:
        at_once(running, "ctrl+p", "pagedown", "pageup")
        await quiet(running)
        assert isinstance(running.app.screen, Palette)


def test_the_palettes_inner_parts_are_still_called_as_they_were() -> None:
    for name in ("_watch__list_visible", "_watch__show_busy", "_action_command_list"):
        assert hasattr(CommandPalette, name)


async def test_a_key_means_nothing_to_a_screen_that_is_gone(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+o")
        window = running.app.screen
        assert isinstance(window, Conversations)
        assert window.check_action("move", (1,))
        await running.pilot.press("escape")
        assert not window.check_action("move", (1,))


async def test_a_click_on_what_was_just_removed_is_none(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        screen = running.app.screen
        assert isinstance(screen, SteadyScreen)
        place = screen.query("NoteLine").first().region.offset
        widget, _ = screen.get_widget_and_offset_at(*place)
        assert widget is not None
        parent, widget._parent = widget._parent, None
        found = screen.get_widget_and_offset_at(*place)
        widget._parent = parent
        assert found == (None, None)


async def test_a_list_of_models_that_was_closed_fills_itself_no_more(open_app: OpenApp, alone: None) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+l")
        window = running.app.screen
        assert isinstance(window, Models)
        await window.dismiss(None)
        window._fill()
        window._show_highlight()
        window._watch()


async def test_a_click_on_an_option_that_is_there_no_more_is_none(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+p")
        options = running.app.screen.query_one(OptionList)
        await running.until(lambda: options.option_count)
        x, y = options.region.offset + Offset(1, 1)
        click = events.Click(options, 1, 1, 0, 0, 1, False, False, False, x, y, Style(meta={"option": 1000}))
        options.post_message(click)
        await quiet(running)
        assert isinstance(running.app.screen, Palette)


async def test_undoing_a_long_paste_leaves_the_app_alive(open_app: OpenApp) -> None:
    async with open_app() as running:
        composer = running.screen.query_one(Composer)
        driver = running.app._driver
        assert isinstance(driver, HeadlessDriver)
        driver.process_message(events.Paste("\n" * 40))
        await running.until(lambda: composer.document.line_count == 41)
        await running.pilot.press("ctrl+z")
        await running.until(lambda: composer.document.line_count == 1)


async def test_a_reply_that_leaves_the_screen_while_it_grows_leaves_no_task(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        view = ReplyView()
        await running.screen.query_one("#transcript").mount(view)
        await view.feed("Some words")
        await view.remove()
        await view.feed(" and more")
        await view.finish("Some words and more")
        assert view.written == "Some words and more"


@pytest.mark.parametrize("name", ["~nobody-is-called-so/talk.md", "n" * 400 + ".md"])
async def test_a_name_that_no_file_can_have_is_refused_in_a_sentence(open_app: OpenApp, name: str) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.screen.slashing.run(f"/save {name}")
        await running.until(lambda: "no file of that name" in remarks(running) or "home folder" in remarks(running))


async def test_an_edited_message_waits_for_the_reply_that_is_written_again(open_app: OpenApp, places: Places) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.until(lambda: any(reply.tokens > 3 for reply in running.screen.conversing._replies))
        await running.pilot.press("escape")
        await running.replied()
        await running.pilot.press("alt+e")
        assert running.screen.revisiting.editing is not None
        await running.screen.again.begin(running.screen.talk.messages[-1])
        assert running.screen.again.running
        await running.say("Hello again")
        await running.until(lambda: "is being written" in remarks(running))
        assert running.screen.revisiting.editing is not None
        assert running.screen.query_one(Composer).text == "Hello again"
        assert running.questions() == ["Hello"]


async def test_a_terminal_of_no_size_at_all_is_survived(open_app: OpenApp) -> None:
    async with open_app() as running:
        driver = running.app._driver
        assert isinstance(driver, HeadlessDriver)
        for width, height in ((1, 1), (2, 1), (100, 24)):
            driver._size = Size(width, height)
            running.app.post_message(events.Resize(driver._size, driver._size))
            await quiet(running)
        assert running.text().strip()
