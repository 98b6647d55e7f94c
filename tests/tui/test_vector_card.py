"""The card of the picked dial: opened by key and palette, page by page, at every size, and closed again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from textual.containers import VerticalScroll
from textual.widgets import TabbedContent, Tabs

from localsteer.errors import ModelError
from localsteer.library.measured import keep_sweep
from localsteer.library.places import Places
from localsteer.plots.portrait import Portrait, TokenFigures
from localsteer.tui.dialogs.vector_card import Progress, VectorCardScreen
from localsteer.tui.theme import LIGHT
from localsteer.tui.widgets.card_plot import CardPlot, inks
from localsteer.tui.widgets.token_table import TokenTable
from tests.plots.portraits import BARE, BROKEN, WHOLE
from tests.tui.conftest import OpenApp, Running

PAGES = ("layers", "prompts", "effect", "tokens", "likeness")


def page(running: Running) -> str:
    return str(running.app.screen.query_one(TabbedContent).active)


def tokens(_: Progress) -> TokenFigures:
    assert WHOLE.tokens is not None
    return WHOLE.tokens


async def open_card(
    running: Running, card: Portrait = WHOLE, find: Callable[[Progress], TokenFigures] = tokens
) -> None:
    running.app.push_screen(VectorCardScreen(card, find))
    await running.until(lambda: isinstance(running.app.screen, VectorCardScreen) and "Layers" in running.text())


@pytest.mark.usefixtures("heat_at_hand")
async def test_the_picked_dial_shows_its_card_page_by_page(open_app: OpenApp, places: Places) -> None:
    (vector,) = places.vectors.glob("*/heat.gguf")
    keep_sweep(vector, {"rows": [{"layers": [4], "strength": x, "effect": x, "kl": x * x} for x in (-1, 0, 1)]})
    async with open_app(size=(116, 34)) as running:
        await running.loaded()
        await running.screen.dialling.add("heat")
        await running.until(lambda: running.screen.dialling.rack.names() == ("heat",))
        await running.pilot.press("alt+i")
        await running.until(lambda: isinstance(running.app.screen, VectorCardScreen))
        expected = {
            "layers": ("cold ↔ warm", "poles apart (AUC)", "Norm, of the residual norm"),
            "prompts": ("Prompts at layer", "○ cold", "● warm"),
            "effect": ("Effect of layer 4", "Perplexity", "KL"),
            "tokens": ("logit lens", "More likely", "Less likely"),
            "likeness": ("Cosine between its layers", "No other vector"),
        }
        for name, words in expected.items():
            await running.until(lambda name=name: page(running) == name)  # type: ignore[misc]
            await running.until(lambda words=words: all(word in running.text() for word in words))  # type: ignore[misc]
            await running.pilot.press("right")
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.screen)


async def test_without_a_dial_it_says_how_to_get_one(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("alt+i")
        await running.until(lambda: "no dial yet" in running.text())
        assert running.app.screen is running.screen


@pytest.mark.usefixtures("heat_at_hand")
async def test_a_vector_that_is_gone_is_a_remark(open_app: OpenApp, places: Places) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.screen.dialling.add("heat")
        next(places.vectors.glob("*/heat.gguf")).unlink()
        await running.pilot.press("f6", "i")
        await running.until(lambda: "heat.gguf" in running.text())
        assert running.app.screen is running.screen


@pytest.mark.parametrize("card", [WHOLE, BARE, BROKEN], ids=["whole", "bare", "broken"])
async def test_every_page_of_every_card_is_shown_at_every_size(open_app: OpenApp, card: Portrait) -> None:
    async with open_app(size=(116, 34)) as running:
        await open_card(running, card)
        # The others are among the snapshots.
        for size in ((50, 14), (200, 60)):
            await running.pilot.resize_terminal(*size)
            await running.until(lambda size=size: running.app.size == size)  # type: ignore[misc]
            for name in PAGES:
                running.app.screen.query_one(TabbedContent).active = name
                await running.pilot.pause()
                assert page(running) == name
                text = running.text()
                assert "Esc close" in text
                assert not any(ord(letter) < 32 and letter != "\n" for letter in text)


async def test_a_page_that_is_longer_than_its_place_scrolls(open_app: OpenApp) -> None:
    async with open_app(size=(50, 14)) as running:
        await open_card(running)
        running.app.screen.query_one(TabbedContent).active = "effect"
        await running.pilot.pause()
        scroll = running.app.screen.query_one("#effect VerticalScroll", VerticalScroll)
        await running.until(lambda: scroll.max_scroll_y > 4)
        await running.pilot.press("pagedown")
        await running.until(lambda: scroll.scroll_y > 4)
        await running.pilot.press("up")
        await running.until(lambda: scroll.scroll_y < 8)


async def test_pictures_change_their_colours_with_the_theme(open_app: OpenApp) -> None:
    async with open_app(size=(116, 34)) as running:
        await open_card(running)
        before = inks(running.app.theme_variables)
        plot = running.app.screen.query(CardPlot).first()
        dark = plot.render()
        assert plot.render() == dark
        running.app.theme = LIGHT
        await running.until(lambda: inks(running.app.theme_variables) != before)
        await running.until(lambda: plot.render() != dark)


async def test_tokens_are_read_when_their_page_is_opened_and_no_sooner(open_app: OpenApp) -> None:
    asked: list[float] = []

    def find(_: Progress) -> TokenFigures:
        asked.append(time.monotonic())
        return tokens(_)

    async with open_app(size=(116, 34)) as running:
        await open_card(running, find=find)
        await running.pilot.press("right", "right")
        assert not asked
        await running.pilot.press("right", "left", "right")
        await running.until(lambda: running.app.screen.query_one(TokenTable).tokens is not None)
        await running.until(lambda: "␣happy" in running.text() and "␣sad" in running.text())
        assert len(asked) == 1


async def test_tokens_that_cannot_be_read_are_a_sentence(open_app: OpenApp) -> None:
    def find(_: Progress) -> TokenFigures:
        raise ModelError("The output weights are strange; use another quantisation.")

    async with open_app(size=(116, 34)) as running:
        await open_card(running, find=find)
        running.app.screen.query_one(TabbedContent).active = "tokens"
        await running.until(lambda: "use another quantisation" in running.text())


async def test_reading_tokens_ends_when_the_card_is_closed(open_app: OpenApp) -> None:
    rounds: list[int] = []

    def find(progress: Progress) -> TokenFigures:
        for done in range(3000):
            progress(done, 3000)
            rounds.append(done)
            time.sleep(0.01)
        return tokens(progress)

    async with open_app(size=(116, 34)) as running:
        await open_card(running, find=find)
        running.app.screen.query_one(TabbedContent).active = "tokens"
        await running.until(lambda: rounds)
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.screen)
        time.sleep(0.1)
        count = len(rounds)
        time.sleep(0.1)
        assert len(rounds) == count


async def test_the_pages_can_be_clicked(open_app: OpenApp) -> None:
    async with open_app(size=(116, 34)) as running:
        await open_card(running)
        tab = running.app.screen.query_one(Tabs).query_one("#--content-tab-prompts")
        await running.pilot.click(tab)
        await running.until(lambda: page(running) == "prompts")
        await running.pilot.click(offset=(0, 0))
        await running.until(lambda: running.app.screen is running.screen)
