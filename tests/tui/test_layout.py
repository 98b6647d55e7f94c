"""The screen at different sizes, in both themes, and what opens over it."""

from __future__ import annotations

from functools import partial
from itertools import combinations

from textual.command import CommandPalette
from textual.geometry import Region

from localsteer.library.places import Places
from localsteer.library.remembered import read_remembered
from localsteer.tui.dialogs.key_help import KeyHelp
from localsteer.tui.keys import COMMANDS
from localsteer.tui.rack import Dial, Rack
from localsteer.tui.theme import DARK, LIGHT
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.dials_panel import DialsPanel
from localsteer.tui.widgets.header_line import HeaderLine, meter
from localsteer.tui.widgets.key_line import KeyLine
from localsteer.tui.widgets.messages import ReplyView, UserView
from localsteer.tui.widgets.past_page import PastPage
from localsteer.tui.widgets.transcript import Transcript
from tests.tui.conftest import OpenApp, Running

RACK = Rack(
    (
        Dial("mood", "/mood.gguf", "sad", "happy", -0.75, 0.8, layers=(4, 5), strength=0.6),
        Dial("register", "/register.gguf", "casual", "formal", -0.5, 0.5, layers=(4,), strength=-0.25, muted=True),
        Dial("curiosity", "/curiosity.gguf", "keeps to itself", "asks back"),
    )
)


def regions(running: Running) -> list[Region]:
    return [running.screen.query_one(kind).region for kind in (HeaderLine, Transcript, DialsPanel, Composer, KeyLine)]


async def test_at_every_size_nothing_overlaps_and_nothing_is_cut_off(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.loaded()
        await running.screen.dialling.put(RACK)
        for size in ((80, 24), (50, 14), (64, 20), (120, 36), (200, 60)):
            await running.pilot.resize_terminal(*size)
            await running.until(partial(fits, running, Region(0, 0, *size)))


def fits(running: Running, screen: Region) -> bool:
    """Everything has its place on a screen of this size."""
    shown = regions(running)
    return (
        all(region.area > 0 and screen.contains_region(region) for region in shown)
        and not any(one.overlaps(other) for one, other in combinations(shown, 2))
        and shown[-1].bottom == screen.bottom
        and shown[1].height >= 3
        and all(word in running.text() for word in ("localsteer", "mood", "happy", "+0.60", "muted", "Enter send"))
    )


async def test_the_dials_can_be_put_away_and_fetched_back(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        wide = running.screen.query_one(Transcript).region.width
        await running.pilot.press("alt+d")
        await running.until(lambda: running.screen.query_one(Transcript).region.width > wide + 20)
        await running.pilot.press("f6")
        await running.until(lambda: running.screen.query_one(DialsPanel).has_focus)
        assert running.screen.query_one(Transcript).region.width == wide


async def test_a_terminal_made_too_small_says_so_until_it_is_larger_again(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.pilot.resize_terminal(40, 8)
        await running.until(lambda: "too small" in running.text())
        await running.pilot.resize_terminal(80, 24)
        await running.until(lambda: "too small" not in running.text() and "localsteer" in running.text())


async def test_the_theme_changes_by_key_and_is_remembered(open_app: OpenApp, places: Places) -> None:
    async with open_app() as running:
        assert running.app.theme == DARK
        view = await running.screen.query_one(Transcript).add_reply()
        await view.finish("# Title\n\n`code` and **strong**")
        await running.pilot.press("ctrl+t")
        await running.until(lambda: running.app.theme == LIGHT)
        await running.until(lambda: "Title" in running.text())
    assert read_remembered(places).theme == LIGHT
    async with open_app() as running:
        assert running.app.theme == LIGHT


async def test_f1_shows_every_key(open_app: OpenApp) -> None:
    async with open_app(size=(120, 60)) as running:
        await running.pilot.press("f1")
        await running.until(lambda: isinstance(running.app.screen, KeyHelp) and "Alt+1" in running.text())
        for words in ("Ctrl+R", "Alt+M", "Mute the picked dial", "Ctrl+J"):
            assert words in running.text()
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.screen)


async def test_the_palette_holds_the_commands_and_runs_them(open_app: OpenApp) -> None:
    async with open_app() as running:
        offered = {command.title for command in running.app.get_system_commands(running.screen)}
        assert {command.title for command in COMMANDS if command.in_palette} <= offered
        await running.pilot.press("ctrl+p")
        await running.until(lambda: isinstance(running.app.screen, CommandPalette))
        await running.pilot.press(*"light or dark")
        await running.until(lambda: "Light or dark" in running.text())
        await running.pilot.press("down", "enter")
        await running.until(lambda: running.app.theme == LIGHT)


async def test_the_line_of_keys_is_a_line_of_buttons(open_app: OpenApp) -> None:
    async with open_app() as running:
        column = running.text().splitlines()[-1].index("F1 keys")
        await running.pilot.click(KeyLine, offset=(column + 1, 0))
        await running.until(lambda: isinstance(running.app.screen, KeyHelp))


async def test_the_input_grows_with_its_lines_up_to_a_limit(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        composer = running.screen.query_one(Composer)
        composer.text = "\n".join("abc")
        await running.until(lambda: composer.region.height == 5)
        composer.text = "\n".join("abcdefghijkl")
        await running.until(lambda: composer.region.height == 8)
        assert running.screen.query_one(Transcript).region.height >= 10


async def test_a_command_key_leaves_no_letter_in_the_text(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("a", "alt+m", "alt+b", "alt+1", "b")
        await running.until(lambda: running.screen.query_one(Composer).text == "ab")


async def test_it_follows_the_end_until_one_scrolls_back(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.loaded()
        transcript = running.screen.query_one(Transcript)
        for number in range(15):
            await transcript.add_note(f"note {number}")
        await running.until(lambda: "note 14" in running.text())
        await running.pilot.press("pageup")
        await running.until(lambda: "note 14" not in running.text())
        await transcript.add_note("a new one")
        await running.pilot.pause()
        assert "a new one" not in running.text()
        await running.pilot.press("pagedown", "pagedown")
        await running.until(lambda: "a new one" in running.text())
        await transcript.add_note("and another")
        await running.until(lambda: "and another" in running.text())


async def test_old_messages_are_folded_and_look_as_before(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.loaded()
        transcript = running.screen.query_one(Transcript)
        for number in range(8):
            await transcript.add_user(f"question {number} " + "word " * 20)
            view = await transcript.add_reply()
            await view.finish(f"answer **{number}**\n\n- one\n- two\n\n```py\nx = {number}\n```")
            view.show_foot([("mood", "quiet"), (" +1", "pole-positive")])
        await transcript.add_note("an error " * 12, "error")
        await transcript.add_note("a remark " * 12)
        await running.until(lambda: "a remark" in running.text())
        height = transcript.virtual_size.height
        await transcript.add_user("one more")
        await running.until(lambda: transcript.virtual_size.height == height + 2 and "one more" in running.text())
        assert len(transcript.query(PastPage)) == 1
        assert len(transcript.query(UserView)) + len(transcript.query(ReplyView)) < 8
        transcript.scroll_home(animate=False)
        await running.until(lambda: "question 0" in running.text() and "answer 0" in running.text())
        for words in ("█ question 0", "• one", "x = 0", "mood +1"):
            assert words in running.text()


def test_the_context_meter_is_drawn_to_an_eighth_of_a_character() -> None:
    assert meter(0, 4) == "    "
    assert meter(0.5, 4) == "██  "
    assert meter(0.03125, 4) == "▏   "
    assert meter(2, 4) == "████"
