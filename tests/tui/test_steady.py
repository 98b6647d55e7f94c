"""Quick fingers: a second key or click that was under way when the first one changed everything does no harm."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import pytest
from rich.console import RenderableType
from rich.style import Style
from rich.text import Text
from textual import events
from textual.command import CommandPalette
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Offset, Size
from textual.selection import Selection
from textual.widgets import Input, OptionList, TabbedContent
from textual.widgets._toast import Toast
from textual.worker import WorkerState

from localsteer.engine.protocol import Sampling, TokensRead, Turn
from localsteer.library.places import Places
from localsteer.library.scenes import Scene
from localsteer.library.scenes_file import save_scene
from localsteer.library.settings import Settings
from localsteer.plots.portrait import TokenFigures
from localsteer.tui.dialogs.add_dial import AddDial
from localsteer.tui.dialogs.ask_line import AskLine
from localsteer.tui.dialogs.conversations import Conversations
from localsteer.tui.dialogs.key_help import KeyHelp
from localsteer.tui.dialogs.models import Models
from localsteer.tui.dialogs.system_prompt import SystemPrompt
from localsteer.tui.dialogs.token_view import TokenView
from localsteer.tui.dialogs.vector_card import Progress
from localsteer.tui.mends import Remark
from localsteer.tui.palette_window import Palette
from localsteer.tui.past import PastMessage
from localsteer.tui.steady import work_beside
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.messages import ReplyView
from localsteer.tui.widgets.past_page import PastPage
from localsteer.tui.widgets.token_table import TokenTable
from localsteer.tui.widgets.too_small import TooSmall
from localsteer.tui.widgets.transcript import Transcript
from tests.tui.conftest import OpenApp, Running, remarks
from tests.tui.test_vector_card import open_card, tokens


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


# ---------------------------------------------------------------- one app, one moment after the other


async def a_second_click_beside_a_window_closes_nothing_more(running: Running) -> None:
    for key in ("ctrl+p", "f1"):
        await running.pilot.press(key)
        assert len(running.app.screen_stack) == 2
        click_beside(running)
        click_beside(running)
        await quiet(running)
        assert running.app.screen is running.screen


async def a_second_esc_closes_nothing_more(running: Running) -> None:
    await running.pilot.press("ctrl+s")
    at_once(running, "escape", "escape", "escape")
    await quiet(running)


async def what_was_opened_over_a_window_closes_with_it(running: Running) -> None:
    await running.pilot.press("ctrl+s")
    window = running.app.screen
    assert isinstance(window, SystemPrompt)
    running.app.push_screen(Palette())
    # The palette is only just being opened.
    window.dismiss("Be kind.")
    await running.until(lambda: running.app.screen is running.screen)
    await running.until(lambda: running.screen.talk.system_prompt == "Be kind.")


async def a_window_that_is_closed_before_it_is_there_opens_and_closes(running: Running) -> None:
    window = KeyHelp(running.screen.keymap)
    running.app.push_screen(window)
    window.dismiss(None)
    await running.until(lambda: running.app.screen is running.screen)


async def a_key_means_nothing_to_a_screen_that_is_gone(running: Running) -> None:
    await running.pilot.press("ctrl+o")
    window = running.app.screen
    assert isinstance(window, Conversations)
    assert window.check_action("move", (1,))
    await running.pilot.press("escape")
    assert not window.check_action("move", (1,))


async def a_list_of_models_that_was_closed_fills_itself_no_more(running: Running) -> None:
    await running.pilot.press("ctrl+l")
    window = running.app.screen
    assert isinstance(window, Models)
    await window.dismiss(None)
    window._fill()
    window._show_highlight()
    window._watch()


async def a_click_on_what_was_just_removed_is_none(running: Running) -> None:
    screen = running.screen
    place = screen.query("NoteLine").first().region.offset
    widget, _ = screen.get_widget_and_offset_at(*place)
    assert widget is not None
    parent, widget._parent = widget._parent, None
    found = screen.get_widget_and_offset_at(*place)
    widget._parent = parent
    assert found == (None, None)


async def click_at(running: Running, x: int, y: int) -> None:
    driver = running.app._driver
    assert driver is not None
    for kind in (events.MouseDown, events.MouseUp):
        driver.process_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
    await quiet(running)


async def a_command_that_is_entered_twice_is_done_once(running: Running) -> None:
    done: list[object] = []
    running.app.theme_changed_signal.subscribe(running.app, done.append)
    await running.pilot.press("ctrl+p", *"light or")
    options = running.app.screen.query_one(OptionList)
    await running.until(lambda: options.option_count == 1)
    at_once(running, "enter", "enter", "enter")
    await running.until(lambda: running.app.screen is running.screen)
    await quiet(running)
    assert len(done) == 1


async def a_line_that_is_entered_twice_is_taken_once(running: Running) -> None:
    taken: list[str] = []

    def take(text: str, sure: bool) -> str:
        taken.append(text)
        return ""

    await running.app.push_screen(AskLine("Import", "A file.", "talk.json", take))
    at_once(running, "enter", "enter", "enter")
    await running.until(lambda: running.app.screen is running.screen)
    await quiet(running)
    assert taken == ["talk.json"]


async def a_key_finds_its_way_though_what_has_the_focus_is_gone(running: Running) -> None:
    field = Input()
    await running.screen.query_one("#messages").mount(field)
    await running.until(lambda: field.region.area)
    # What is leaving is still painted, and a click gives it the focus.
    place = field.region.offset
    field.remove()
    await click_at(running, *place)
    await running.until(lambda: not field.is_attached)
    at_once(running, "f1")
    await running.until(lambda: isinstance(running.app.screen, KeyHelp))
    at_once(running, "escape")
    await quiet(running)
    assert running.screen.focused is running.screen.query_one(Composer)


async def esc_closes_a_window_though_what_had_the_focus_is_gone(running: Running) -> None:
    at_once(running, "alt+a")
    await running.until(lambda: isinstance(running.app.screen, AddDial) and running.app.screen.usable)
    search = running.app.screen.query_one("#search")
    assert search.task is not None
    search.task.cancel()
    await running.until(lambda: not search.is_attached)
    at_once(running, "escape")
    await quiet(running)


def is_seen(running: Running, window: type[AddDial] | type[KeyHelp]) -> bool:
    return isinstance(running.app.screen, window)


async def a_window_that_opens_late_opens_once_and_over_no_other(running: Running) -> None:
    for keys, window in ((("alt+a", "alt+a", "alt+a"), AddDial), (("alt+a", "f1"), KeyHelp)):
        at_once(running, *keys)
        await running.until(partial(is_seen, running, window))
        # Whatever is still on its way for the chat has come by then.
        come = asyncio.Event()
        running.screen.call_later(come.set)
        await running.until(come.is_set)
        await quiet(running)
        assert [type(one) for one in running.app.screen_stack[1:]] == [window]
        at_once(running, "escape")
        await quiet(running)


async def a_part_that_a_window_covers_does_not_take_the_mouse(running: Running) -> None:
    await running.pilot.press("f1")
    running.screen.query_one(Composer).capture_mouse()
    assert running.app.mouse_captured is None
    click_beside(running)
    await quiet(running)


async def undoing_a_long_paste_leaves_the_app_alive(running: Running) -> None:
    composer, driver = running.screen.query_one(Composer), running.app._driver
    assert driver is not None
    driver.process_message(events.Paste("\n" * 40))
    await running.until(lambda: composer.document.line_count == 41)
    await running.pilot.press("ctrl+z")
    await running.until(lambda: composer.document.line_count == 1)


async def a_reply_that_leaves_the_screen_while_it_grows_leaves_no_task(running: Running) -> None:
    view = ReplyView()
    await running.screen.query_one("#transcript").mount(view)
    await view.feed("Some words")
    await view.remove()
    assert not [task for task in asyncio.all_tasks() if "MarkdownStream" in repr(task)]
    await view.feed(" and more")
    await view.finish("Some words and more")
    assert view.written == "Some words and more"


def remarked(running: Running, words: str) -> bool:
    return words in remarks(running)


async def a_name_that_no_file_can_have_is_refused_in_a_sentence(running: Running) -> None:
    await running.screen.conversing.send("Hello")
    await running.replied()
    for name, why in (("~nobody-is-called-so/talk.md", "home folder"), ("n" * 400 + ".md", "no file of that name")):
        await running.screen.slashing.run(f"/save {name}")
        await running.until(partial(remarked, running, why))
        running.screen.query_one(Composer).text = ""


async def a_terminal_of_no_size_at_all_is_survived(running: Running) -> None:
    driver = running.app._driver
    assert isinstance(driver, HeadlessDriver)
    for width, height in ((1, 1), (2, 1), (3, 24), (4, 24), (5, 24), (7, 24), (100, 24)):
        driver._size = Size(width, height)
        running.app.post_message(events.Resize(driver._size, driver._size))
        await quiet(running)
    assert running.text().strip()


async def test_quick_fingers_do_no_harm(open_app: OpenApp, alone: None) -> None:
    async with open_app(settings=Settings(max_tokens=4)) as running:
        await running.loaded()
        for scene in (
            a_second_click_beside_a_window_closes_nothing_more,
            a_second_esc_closes_nothing_more,
            a_click_on_what_was_just_removed_is_none,
            what_was_opened_over_a_window_closes_with_it,
            a_window_that_is_closed_before_it_is_there_opens_and_closes,
            a_key_means_nothing_to_a_screen_that_is_gone,
            a_list_of_models_that_was_closed_fills_itself_no_more,
            a_command_that_is_entered_twice_is_done_once,
            a_line_that_is_entered_twice_is_taken_once,
            a_key_finds_its_way_though_what_has_the_focus_is_gone,
            esc_closes_a_window_though_what_had_the_focus_is_gone,
            a_window_that_opens_late_opens_once_and_over_no_other,
            a_part_that_a_window_covers_does_not_take_the_mouse,
            undoing_a_long_paste_leaves_the_app_alive,
            a_reply_that_leaves_the_screen_while_it_grows_leaves_no_task,
            a_name_that_no_file_can_have_is_refused_in_a_sentence,
            a_terminal_of_no_size_at_all_is_survived,
        ):
            await scene(running)
            assert running.app.screen is running.screen, scene.__name__


# ---------------------------------------------------------------- the palette


@pytest.mark.parametrize("name", ["a [/] b", "a [/", "[b]bold", "\\\\[/]", "@[click=app.bell]x[/]"])
async def test_the_palette_shows_names_as_they_are(name: str, open_app: OpenApp, places: Places) -> None:
    save_scene(places, Scene(name, sampling=Sampling(), model=name))
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("ctrl+p", *"scene")
        await running.until(lambda: running.text().count(name) == 2)


async def test_what_the_palette_finds_by_name_waits_for_what_the_screen_is_about(
    open_app: OpenApp, heat_at_hand: Path
) -> None:
    async with open_app() as running:
        await running.loaded()
        done = asyncio.Event()
        running.screen.call_later(done.wait)
        try:
            await running.pilot.press("ctrl+p", *"dial: heat")
            await running.until(lambda: "Dial: heat" in running.text())
            at_once(running, "enter")
            await running.until(lambda: running.app.screen is running.screen)
            await asyncio.sleep(0.3)
            assert not running.screen.dialling.rack.dials
        finally:
            done.set()
        await running.until(lambda: running.screen.dialling.rack.names() == ("heat",))


async def test_a_palette_survives_what_comes_too_early_and_too_late(open_app: OpenApp) -> None:
    async with open_app() as running:
        # A page down before there are lines.
        at_once(running, "ctrl+p", "pagedown", "pageup")
        await quiet(running)
        palette = running.app.screen
        assert isinstance(palette, Palette)
        # A click beside the terminal, which became smaller, and one on an option that is gone.
        palette.post_message(events.Click(palette, 300, 200, 0, 0, 1, False, False, False, 300, 200))
        options = palette.query_one(OptionList)
        await running.until(lambda: options.option_count and options.region.height > 1)
        x, y = options.region.offset + Offset(1, 1)
        stale = Style(meta={"option": 1000})
        options.post_message(events.Click(options, 1, 1, 0, 0, 1, False, False, False, x, y, stale))
        await quiet(running)
        assert palette.there
        # A page up in a list that is not laid out.
        options._index_to_line.clear()
        options._move_page(-1)
        # What is typed while it closes.
        field = palette.query_one(Input)
        palette.dismiss()
        field.post_message(Input.Changed(field, "copy"))
        await running.until(lambda: not palette.is_running)
        # What begins to look for it then.
        await palette._gather_commands("copy").wait()
        # Opened and closed and opened in one moment.
        at_once(running, "ctrl+p", "escape", "ctrl+p")
        await quiet(running)
        assert sum(isinstance(one, CommandPalette) for one in running.app.screen_stack) <= 1


async def test_a_window_that_is_only_just_being_opened_does_not_hold_up_the_end_of_the_app(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        found = await running.screen.dialling.choices()
        assert found is not None
        running.app.push_screen(AddDial(*found, ()))


async def test_a_key_that_comes_when_the_last_screen_has_gone_is_none(open_app: OpenApp) -> None:
    async with open_app() as running:
        app = running.app
    assert not app.screen_stack
    for event in (events.Key("f2", None), events.Paste("late"), events.AppBlur(), events.AppFocus()):
        await app.on_event(event)


def test_the_palettes_inner_parts_are_still_called_as_they_were() -> None:
    for name in ("_watch__list_visible", "_watch__show_busy", "_gather_commands"):
        assert hasattr(CommandPalette, name)


async def test_what_is_said_to_the_view_of_tokens_before_it_is_there_or_after_is_no_trouble(open_app: OpenApp) -> None:
    async with open_app() as running:
        view = TokenView((Turn("user", "Hi"),), 0, "reading…")
        view.say("The engine is gone.")
        await running.app.push_screen(view)
        await running.until(lambda: "The engine is gone." in running.text())
        view.dismiss(None)
        await running.until(lambda: running.app.screen is running.screen)
        await running.until(lambda: not view.is_attached)
        view.say("too late")
        await view.fill(TokensRead(1, (), (), True, 0))


async def test_a_vector_card_that_is_taken_down_while_its_tokens_are_read(open_app: OpenApp) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(_: Progress) -> TokenFigures:
        begun.set()
        assert go_on.wait(30)
        return tokens(_)

    async with open_app() as running:
        await open_card(running, find=slowly)
        running.app.screen.query_one(TabbedContent).active = "tokens"
        await running.until(begun.is_set)
        reading = next(worker for worker in running.app.workers if worker.node is running.app.screen)
        # As when the app is taken down.
        await running.app.screen.query_one(TokenTable).remove()
        go_on.set()
        await running.until(lambda: reading.is_finished)
        assert reading.state is not WorkerState.ERROR


async def test_work_that_is_cancelled_before_it_began_leaves_nothing_unawaited(open_app: OpenApp) -> None:
    async with open_app() as running:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            work_beside(running.screen, running.screen.slashing._find_names)
            # As when the app is taken down.
            running.app.workers.cancel_all()
            await quiet(running)
            gc.collect()
    assert [one for one in warned if "never awaited" in str(one.message)] == []


@pytest.mark.parametrize(
    "span", [((0, 3), (9, 3)), ((2, 0), (2, 1)), ((5, 0), (9, 0)), ((4, 1), (9, 3)), ((0, 1), (4, 1))]
)
async def test_a_selection_may_begin_or_end_behind_the_end_of_a_line(
    span: tuple[tuple[int, int], tuple[int, int]], open_app: OpenApp
) -> None:
    def said(text: str, dark: bool) -> RenderableType:
        return Text(text)

    async with open_app() as running:
        page = PastPage([PastMessage(None, partial(said, line)) for line in ("ab", "a中b", "")], dark=True)
        await running.screen.query_one("#messages").mount(page)
        await running.until(lambda: page.size.height == 5, 5)
        lines = [page.drawn_line(y).text for y in range(page.size.height)]
        running.screen.selections = {page: Selection(*(Offset(*place) for place in span))}
        await quiet(running)
        assert [page.render_line(y).text for y in range(page.size.height)] == lines


# ---------------------------------------------------------------- two things at once


async def test_a_page_is_not_looked_for_beside_messages_that_are_just_being_replaced(open_app: OpenApp) -> None:
    async with open_app() as running:
        await stopped_reply(running)
        talk = running.screen.talk
        messages, talk.messages = talk.messages, talk.messages[1:]
        await running.screen.revisiting.show_more(-1)
        talk.messages = messages
        assert running.questions() == ["Hello"]


async def test_a_dial_that_goes_while_it_is_dragged_is_no_trouble(open_app: OpenApp, heat_at_hand: Path) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.screen.dialling.add("heat")
        row = running.screen.query_one(DialRow)
        x, y = row.region.x + 4, row.region.y
        move = events.MouseMove(row, 4, 0, 0, 1, 1, False, False, False, x, y + 1)
        row.on_mouse_down(events.MouseDown(row, 4, 0, 0, 0, 1, False, False, False, x, y))
        assert row._carried == 0
        await row.remove()
        assert row.parent is None
        row.on_mouse_move(move)


async def test_an_edited_message_waits_for_the_reply_that_is_written_again(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
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


async def test_again_that_is_stopped_before_its_turn_leaves_the_reply_that_was_there(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        # Nothing is heard meanwhile: the first reply still runs, into the record; the second waits.
        async with running.nothing_heard():
            await running.screen.conversing.again()
            assert running.screen.link.waiting == 1
            await running.screen._stop()
        await running.until(lambda: running.screen.link.idle and not running.screen.conversing._replies)
        talk = running.screen.talk
        await running.until(lambda: [message.role for message in talk.messages] == ["user", "assistant"])
        whole = talk.store.message(talk.messages[-1].id).content
        await running.until(lambda: [reply.written for reply in running.replies()] == [whole.strip("\n")])
        assert talk.messages[-1].content == whole
        assert running.screen.query_one(Composer).text == ""


def path_in_record(running: Running) -> list[tuple[str, str]]:
    talk = running.screen.talk
    assert talk.conversation is not None
    return [(message.role, message.content) for message in talk.store.open(talk.conversation.id).messages]


def path_here(running: Running) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in running.screen.talk.messages]


async def stopped_reply(running: Running) -> str:
    """What was written until it was stopped."""
    await running.loaded()
    await running.say("Hello")
    await running.writing()
    await running.pilot.press("escape")
    await running.replied()
    return running.replies()[0].written


async def test_a_reply_that_is_turned_away_from_before_its_first_word_leaves_no_trace(open_app: OpenApp) -> None:
    async with open_app() as running:
        whole = await stopped_reply(running)
        before = path_in_record(running)
        # Nothing is heard meanwhile: the second reply runs, the third waits for it and is forgotten.
        async with running.nothing_heard():
            at_once(running, "ctrl+r", "ctrl+r", "escape")
            await quiet(running)
            await running.until(lambda: running.screen.link.waiting == 0)
        await running.until(lambda: running.screen.link.idle and not running.screen.conversing._replies)
        await quiet(running)
        assert [reply.written for reply in running.replies()] == [whole]
        assert path_here(running) == path_in_record(running) == before
        assert running.screen.talk.messages[-1].alternatives == 1


async def test_a_reply_written_again_that_an_engines_death_ends_leaves_the_one_that_was_there(
    open_app: OpenApp,
) -> None:
    async with open_app() as running:
        whole = await stopped_reply(running)
        before = path_in_record(running)
        async with running.nothing_heard():
            client = running.screen.link.client
            for _ in range(2):
                client.kill()
                await running.until(lambda: not client.alive)
                if not running.screen.conversing.writing:
                    await running.pilot.press("ctrl+r")
                    await running.until(lambda: running.screen.conversing.writing)
        await running.until(lambda: "Nothing of the conversation is lost" in running.notes())
        await quiet(running)
        assert path_here(running) == path_in_record(running) == before
        assert [reply.written for reply in running.replies()] == [whole]


async def test_a_reply_that_is_there_again_ends_without_taking_the_next_one_off_the_screen(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.writing()
        # Nothing is heard meanwhile: the reply is turned away from, and is there again as the other one is stopped.
        async with running.nothing_heard():
            await running.screen.conversing.again()
            await running.screen._stop()
            assert [message.role for message in running.screen.talk.messages] == ["user", "assistant"]
            await running.say("And now?")
            await running.until(lambda: running.screen.conversing.writing)
        await running.until(lambda: any(one.view and one.tokens > 3 for one in running.screen.conversing._replies))
        await running.pilot.press("escape")
        await running.until(lambda: running.screen.link.idle and not running.screen.conversing._replies)
        await quiet(running)
        path = path_in_record(running)
        assert path_here(running) == path
        assert [reply.written for reply in running.replies()] == [words for role, words in path if role == "assistant"]


@pytest.mark.parametrize("command", [("ctrl+n",), (*"/new", "enter")])
async def test_what_is_entered_behind_a_command_comes_after_it(command: tuple[str, ...], open_app: OpenApp) -> None:
    async with open_app() as running:
        await stopped_reply(running)
        before = running.screen.talk.conversation
        # The input opens its list of commands late; what is typed does not wait for it.
        at_once(running, *command, *"hi", "enter")
        await running.until(lambda: running.questions() == ["hi"])
        await running.until(lambda: running.screen.conversing.writing)
        assert before is not None
        assert running.screen.talk.conversation is not None
        assert running.screen.talk.conversation.id != before.id


async def test_keys_that_come_while_the_app_ends_are_no_trouble(open_app: OpenApp) -> None:
    async with open_app() as running:
        running.app.exit()
        key = events.Key("alt+x", None)
        # As one that nobody below wanted comes back up.
        key._set_forwarded()
        await running.app._dispatch_message(key)
        assert key._no_default_action


async def test_a_note_that_comes_when_its_conversation_was_cut_off_already_is_no_trouble(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        transcript = running.screen.query_one(Transcript)
        parent = transcript._parent
        assert parent is not None
        # As when the app ends while the screen is about to say something.
        transcript._detach()
        try:
            note = await transcript.add_note("The conversation is longer than the context.")
        finally:
            transcript._attach(parent)
        assert not note.is_attached


async def test_a_remark_whose_time_has_just_run_out_does_not_keep_the_app_busy_for_ever(open_app: OpenApp) -> None:
    async with open_app() as running:
        late = Remark("It is late.", timeout=-1)
        assert late.has_expired
        assert late.time_left > 0
        await running.app.screen.mount(Toast(late))
        await running.until(lambda: not running.app.screen.query(Toast))
        running.app.notify("Said in passing.")
        await running.until(lambda: "Said in passing." in running.text())
        assert all(isinstance(one, Remark) for one in running.app._notifications)


async def test_many_remarks_do_not_cover_the_conversation(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        for number in range(11):
            running.screen.say("The same.")
            running.screen.say(f"Number {number}.")
        running.screen.say("Wrong.", True)
        await running.until(lambda: "Wrong." in running.text())
        assert remarks(running).splitlines() == ["Number 8.", "Number 9.", "The same.", "Number 10.", "Wrong."]
        await running.until(lambda: "Number 10." in running.text() and "Number 7." not in running.text())


def test_a_remark_goes_when_its_time_is_over_though_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    remark = Remark("Hello", timeout=5)
    now = time.monotonic()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now + 4)
    assert not remark.has_expired
    assert 0 < remark.time_left <= 1
    monkeypatch.setattr(time, "monotonic", lambda: now + 5)
    assert remark.has_expired


async def test_sizes_that_overtake_each_other_leave_the_one_that_the_terminal_has(open_app: OpenApp) -> None:
    async with open_app(size=(100, 30)) as running:
        await running.loaded()
        screen = running.screen
        for width, height in ((80, 24), (20, 5), (120, 40)):
            screen.post_message(events.Resize(Size(width, height), Size(width, height)))
            # Neighbours would be taken for one.
            screen.call_later(lambda: None)
        await quiet(running)
        assert screen.outer_size == running.app.size == Size(100, 30)
        assert not screen.query_one(TooSmall).display


async def test_a_list_that_has_no_column_for_its_words_waits_for_one(open_app: OpenApp) -> None:
    async with open_app(size=(100, 30)) as running:
        await running.loaded()
        at_once(running, "alt+a")
        await running.until(partial(is_seen, running, AddDial))
        await quiet(running)
        before = running.text()
        options = running.app.screen.query_one(OptionList)
        for width in range(16, 0, -1):
            await running.pilot.resize_terminal(width, 24)
            options.add_option(f"x{width}")
            await quiet(running)
            options.remove_option_at_index(options.option_count - 1)
        await running.pilot.resize_terminal(100, 30)
        await running.until(lambda: running.text() == before)


@pytest.mark.parametrize("key", ["", "alt+a", "alt+h", "ctrl+l", "f1"])
async def test_nothing_scrolls_as_a_whole_in_a_tiny_terminal(key: str, open_app: OpenApp) -> None:
    async with open_app(size=(100, 30)) as running:
        await running.loaded()
        if key:
            await running.pilot.press(key)
            await running.until(lambda: running.app.screen is not running.screen)
        for size in ((40, 3), (20, 5), (1, 1)):
            await running.pilot.resize_terminal(*size)
            assert not running.app.screen.show_vertical_scrollbar
            assert not running.app.screen.show_horizontal_scrollbar


@pytest.mark.parametrize("window", ["", "ctrl+o", "ctrl+l", "alt+a"])
async def test_a_command_key_that_means_nothing_leaves_no_letter(window: str, open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        if window:
            await running.pilot.press(window)
            await running.until(lambda: running.app.screen is not running.screen and running.app.focused is not None)
        field = running.app.focused
        assert isinstance(field, Input | Composer)
        # As a terminal with the Kitty protocol says it.
        running.app.post_message(events.Key("alt+y", "y"))
        await running.pilot.press("z")
        assert (field.value if isinstance(field, Input) else field.text) == "z"
