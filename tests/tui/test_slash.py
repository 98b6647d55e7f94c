"""What is typed after a slash: read, completed, and done on the real engine."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from textual import events

from localsteer.engine.protocol import Sampling
from localsteer.errors import DialError
from localsteer.library.places import Places
from localsteer.library.scenes import Scene
from localsteer.library.scenes_file import save_scene
from localsteer.tui.dialogs.compare import CompareScreen
from localsteer.tui.dialogs.conversations import Conversations
from localsteer.tui.dialogs.key_help import KeyHelp
from localsteer.tui.dialogs.layers_and_scope import LayersAndScope
from localsteer.tui.dialogs.models import Models
from localsteer.tui.dialogs.sampling import SamplingPanel
from localsteer.tui.dialogs.scenes import SceneList
from localsteer.tui.dialogs.slash_help import SlashHelp
from localsteer.tui.dialogs.system_prompt import SystemPrompt
from localsteer.tui.dialogs.token_view import TokenView
from localsteer.tui.dialogs.vector_card import VectorCardScreen
from localsteer.tui.keys import COMMANDS
from localsteer.tui.slash import SLASH_COMMANDS, Names, Typed, as_message, completions, is_slash, read_slash
from localsteer.tui.slashing import name_and_strength
from localsteer.tui.theme import CONTRAST
from localsteer.tui.two_words import two_words
from localsteer.tui.widgets.completions import Completions
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.workshop.screen import WorkshopScreen
from tests.tui.conftest import OpenApp, Running

NAMES: Names = {
    "dial": [("mood", "sad ↔ happy"), ("two words", ""), ("remood", "")],
    "model": [("practice", ""), ("little (2)", "")],
}


def test_a_command_is_read_with_what_stands_behind_it() -> None:
    typed = read_slash("/Repeat-Penalty  1.1 ")
    assert isinstance(typed, Typed)
    assert (typed.command.name, typed.argument) == ("repeat_penalty", "1.1")
    typed = read_slash("/system You are\na lighthouse.")
    assert isinstance(typed, Typed)
    assert typed.argument == "You are\na lighthouse."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/modle x", "did you mean model?"),
        ("/etc/passwd is odd", "//etc/passwd"),
        ("/", "There is no command /"),
        ("/new chat", "takes nothing"),
        ("/save", "/save FILE"),
    ],
)
def test_what_is_no_command_is_one_sentence(text: str, words: str) -> None:
    said = read_slash(text)
    assert isinstance(said, str)
    assert words in said
    assert "\n" not in said


def test_two_slashes_are_a_message() -> None:
    assert not is_slash("//etc")
    assert as_message("//etc") == "/etc"
    assert as_message("and/or") == "and/or"


def test_commands_and_arguments_complete() -> None:
    assert [one.text for one in completions("/di", NAMES)] == ["/dial ", "/dials"]
    assert len(completions("/", NAMES)) == len(SLASH_COMMANDS)
    # What others call it leads to it, too.
    assert [one.text for one in completions("/cha", NAMES)] == ["/conversations"]
    assert [one.text for one in completions("/exp", NAMES)] == ["/save "]
    # Those that begin so come before those that hold it.
    assert [one.text for one in completions("/dial mo", NAMES)] == ["/dial mood ", "/dial remood "]
    assert completions("/dial two words 1", NAMES) == ()
    assert [one.text for one in completions("/model lit", NAMES)] == ["/model little (2)"]
    assert completions("//di", NAMES) == completions("/system be", NAMES) == completions("/no way", NAMES) == ()


@pytest.mark.parametrize(
    ("text", "name", "strength"),
    [
        ("mood 1.5", "mood", 1.5),
        ("mood=−0.5", "mood", -0.5),
        ("two words", "two words", None),
        ("2", "", 2.0),
        ("mood*1.2 - 0.5*register @layers 7-9 0.5", "mood*1.2 - 0.5*register @layers 7-9", 0.5),
        ("mood @layers 7", "mood @layers 7", None),
        ("mood nan", "mood nan", None),
    ],
)
def test_a_dial_and_its_strength_are_told_apart(text: str, name: str, strength: float | None) -> None:
    assert name_and_strength(text) == (name, strength)


@pytest.mark.parametrize("text", ["mood 1e30", "mood=-1e300", "mood 1000"])
def test_a_strength_that_no_field_takes_is_refused_after_a_slash_too(text: str) -> None:
    with pytest.raises(DialError, match="is no strength"):
        name_and_strength(text)


@pytest.mark.parametrize("text", ["mood", "here/mood.gguf", "~/mood", "a/b/c", "mood/2", "0.5*mood/calm", "/mood"])
def test_paths_and_expressions_are_no_two_words(text: str) -> None:
    assert two_words(text) is None
    assert two_words("Love/Hate") == ("Love", "Hate")


def test_what_a_slash_command_runs_is_a_command_of_the_app() -> None:
    actions = {command.action for command in COMMANDS}
    assert {command.action for command in SLASH_COMMANDS if command.action} <= actions
    names = [name for command in SLASH_COMMANDS for name in (command.name, *command.also)]
    assert len(names) == len(set(names))


def is_drawn_with(running: Running, name: str, value: float) -> bool:
    return bool(getattr(running.screen.conversing.sampling, name) == value)


async def over(running: Running, kind: type) -> None:
    """Wait for a window of this kind, and close it."""
    await running.until(lambda: isinstance(running.app.screen, kind))
    await running.pilot.press("escape")
    await running.until(lambda: running.app.screen is running.screen)


async def test_every_command_does_what_it_says(
    open_app: OpenApp, alone: None, heat_at_hand: Path, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.chdir(tmp_path)

    async def put(app: object, text: str) -> str:
        copied.append(text)
        return "system"

    monkeypatch.setattr("localsteer.tui.clipboard.put", put)
    async with open_app(size=(110, 40)) as running:
        await running.loaded()
        screen, conversing = running.screen, running.screen.conversing
        for text, kind in (("/help", SlashHelp), ("/model", Models), ("/system", SystemPrompt)):
            await running.say(text)
            await over(running, kind)
        await running.say("/sampling")
        await over(running, SamplingPanel)
        await running.say("/system You are a lighthouse.")
        await running.until(lambda: screen.talk.system_prompt == "You are a lighthouse.")

        for text, name, value in (
            ("/seed 7", "seed", 7),
            ("/temperature 0", "temperature", 0.0),
            ("/top-k 10", "top_k", 10),
            ("/top_p 0.5", "top_p", 0.5),
            ("/min_p 0.1", "min_p", 0.1),
            ("/repeat_penalty 1.1", "repeat_penalty", 1.1),
            ("/max_tokens 12", "max_tokens", 12),
        ):
            await running.say(text)
            await running.until(partial(is_drawn_with, running, name, value))
        await running.say("/temperature warm")
        await running.until(lambda: screen.query_one(Composer).text == "/temperature warm")
        assert conversing.sampling.temperature == 0.0

        await running.say("/dials")
        await running.until(lambda: "no dial on the panel" in running.text())
        await running.say("/dial heat -0.5")
        await running.until(
            lambda: [(dial.name, dial.strength) for dial in screen.dialling.settings] == [("heat", -0.5)]
        )
        await running.say("/dial 0.25")
        await running.until(lambda: screen.dialling.settings[0].strength == 0.25)
        await running.say("/dials")
        await running.until(lambda: "heat +0.25" in running.notes())
        await running.say("/dial sun/moon 2")
        await running.until(
            lambda: [(dial.name, dial.strength) for dial in screen.dialling.settings][1:] == [("sun-moon", 2.0)]
        )
        await running.say("/dial sun/moon 1.5")
        await running.until(lambda: screen.dialling.settings[1].strength == 1.5)
        await running.pilot.press("alt+x")
        await running.until(lambda: len(screen.dialling.settings) == 1)
        await running.say("/dial nonsense 1")
        await running.until(lambda: "no dial named" in running.text())
        await running.say("/card")
        await over(running, VectorCardScreen)
        await running.say("/layers")
        await over(running, LayersAndScope)
        await running.say("/compare")
        await over(running, CompareScreen)
        await running.say("/workshop")
        await over(running, WorkshopScreen)
        await running.say("/keys")
        await over(running, KeyHelp)
        await running.say("/scene")
        await over(running, SceneList)
        save_scene(places, Scene("Evening", None, Sampling(0.0, seed=3), None))
        await running.say("/scene evening")
        await running.until(partial(is_drawn_with, running, "seed", 3))
        await running.say("/scene morning")
        await running.until(lambda: 'no scene "morning"' in running.text())
        await running.say("/seed 7")
        await running.say("/top_k 10")
        await running.say("/max_tokens 12")
        await running.until(partial(is_drawn_with, running, "max_tokens", 12))
        await running.say("/needles")
        await running.until(lambda: screen.memory.needles)

        await running.say("//slashes")
        await running.replied()
        assert running.questions() == ["/slashes"]
        record = screen.talk.messages[-1].reply
        assert record is not None
        assert (record.seed, len(record.tokens), record.system_prompt) == (7, 12, "You are a lighthouse.")
        await running.say("/title Slashes and the like")
        await running.until(lambda: screen.talk.store.summaries(1)[0].title == "Slashes and the like")
        await running.say("/chats")
        await over(running, Conversations)
        await running.say("/undo")
        await running.until(lambda: "nothing to undo" in running.text())
        await running.say("/again")
        await running.until(lambda: screen.talk.messages[-1].reply not in (None, record))
        await running.replied()
        await running.say("/tokens")
        await over(running, TokenView)
        await running.say("/copy")
        await running.until(lambda: copied)
        await running.say("/copy conversation")
        await running.until(lambda: "/slashes" in copied[-1])
        await running.say("/zero heat")
        await running.until(lambda: not screen.dialling.settings)
        await running.say("/dial 1")
        await running.until(lambda: screen.dialling.settings)
        await running.say("/zero")
        await running.until(lambda: not screen.dialling.settings)

        for form in ("md", "html", "json"):
            out = tmp_path / f"talk.{form}"
            await running.say(f"/save {out.name}")
            await running.until(out.exists)
            assert "/slashes" in out.read_text(encoding="utf-8")
        json.loads((tmp_path / "talk.json").read_bytes())
        await running.say("/save talk.md")
        await running.until(lambda: "exists already" in running.remarks())

        await running.say("/theme contrast")
        await running.until(lambda: running.app.theme == CONTRAST)
        await running.say("/seed random")
        await running.until(lambda: conversing.sampling.seed is None)
        await running.say("/nonsense")
        await running.until(lambda: "There is no command /nonsense" in running.text())
        assert screen.query_one(Composer).text == "/nonsense"
        assert running.questions() == ["/slashes"]
        await running.say("/new")
        await running.until(lambda: not running.questions())
        await running.say("/quit")
        await running.until(lambda: running.app._exit)
    # None of it is a message: only that one is remembered.
    assert places.sent_messages.read_text(encoding="utf-8") == '"/slashes"\n'


async def test_who_types_faster_than_the_list_follows_is_taken_by_the_word(open_app: OpenApp, alone: None) -> None:
    async with open_app() as running:
        await running.loaded()
        composer, offered = running.screen.query_one(Composer), running.screen.query_one(Completions)
        await running.pilot.press("slash")
        await running.until(lambda: offered.chosen is not None)
        # Both in one go: the list still stands at "/help", the first of all commands.
        composer.insert("seed 7")
        await composer._on_key(events.Key("enter", "\r"))
        await running.until(lambda: running.screen.conversing.sampling.seed == 7)
        assert len(running.app.screen_stack) == 1
        assert composer.text == ""


async def test_completion_by_keys_and_mouse(open_app: OpenApp, alone: None, heat_at_hand: Path) -> None:
    async with open_app(size=(60, 20)) as running:
        await running.loaded()
        composer, offered = running.screen.query_one(Composer), running.screen.query_one(Completions)
        await running.pilot.press("slash", "d", "i")
        await running.until(lambda: offered.open and "/dials" in running.text())
        assert offered.region.right <= 60
        assert offered.region.bottom <= composer.region.y
        await running.pilot.press("tab")
        assert composer.text == "/dial "
        await running.pilot.press("h", "e")
        await running.until(lambda: offered.chosen is not None and offered.chosen.shown == "heat")
        await running.pilot.press("enter")
        assert composer.text == "/dial heat "
        await running.pilot.press("1", "enter")
        await running.until(lambda: running.screen.dialling.rack.names() == ("heat",))
        # The arrows choose, Esc closes; a command without arguments runs at once.
        await running.pilot.press("slash")
        await running.until(lambda: offered.open)
        await running.pilot.press("escape")
        assert not offered.open
        await running.pilot.press("d", "down")
        await running.until(lambda: offered.chosen is not None and offered.chosen.shown == "/dials")
        await running.pilot.press("up", "down", "enter")
        await running.until(lambda: "heat +1" in running.notes())
        assert composer.text == ""
        await running.pilot.press("slash", *"theme li")
        await running.until(lambda: offered.open)
        await running.pilot.click(Completions, offset=(4, 1))
        await running.until(lambda: running.app.theme == "localsteer-light")
