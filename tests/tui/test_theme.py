"""The themes: colours that can be told apart, contrast where it is promised, and how one is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from textual.color import Color, rgb_to_lab
from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.widgets import OptionList

from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.memory import Memory
from localsteer.tui.opening import Opening
from localsteer.tui.palettes import Palette
from localsteer.tui.theme import (
    ANSI,
    CONTRAST,
    CONTRAST_LIGHT,
    DARK,
    LIGHT,
    PALETTES,
    THEMES,
    next_kind,
    other_light,
    rich_theme,
    theme_named,
)
from localsteer.tui.widgets.transcript import Transcript
from tests.tui.conftest import OpenApp, Running

BEHIND = ("paper", "surface", "panel")
TEXT = ("ink", "quiet", "faint", "chosen", "negative", "positive", "safe", "careful", "broken", "error")
TOLD_APART = ("ink", "negative", "positive", "safe", "careful", "broken")


def distance(one: str, other: str) -> float:
    """How different two colours look (CIE76; 2.3 can just be seen)."""
    first, second = rgb_to_lab(Color.parse(one)), rgb_to_lab(Color.parse(other))
    return float(((first.L - second.L) ** 2 + (first.a - second.a) ** 2 + (first.b - second.b) ** 2) ** 0.5)


def luminance(colour: Color) -> float:
    """As WCAG 2 defines it."""
    parts = [value / 255 for value in colour.rgb]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted(luminance(Color.parse(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_text_poles_and_warnings_can_be_told_apart(palette: Palette) -> None:
    for one, other in combinations(TOLD_APART, 2):
        first, second = getattr(palette, one), getattr(palette, other)
        assert first != second
        if "ansi_default" not in (first, second):
            assert distance(first, second) > 20, (one, other)


@pytest.mark.parametrize("name", [CONTRAST, CONTRAST_LIGHT])
def test_high_contrast_is_seven_to_one_for_all_text(name: str) -> None:
    palette = PALETTES[name]
    for text in TEXT:
        for behind in BEHIND:
            assert contrast(getattr(palette, text), getattr(palette, behind)) >= 7, (text, behind)


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_ordinary_text_is_four_and_a_half_to_one(name: str) -> None:
    for behind in BEHIND:
        assert contrast(PALETTES[name].ink, getattr(PALETTES[name], behind)) >= 4.5


def test_the_themes_of_16_colours_name_the_terminals_own() -> None:
    for theme in THEMES:
        if theme.ansi:
            assert all(value.startswith("ansi_") for value in theme.variables.values()), theme.name
            styles = rich_theme({**theme.to_color_system().generate(), **theme.variables}, own_code=True).styles
            ours = [style for name, style in styles.items() if name.startswith(("chat.", "code."))]
            assert ours
            colours = [colour for style in ours for colour in (style.color, style.bgcolor) if colour]
            assert all(colour.is_system_defined or colour.is_default for colour in colours)


def test_a_theme_is_named_shortly_or_in_full() -> None:
    names = list(PALETTES)
    assert theme_named("contrast", names) == (CONTRAST, "")
    assert theme_named(ANSI, names) == (ANSI, "")
    name, problem = theme_named("contrst", names)
    assert name == DARK
    assert 'did you mean "contrast"?' in problem


def test_every_theme_has_its_other_light_and_is_reached_by_stepping() -> None:
    for theme in THEMES:
        other = other_light(theme.name, theme.dark)
        assert other_light(other, not theme.dark) == theme.name
        assert other != theme.name
    stepped = [DARK, next_kind(DARK), next_kind(next_kind(DARK))]
    assert stepped == [DARK, CONTRAST, ANSI]
    assert next_kind(ANSI) == DARK


async def test_each_theme_paints_the_app_and_leaves_nothing_behind(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        view = await running.screen.query_one(Transcript).add_reply()
        await view.finish("# Title\n\n```python\ndef f(): return 'x'\n```")
        for name in [*PALETTES, DARK]:
            running.app.take_theme(name)
            await running.until(partial(painted, running, PALETTES[name].own_code))


def painted(running: Running, own_code: bool) -> bool:
    """The reply is there, and code has the theme's own colours or has them no more."""
    keyword = running.app.console.get_style("code.keyword", default="none")
    return "def f" in running.text() and (keyword.color is not None) == own_code


def test_the_theme_of_the_settings_goes_before_the_last_one_used(places: Places, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    memory = Memory(places)
    memory.keep_theme(LIGHT)
    app = LocalsteerApp(Opening(path, places, Settings(theme="contrast"), memory))
    assert app.theme == CONTRAST
    assert LocalsteerApp(Opening(path, places, Settings(), memory)).theme == LIGHT


async def test_the_line_that_is_meant_stands_out_in_every_theme(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.pilot.press("alt+a")
        await running.until(lambda: len(running.app.screen_stack) == 2)
        options = running.app.screen.query_one(OptionList)
        for name in PALETTES:
            running.app.take_theme(name)
            await running.until(lambda name=name: running.app.theme == name)  # type: ignore[misc]
            await running.pilot.pause()
            meant = options.get_visual_style("option-list--option", "option-list--option-highlighted")
            assert meant.background != options.get_visual_style("option-list--option").background, name


async def test_going_back_to_a_theme_parses_no_style_sheet_again(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []

    def noted(*arguments: Any, **more: Any) -> Iterable[RuleSet]:
        parsed.append(arguments)
        return parse(*arguments, **more)

    monkeypatch.setattr(stylesheet, "parse", noted)
    async with open_app() as running:
        await running.loaded()
        begun = running.screen.styles.background
        running.app.take_theme(LIGHT)
        await running.until(lambda: running.screen.styles.background != begun)
        parsed.clear()
        running.app.take_theme(DARK)
        await running.until(lambda: running.screen.styles.background == begun)
        assert parsed == []


async def test_the_next_kind_by_key_and_the_end_by_another(open_app: OpenApp) -> None:
    async with open_app() as running:
        begun = running.app.theme
        await running.pilot.press("alt+t")
        await running.until(lambda: running.app.theme == next_kind(begun) != begun)
        await running.pilot.press("ctrl+q")
        await running.until(lambda: not running.app.is_running)
