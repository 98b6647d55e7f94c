"""Dials on the real engine: made, turned while a reply streams, by key and by mouse."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.widgets import OptionList

from localsteer.library.places import Places
from localsteer.steering.vector_file import load_vector, save_vector
from localsteer.tui.rack import Dial
from localsteer.tui.widgets.dial_row import DialRow
from localsteer.tui.widgets.dials_panel import DialsPanel
from localsteer.tui.widgets.making import MakingView
from localsteer.tui.workshop.way import Words
from tests.tui.conftest import OpenApp, Running


async def add_heat(running: Running) -> None:
    """Alt+A, search, Enter; then wait until the vector is made and on the panel."""
    await running.loaded()
    await running.pilot.press("alt+a")
    await running.until(lambda: len(running.app.screen_stack) == 2)
    await running.until(lambda: running.app.screen.query_one(OptionList).option_count > 5)
    await running.pilot.press(*"heat")
    await running.until(lambda: running.app.screen.query_one(OptionList).option_count == 1)
    await running.pilot.press("enter")
    await running.until(lambda: running.screen.dialling.rack.names() == ("heat",))


def strengths(running: Running) -> dict[str, float]:
    return {dial.name: dial.strength for dial in running.screen.dialling.settings}


def heat(running: Running) -> Dial:
    dial = running.screen.dialling.rack.dials[0]
    assert dial.name == "heat"
    return dial


@pytest.mark.usefixtures("warm_recipe")
class TestMaking:
    async def test_a_recipe_becomes_a_dial_that_shows_poles_layers_and_number(
        self, open_app: OpenApp, random_bpe_model: Path
    ) -> None:
        async with open_app(random_bpe_model) as running:
            await add_heat(running)
            assert heat(running).strength == 0.0
            assert Path(heat(running).vector_path).is_file()
            shown = ("1 heat", "cold", "warm", "0.00", "layer")
            await running.until(lambda: all(words in running.text() for words in shown))
            await running.until(lambda: not running.screen.query_one(MakingView).has_class("-on"))
            await running.pilot.press("alt+right")
            await running.until(lambda: strengths(running))
        # Next time it is there at once, as it was left.
        async with open_app(random_bpe_model) as running:
            await running.loaded()
            await running.until(lambda: running.screen.dialling.rack.names() == ("heat",))
            assert strengths(running) == {"heat": pytest.approx(heat(running).step)}

    async def test_a_stopped_making_says_so_and_leaves_nothing(self, open_app: OpenApp, places: Places) -> None:
        async with open_app() as running:
            await running.loaded()
            await running.screen.dialling.add("mood")
            await running.until(lambda: running.screen.query_one(MakingView).has_class("-on"))
            await running.pilot.press("escape")
            await running.until(lambda: not running.screen.query_one(MakingView).has_class("-on"))
            assert running.screen.dialling.rack.dials == ()
        assert list(places.vectors.rglob("*.gguf")) == []


@pytest.mark.usefixtures("heat_at_hand")
class TestUsing:
    async def test_turned_while_a_reply_streams_the_reply_shows_its_course_and_the_record_keeps_it(
        self, open_app: OpenApp
    ) -> None:
        async with open_app() as running:
            await add_heat(running)
            await running.say("Hello")
            await running.until(lambda: running.screen.conversing._replies[0].tokens > 3)
            # From the input, while it streams.
            await running.pilot.press("alt+right", "alt+right")
            await running.until(lambda: running.feet()[0].startswith("heat 0 → "))
            await running.pilot.press("escape")
            await running.replied()
            assert running.feet()[0].startswith("heat 0 → ")
            reply = running.screen.talk.messages[-1].reply
            assert reply is not None
            assert reply.marks[0].dials == ()
            assert [dial.name for dial in reply.marks[-1].dials] == ["heat"]
            assert reply.prompt_tokens_evaluated > 0

    async def test_keys_reach_the_dial_from_the_input_and_from_the_panel(self, open_app: OpenApp) -> None:
        async with open_app() as running:
            await add_heat(running)
            step = heat(running).step

            async def press(*keys: str, gives: float) -> None:
                await running.pilot.press(*keys)
                await running.until(lambda: heat(running).strength == pytest.approx(gives), 5)

            await press("alt+right", "alt+right", gives=2 * step)
            await press("alt+left", gives=step)
            await press("alt+shift+right", gives=1.2 * step)
            await press("f4", gives=0.2 * step)
            await press("alt+0", gives=0.0)
            await press("f5", gives=step)
            await press("alt+m", gives=step)
            assert strengths(running) == {}
            await press("alt+m", gives=step)
            assert strengths(running) == {"heat": pytest.approx(step)}
            await press("alt+z", gives=0.0)
            await press("ctrl+right", gives=step)  # in an empty input
            await running.pilot.press("f6")
            await running.until(lambda: running.screen.query_one(DialsPanel).has_focus)
            await press("right", gives=2 * step)
            await press("shift+left", gives=1.8 * step)
            await press("minus", gives=0.8 * step)
            await press("0", gives=0.0)
            await press("end", gives=heat(running).stops[2])
            await press("home", "home", gives=heat(running).stops[0])
            await running.pilot.press("x")
            await running.until(lambda: not running.screen.dialling.rack.dials)
            assert "No dials yet" in running.text()
            await running.pilot.press("escape")
            await running.until(lambda: running.screen.focused is not None and running.screen.focused.id == "composer")

    async def test_the_mouse_sets_drags_turns_mutes_and_removes(self, open_app: OpenApp) -> None:
        async with open_app() as running:
            await add_heat(running)
            row = running.screen.query_one(DialRow)
            await running.until(lambda: row.content_size.height == 4)
            full, width = heat(running).full, row._face().bar_width
            left = 2  # edge and padding
            middle = left + width // 2
            await running.pilot.click(row, offset=(left + width - 1, 1))
            await running.until(lambda: heat(running).strength == pytest.approx(full))
            await running.pilot.mouse_down(row, offset=(middle, 1))
            await running.until(lambda: heat(running).strength == 0.0)
            await running.pilot.hover(row, offset=(left, 1))
            await running.until(lambda: heat(running).strength == pytest.approx(-full))
            await running.pilot.mouse_up(row, offset=(left, 1))
            await running.pilot.hover(row, offset=(middle, 1))
            assert heat(running).strength == pytest.approx(-full)
            await running.pilot._post_mouse_events([events.MouseScrollUp], row, offset=(middle, 1), button=0)
            await running.until(lambda: heat(running).strength == pytest.approx(-full + heat(running).step / 5))
            await running.pilot.click(row, offset=(left + row._face().lines[3].plain.index("mute"), 3))
            await running.until(lambda: heat(running).muted)
            await running.pilot.click(row, offset=(left + row._face().lines[3].plain.index("remove"), 3))
            await running.until(lambda: not running.screen.dialling.rack.dials)


async def test_a_changed_recipe_is_noticed_and_the_vector_made_again(open_app: OpenApp, heat_at_hand: Path) -> None:
    async with open_app() as running:
        await add_heat(running)
        heat_at_hand.write_text(heat_at_hand.read_text("utf-8").replace("A cold night.", "A frosty day."), "utf-8")
        found = await running.screen.dialling.choices()
        assert found is not None
        assert {choice.name: choice.readiness for choice in found[0]}["heat"] == "changed"
        await running.screen.dialling.add("heat")
        await running.until(lambda: "Making heat" in running.text())
        # Stopped, the old one stays.
        await running.pilot.press("escape")
        await running.until(lambda: not running.screen.query_one(MakingView).has_class("-on"))
        assert running.screen.dialling.rack.names() == ("heat",)
        assert Path(heat(running).vector_path).is_file()


async def test_the_conversation_can_be_read_while_a_vector_is_made(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.loaded()
        for number in range(12):
            await running.screen.query_one("#transcript").add_note(f"note {number}")  # type: ignore[attr-defined]
        await running.screen.dialling.add("mood")
        await running.until(lambda: "Making mood" in running.text())
        await running.until(lambda: "note 11" in running.text())
        await running.pilot.press("pageup")
        await running.until(lambda: "note 11" not in running.text())
        assert running.screen.link.has("vector")
        await running.pilot.press("pagedown")
        await running.until(lambda: "note 11" in running.text())


async def test_a_broken_recipe_is_listed_with_its_reason_and_cannot_be_chosen(
    open_app: OpenApp, places: Places
) -> None:
    places.recipes.mkdir(parents=True)
    (places.recipes / "broken.toml").write_text("[poles\n", encoding="utf-8")
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("alt+a")
        await running.until(lambda: len(running.app.screen_stack) == 2)
        await running.pilot.press(*"broken")
        await running.until(lambda: running.app.screen.query_one(OptionList).option_count == 1)
        assert "line 1" in running.text()
        await running.pilot.press("enter")
        assert len(running.app.screen_stack) == 2


async def test_before_the_model_is_there_adding_a_dial_says_to_wait(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.pilot.press("alt+a")
        await running.until(lambda: "once the model is loaded" in running.text() or running.screen.link.card)
        assert len(running.app.screen_stack) == 1 or running.screen.link.card


async def test_two_words_are_a_dial_at_once(open_app: OpenApp, random_bpe_model: Path) -> None:
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        await running.pilot.press("alt+a")
        await running.until(lambda: len(running.app.screen_stack) == 2)
        await running.pilot.press(*"the sea/water")
        await running.until(lambda: "two words" in running.text() and "water ↔ the sea" in running.text())
        await running.pilot.press("enter")
        await running.until(lambda: running.screen.dialling.rack.names() == ("the sea-water",))
        (dial,) = running.screen.dialling.rack.dials
        assert dial.scope == "prompt-start"
        await running.until(lambda: "the sea-water" in running.text())
        await running.pilot.press("alt+right", "alt+right")
        await running.until(lambda: strengths(running))
        await running.say("the people find the word of the day")
        await running.replied()
        assert "the sea-water +" in running.feet()[-1]


@pytest.mark.usefixtures("warm_recipe")
async def test_an_expression_is_a_dial_whose_parts_are_made_first_and_that_is_there_next_time(
    open_app: OpenApp, random_bpe_model: Path
) -> None:
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        await running.screen.dialling.add("2*heat @scope everything")
        await running.until(lambda: running.screen.dialling.rack.names() == ("2*heat @scope everything",))
        (dial,) = running.screen.dialling.rack.dials
        assert (dial.negative_pole, dial.positive_pole, dial.scope) == ("cold", "warm", "everything")
        await running.pilot.press("alt+right")
        await running.until(lambda: strengths(running))
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        await running.until(lambda: strengths(running) == {dial.name: pytest.approx(dial.step)})


async def test_a_wrong_expression_is_said_where_it_goes_wrong(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.screen.dialling.add("2 * * heat")
        await running.until(lambda: "at character 5" in running.text())


async def test_a_new_chat_leaves_the_vector_that_waits_for_the_engine(open_app: OpenApp, warm_recipe: Path) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.say("Hello")
        await running.until(lambda: running.screen.conversing._replies[0].tokens > 3)
        await running.screen.dialling.add("heat")
        link = running.screen.link
        assert link.waiting == 1
        await running.pilot.press("ctrl+n")
        await running.until(lambda: link.running is not None and link.running.kind == "vector")


async def test_what_is_being_made_is_shown_no_longer_than_that(
    open_app: OpenApp, random_bpe_model: Path, warm_recipe: Path
) -> None:
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        screen, making = running.screen, running.screen.query_one(MakingView)
        async with running.nothing_heard():
            await screen.dialling.add("heat")
            # Another one for the workshop is still to be made when the dial stands ready.
            screen.workshop.make(Words("sea", "day"), "sea-day")
            assert making.display
            assert screen.link.waiting == 1
        await running.until(lambda: screen.dialling.rack.names() == ("heat",))
        await running.until(lambda: screen.link.idle)
        await running.until(lambda: not making.display)


@pytest.mark.usefixtures("heat_at_hand")
async def test_two_who_show_dials_at_once_end_with_the_later_ones(open_app: OpenApp) -> None:
    async with open_app() as running:
        await add_heat(running)
        panel, one = running.screen.query_one(DialsPanel), running.screen.dialling.rack
        none = one.without(0)
        await asyncio.gather(panel.show(none), panel.show(one))
        assert len(panel._rows) == 1
        await asyncio.gather(panel.show(none), panel.show(one), panel.show(none))
        assert panel._rows == []


async def test_a_vector_that_recommends_what_no_bar_can_show_is_shown_without(
    open_app: OpenApp, heat_vector: tuple[Path, str], tmp_path: Path
) -> None:
    vector = load_vector(heat_vector[0])
    path = tmp_path / "huge.gguf"
    save_vector(replace(vector, strength_low=-1.7e308, strength_high=1.7e308, calibration=None), path)
    async with open_app() as running:
        await running.loaded()
        await running.screen.dialling.add(str(path))
        await running.until(lambda: "huge" in running.text())
        await running.pilot.press("alt+up", "alt+right", "alt+i")
        await running.until(lambda: running.app.screen is not running.screen)
        assert running.screen.dialling.rack.dials[0].high is None
