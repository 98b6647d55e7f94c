"""A dial of one's own, made, tried and kept without leaving the app: every way of it on the real engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Button, Static, TabbedContent, TabPane

from localsteer.library.dials import find_vector
from localsteer.library.drafts import Draft
from localsteer.library.places import Places, practice_model
from localsteer.library.settings import Settings
from localsteer.steering.recipes import read_recipe
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.dial_shelf import choices
from localsteer.tui.memory import Memory
from localsteer.tui.opening import Opening
from localsteer.tui.workshop import asking, making
from localsteer.tui.workshop import screen as workshop_screen
from localsteer.tui.workshop.asking import Written
from localsteer.tui.workshop.fields import ChoiceLine, Line, Lines
from localsteer.tui.workshop.pairs_way import PairsWay
from localsteer.tui.workshop.screen import WorkshopScreen
from localsteer.tui.workshop.tryout import TryOut
from localsteer.tui.workshop.way import Words
from tests.tui.conftest import OpenApp, Running
from tests.tui.test_steady import at_once


async def open_workshop(running: Running) -> WorkshopScreen:
    await running.loaded()
    await running.pilot.press("alt+h")
    await running.until(lambda: isinstance(running.app.screen, WorkshopScreen))
    await running.until(lambda: running.app.screen.query("#word") and running.app.focused is not None)
    screen = running.app.screen
    assert isinstance(screen, WorkshopScreen)
    return screen


async def make(running: Running) -> str:
    """Alt+M, then wait; the name of what was made."""
    shop = running.screen.workshop
    before = shop.made
    await running.pilot.press("alt+m")
    await running.until(lambda: shop.made is not before or remark(running))
    assert shop.made is not None
    assert shop.made is not before, remark(running)
    return shop.made.dial.name


def remark(running: Running) -> str:
    return str(running.app.screen.query_one("#remark", Static).content)


def lines(running: Running, which: str) -> Lines:
    return running.app.screen.query_one(f"#{which}", Lines)


def line(running: Running, which: str) -> Line:
    return running.app.screen.query_one(f"#{which}", Line)


class TestOneWord:
    async def test_what_is_typed_right_after_enter_stands_in_the_next_line(self, open_app: OpenApp) -> None:
        async with open_app() as running:
            await open_workshop(running)
            await running.until(lambda: running.app.focused is line(running, "word"))
            driver = running.app._driver
            assert driver is not None
            # All in one go, as from a quick person on a slow machine.
            for one in (*"cheerful", "enter", *"gloomy"):
                driver.process_message(events.Key(one, one if len(one) == 1 else "\r"))
            await running.until(lambda: line(running, "opposite").text == "gloomy")
            assert line(running, "word").text == "cheerful"

    async def test_from_two_words_typed_to_a_dial_tried_saved_and_in_use(
        self, open_app: OpenApp, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "pace_of", lambda _: 0.0)
        async with open_app(practice_model(), size=(140, 45)) as running:
            await open_workshop(running)
            assert "too small to write statements" in running.text()
            await running.pilot.press(*"cheerful", "alt+m")
            await running.until(lambda: "A dial has two ends" in running.text())
            await running.pilot.press("enter", *"gloomy", "enter")
            await running.until(lambda: running.app.focused is running.app.screen.query_one("#make", Button))
            assert lines(running, "positive").text.splitlines()[0] == "You are cheerful."
            assert lines(running, "negative").text.splitlines()[0] == "You are gloomy."
            # Enter on the button makes it, and Enter on the message tries it.
            shop = running.screen.workshop
            await running.pilot.press("enter")
            await running.until(lambda: shop.made, 90)
            await running.until(lambda: running.app.focused is line(running, "try-message"))
            await running.pilot.press("enter")
            trial = running.app.screen.query_one(TryOut)
            await running.until(lambda: all(trial._texts) and not shop.busy, 60)
            assert len(set(trial._texts)) > 1
            assert running.screen.dialling.rack.names() == ("cheerful",)

            await running.pilot.press("alt+s")
            path = places.recipes / "cheerful.toml"
            await running.until(path.is_file)
            contrast = read_recipe(path)
            assert (contrast.positive, contrast.negative) == ("cheerful", "gloomy")
            card = running.screen.link.card
            assert card is not None
            # It stands in the list, and its vector need not be made again.
            ready = {choice.name: choice.readiness for choice in choices(places, card.model_id)}
            assert ready["cheerful"] == "ready"
            assert find_vector("cheerful", card.model_id, places).make_from is None

            await running.pilot.press("alt+u")
            await running.until(lambda: running.app.screen is running.screen)
            (dial,) = running.screen.dialling.rack.dials
            assert dial.strength == dial.high


class TestOtherWays:
    async def test_two_words_two_personas_and_a_table_each_make_a_dial(
        self, open_app: OpenApp, random_bpe_model: Path, places: Places, tmp_path: Path
    ) -> None:
        async with open_app(random_bpe_model, size=(80, 24)) as running:
            screen = await open_workshop(running)

            # Two words: no recipe, but a vector at the front of what is said.
            await running.pilot.press("alt+2")
            await running.until(lambda: running.app.focused is line(running, "more"))
            await running.pilot.press(*"Love", "enter", *"Hate")
            assert await make(running) == "love-hate"
            made = running.screen.workshop.made
            assert made is not None
            assert made.dial.scope == "prompt-start"
            assert made.draft is None

            # Two personas, from one of the starting forms.
            await running.pilot.press("alt+3")
            screen.query_one("#persona-forms", ChoiceLine).chosen = 1
            await running.until(lambda: lines(running, "one").text == "You are cheerful.")
            await running.until(lambda: screen.way.name_of_dial == "cheerful")
            lines(running, "messages").text = "Hello.\nHow are you?"
            lines(running, "beginnings").text = ""
            assert await make(running) == "cheerful"

            # A table: what is pasted becomes rows, a row can go, and the kind can be chosen.
            await running.pilot.press("alt+4")
            await running.until(lambda: screen.way.id == "way-pairs")
            table = screen.query_one(PairsWay)
            cell = line(running, "cell-positive")
            cell.focus()
            cell.post_message(events.Paste("A warm fire.\tA cold night.\nThe sun.\tThe snow.\nOne.\t[b]Two.[/]"))
            await running.until(lambda: len(table.rows) == 3)
            assert table.rows[2] == ("One.", "[b]Two.[/]")
            table._table.focus()
            table._table.move_cursor(row=2)
            await running.pilot.press("delete")
            await running.until(lambda: len(table.rows) == 2)
            screen.query_one("#kind", ChoiceLine).chosen = 3
            for which, text in (("positive-pole", "warm"), ("negative-pole", "cold"), ("name", "heat")):
                table.naming.query_one(f"#{which}", Line).value = text
            assert await make(running) == "heat"
            await running.pilot.press("alt+s")
            await running.until((places.recipes / "heat.toml").is_file)
            assert len(read_recipe(places.recipes / "heat.toml").pairs) == 2

            # And read from a file, in place of what stood there.
            await running.pilot.press("escape")
            file = tmp_path / "theirs.json"
            file.write_text('[{"positive": "Good.", "negative": "Bad."}]', encoding="utf-8")
            line(running, "file").value = "n" * 400
            await line(running, "file").action_submit()
            await running.until(lambda: "no file of that name" in running.remarks())
            line(running, "file").value = str(file)
            await line(running, "file").action_submit()
            await running.until(lambda: table.rows == (("Good.", "Bad."),))


class TestRefusals:
    async def test_what_cannot_be_made_is_said_and_what_was_typed_is_kept(
        self, open_app: OpenApp, random_bpe_model: Path
    ) -> None:
        async with open_app(random_bpe_model, size=(140, 45)) as running:
            screen = await open_workshop(running)
            shop = running.screen.workshop

            async def refused(words: str) -> None:
                await running.pilot.press("alt+m")
                await running.until(lambda: words in remark(running), 5)
                assert not shop.busy

            await refused("at least one pair")
            await running.pilot.press(*"mood", "enter", *"mood")
            await running.until(lambda: lines(running, "negative").text)
            # The suggestion avoids the name of the recipe that comes along.
            assert screen.way.name_of_dial == "mood-2"
            await refused('called "mood"; a dial needs two different ends')
            line(running, "opposite").value = "reason"
            await running.until(lambda: "reason" in lines(running, "negative").text)
            lines(running, "negative").text = "You are reason."
            await refused("5 statements on the positive side and 1 on the negative one")
            lines(running, "negative").text = lines(running, "positive").text
            await refused("are the same")
            lines(running, "negative").text = lines(running, "positive").text.replace("mood", "reason")
            screen.way.naming.query_one("#name", Line).value = "mood"
            await refused('There is a recipe that comes along called "mood" already')

            # Esc goes back to the chat; everything is there next time.
            await running.pilot.press("escape")
            await running.until(lambda: running.app.screen is running.screen)
            assert await open_workshop(running) is screen
            assert line(running, "word").value == "mood"
            assert "reason" in lines(running, "negative").text

    async def test_esc_stops_the_making_and_nothing_is_left(self, open_app: OpenApp, places: Places) -> None:
        async with open_app(size=(140, 45)) as running:
            await open_workshop(running)
            shop = running.screen.workshop
            await running.pilot.press(*"glad", "enter", *"sad", "enter")
            await running.pilot.press("alt+m")
            await running.until(lambda: shop.busy and running.screen.link.running)
            await running.pilot.press("escape")
            await running.until(lambda: not shop.busy)
            await running.until(lambda: remark(running) == "Stopped.")
            assert isinstance(running.app.screen, WorkshopScreen)
            assert list(places.vectors.rglob("*.gguf")) == []


class TestTheModelWrites:
    async def test_what_the_model_answers_fills_both_sides_or_the_form_stays(
        self, open_app: OpenApp, random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers: list[Written | None] = [
            Written("clerk", (("You are a pirate.", "You are a clerk."), ("Aye.", "Yes."), ("Ahoy.", "Hello."))),
            None,
            None,
        ]
        heard = []

        def read(text: str) -> Written | None:
            heard.append(text)
            return answers[len(heard) - 1]

        monkeypatch.setattr(asking, "TOO_SMALL", 0)
        monkeypatch.setattr(workshop_screen, "too_small", asking.too_small)
        monkeypatch.setattr(asking, "read_statements", read)
        async with open_app(random_bpe_model, size=(140, 45)) as running:
            await open_workshop(running)
            await running.pilot.press(*"pirate", "alt+w")
            await running.until(lambda: lines(running, "negative").text == "You are a clerk.\nYes.\nHello.")
            assert line(running, "opposite").value == "clerk"
            assert len(heard) == 1
            await running.pilot.press("alt+w")
            await running.until(lambda: "was asked twice" in running.text())
            # It was asked twice, and what stood there stays.
            assert len(heard) == 3
            assert lines(running, "positive").text.startswith("You are a pirate.")


class TestBeginning:
    async def test_the_first_time_one_key_turns_a_dial_that_stands_ready(self, places: Places) -> None:
        memory = Memory(places, first_dial=True)
        app = LocalsteerApp(Opening(practice_model(), places, replace(Settings(), temperature=0.0), memory))
        async with app.run_test(size=(100, 30)) as pilot:
            running = Running(app, pilot)
            await running.loaded()
            await running.until(lambda: running.screen.dialling.rack.names() == ("mood",))
            await running.until(lambda: "A first dial stands ready, mood: Alt+↑ turns it to happy" in running.notes())
            card = running.screen.link.card
            assert card is not None
            model_id = card.model_id
            await pilot.press("alt+up")
            await running.say("Tell me about gardens.")
            await running.until(lambda: running.feet() and "mood +1.31" in running.feet()[0])
            await pilot.press("alt+x")
            await running.until(lambda: not running.screen.dialling.rack.dials)
        # Who has taken it away does not get it again.
        assert not Memory(places, first_dial=True).rack(model_id).dials

    async def test_the_palette_knows_what_can_be_done_here(self, open_app: OpenApp, random_bpe_model: Path) -> None:
        async with open_app(random_bpe_model, size=(100, 30)) as running:
            await open_workshop(running)
            await running.pilot.press("ctrl+p")
            await running.until(lambda: "Make the vector" in running.text())
            await running.pilot.press(*"table of", "enter")
            await running.until(lambda: isinstance(running.app.screen, WorkshopScreen))
            await running.until(lambda: running.app.screen.query_one(TabbedContent).active == "pairs-tab")

    async def test_a_focus_that_is_heard_of_late_brings_no_other_way(
        self, open_app: OpenApp, random_bpe_model: Path
    ) -> None:
        async with open_app(random_bpe_model, size=(100, 30)) as running:
            await open_workshop(running)
            ways = running.app.screen.query_one(TabbedContent)
            await running.pilot.press("alt+3")
            ways.get_pane("word-tab").post_message(TabPane.Focused(ways.get_pane("word-tab")))
            await running.pilot.pause()
            assert ways.active == "personas-tab"
            await running.until(lambda: running.app.focused in list(ways.get_pane("personas-tab").query("Lines")))


async def test_what_is_typed_right_before_making_is_made(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app(size=(120, 40)) as running:
        screen = await open_workshop(running)
        made: list[object] = []
        monkeypatch.setattr(running.screen.workshop, "make", lambda contrast, name: made.append(contrast))
        await running.pilot.press("alt+2")
        await running.until(lambda: running.app.focused is line(running, "more"))
        await running.pilot.press(*"Love", "enter")
        at_once(running, *"Hate", "alt+m")
        await running.until(lambda: made)
        assert made == [Words("Love", "Hate")]
        # The letter of a command is not typed.
        running.app.post_message(events.Key("alt+t", "t"))
        await running.until(lambda: "make it first" in remark(running))
        assert line(running, "less").value == "Hate"
        assert screen.way.name_of_dial


async def test_rows_instead_of_those_that_stood_there_are_those_rows_alone(open_app: OpenApp) -> None:
    async with open_app(size=(120, 40)) as running:
        screen = await open_workshop(running)
        await running.pilot.press("alt+4")
        await running.until(lambda: screen.query_one(PairsWay).display)
        pairs = screen.query_one(PairsWay)
        pairs.add_rows((("warm", "cold"), ("glad", "sad")))
        await running.until(lambda: len(pairs.rows) == 2)
        pairs._table.move_cursor(row=1)
        await running.until(lambda: pairs._cells() == ("glad", "sad"))
        pairs.put(Draft("day", "night", (("bright", "dark"),)))
        assert pairs.rows == (("bright", "dark"),)


async def test_a_layer_of_more_digits_than_python_reads_is_no_layer(open_app: OpenApp) -> None:
    async with open_app(size=(120, 40)) as running:
        await open_workshop(running)
        await running.pilot.press("alt+2")
        await running.until(lambda: running.app.focused is line(running, "more"))
        line(running, "more").value = "Love"
        line(running, "layer").value = "9" * 4301
        await running.pilot.press("alt+m")
        await running.until(lambda: "is no layer" in remark(running))


async def test_what_is_typed_right_before_writing_or_trying_is_taken(
    open_app: OpenApp, random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app(random_bpe_model, size=(120, 40)) as running:
        await open_workshop(running)
        shop = running.screen.workshop
        asked: list[tuple[object, ...]] = []
        await running.until(lambda: running.app.focused is line(running, "word"))
        await running.pilot.press(*"gla", "enter", *"sa")
        monkeypatch.setattr(workshop_screen, "too_small", lambda *_: False)
        monkeypatch.setattr(shop, "ask", lambda *poles: asked.append(poles))
        at_once(running, "d", "alt+w")
        await running.until(lambda: asked)
        assert asked == [("gla", "sad")]

        async def try_out(text: str) -> None:
            asked.append((text,))

        monkeypatch.setattr(shop, "try_out", try_out)
        await make(running)
        field = line(running, "try-message")
        field.focus()
        await running.until(lambda: running.app.focused is field)
        field.value = "Hell"
        field.action_end()
        at_once(running, "o", "alt+t")
        await running.until(lambda: len(asked) == 2)
        assert asked[1] == ("Hello",)
