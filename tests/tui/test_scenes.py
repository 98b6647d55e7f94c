"""Scenes in the app, on the real engine: saved, recalled, renamed, removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from localsteer.engine.protocol import Sampling
from localsteer.library.places import Places
from localsteer.library.remembered import RememberedDial
from localsteer.library.scenes import Scene, read_scenes
from localsteer.library.scenes_file import save_scene
from localsteer.tui.dialogs.scenes import SceneList
from localsteer.tui.strengths import signed
from localsteer.tui.widgets.making import MakingView
from tests.tui.conftest import OpenApp, Running
from tests.tui.dials_at_hand import add_three, dial, rack
from tests.tui.test_steady import at_once, quiet


async def open_list(running: Running, *keys: str) -> None:
    await running.pilot.press(*keys)
    await running.until(lambda: isinstance(running.app.screen, SceneList) and running.app.screen.focused)


async def closed(running: Running) -> None:
    await running.until(lambda: len(running.app.screen_stack) == 1)


async def name_it(running: Running, name: str) -> None:
    field = running.app.screen.query_one(Input)
    await running.until(lambda: field.has_focus)
    field.value = name
    await running.pilot.press("enter")


def names(places: Places) -> list[str]:
    return [scene.name for scene in read_scenes(places).scenes]


@pytest.mark.usefixtures("heat_at_hand")
async def test_a_scene_is_saved_recalled_renamed_removed_and_brought_back(open_app: OpenApp, places: Places) -> None:
    async with open_app(size=(100, 30)) as running:
        await add_three(running)
        screen = running.screen
        await running.pilot.press("alt+right", "alt+right", "alt+1", "alt+left", "alt+m")
        await running.until(lambda: dial(running, "heat").muted)
        await screen.dialling.change(lambda rack: rack.place("heat", (2, 3), "everything"))
        screen.conversing.sampling = warm = Sampling(temperature=0.3, seed=11)
        await screen.set_system_prompt("You are a lake.")
        saved = rack(running)

        await open_list(running, "alt+q")
        await running.until(lambda: "No scenes yet" in running.text())
        await running.pilot.press("s")
        await name_it(running, "evening")
        await running.until(lambda: "evening is saved" in running.text())
        turned = signed(dial(running, "heat").strength)
        shown = (f"heat {turned} (off) · stream 0", "temperature 0.3, seed 11 · “You are a lake.”")
        assert all(words in running.text() for words in shown), running.text()
        await running.pilot.press("escape")
        await closed(running)

        # Something quite different, which becomes another scene.
        await running.pilot.press("alt+x", "alt+z")
        await running.until(lambda: len(rack(running).dials) == 2 and not rack(running).settings())
        screen.conversing.sampling = cold = replace(warm, temperature=0.0, seed=None)
        await screen.set_system_prompt("")
        await open_list(running, "f6", "q")
        await running.pilot.press("s")
        await name_it(running, "evening")
        await running.until(lambda: "Enter again replaces it" in running.text())
        await name_it(running, "nothing")
        await running.until(lambda: "nothing is saved" in running.text())

        await running.pilot.press("up", "enter")
        await closed(running)
        await running.until(lambda: rack(running).dials == saved.dials)
        assert screen.conversing.sampling == warm
        assert screen.talk.system_prompt == "You are a lake."
        assert [setting.name for setting in screen.dialling.settings] == ["lake"]
        # The dials are one change to undo.
        await running.pilot.press("alt+p")
        await running.until(lambda: rack(running).names() == ("stream", "lake"))
        # By number.
        await open_list(running, "alt+q")
        await running.pilot.press("2")
        await closed(running)
        await running.until(lambda: screen.conversing.sampling == cold and screen.talk.system_prompt == "")

        await open_list(running, "alt+q")
        await running.pilot.press("r")
        await name_it(running, "nothing")
        await running.until(lambda: "already" in running.text())
        await name_it(running, "dusk")
        await running.until(lambda: "called dusk now" in running.text())
        await running.pilot.press("delete")
        await running.until(lambda: "dusk is removed" in running.text())
        assert names(places) == ["nothing"]
        await running.pilot.press("x")
        await running.until(lambda: "No scenes yet" in running.text())
        await running.pilot.press("u", "u", "u")
        await running.until(lambda: "Nothing was removed" in running.text())
        assert names(places) == ["dusk", "nothing"]
        # Esc leaves the name, then the list.
        await running.pilot.press("s", "escape")
        await running.until(lambda: not running.app.screen.query_one(Input).display)
        await running.pilot.press("escape")
        await closed(running)


@pytest.mark.usefixtures("warm_recipe")
async def test_missing_vectors_of_a_scene_are_made_and_what_is_gone_is_said(
    open_app: OpenApp, random_bpe_model: Path, places: Places
) -> None:
    places.scenes.write_text(
        """
[[scene]]
name = "mixed"
dials = [
    { name = "gone", strength = 1 },
    { name = "2*heat", strength = 0.5 },
    { name = "heat", strength = -0.5, layers = "2-3" },
]
[[scene]]
name = "broken"
sampling = { temperature = "hot" }
""",
        encoding="utf-8",
    )
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        await running.screen.set_system_prompt("Stays.")
        await open_list(running, "alt+q")
        await running.until(lambda: "line 11" in running.text())
        await running.pilot.press("enter")
        await closed(running)
        await running.until(lambda: rack(running).names() == ("2*heat", "heat"))
        assert [(one.strength, one.own_layers) for one in rack(running).dials] == [(0.5, None), (-0.5, (2, 3))]
        assert 'Scene mixed: There is no dial named "gone"' in running.notes()
        assert running.screen.talk.system_prompt == "Stays."
        await running.pilot.press("alt+p")
        await running.until(lambda: rack(running).dials == ())


@pytest.mark.usefixtures("warm_recipe")
async def test_a_dial_of_a_scene_stays_away_where_nobody_waits_for_it_any_more(
    open_app: OpenApp, random_bpe_model: Path, places: Places
) -> None:
    async with open_app(random_bpe_model) as running:
        await running.loaded()
        await running.screen.recall_scene(Scene("a", dials=(RememberedDial("heat", 1.0),)))
        await running.screen.dialling.undo()
        await running.until(lambda: list(places.vectors.rglob("heat.gguf")))
        await running.until(lambda: not running.screen.query_one(MakingView).has_class("-on"))
        assert rack(running).dials == ()
        # The vector was kept.
        await running.screen.dialling.add("heat")
        assert rack(running).names() == ("heat",)


async def test_a_scene_that_took_the_place_of_the_chosen_one_is_not_recalled(open_app: OpenApp, places: Places) -> None:
    for name in ("day", "night"):
        save_scene(places, Scene(name, None, None, f"It is {name}."))
    async with open_app(size=(100, 30)) as running:
        await running.loaded()
        await open_list(running, "alt+q")
        at_once(running, "enter", "x")
        await running.until(lambda: names(places) == ["night"])
        await quiet(running)
        assert running.screen.talk.system_prompt == ""
