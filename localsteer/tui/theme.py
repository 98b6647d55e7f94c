"""The themes by their names, the names of the colours that are ours, and the same colours for Rich."""

from __future__ import annotations

import difflib

from rich.style import Style
from rich.theme import Theme as RichTheme
from textual.color import Color

from localsteer.tui import palettes
from localsteer.tui.bar import Ink

DARK = "localsteer-dark"
LIGHT = "localsteer-light"
CONTRAST = "localsteer-contrast"
CONTRAST_LIGHT = "localsteer-contrast-light"
ANSI = "localsteer-16-colours"
ANSI_LIGHT = "localsteer-16-colours-light"

PALETTES = {
    DARK: palettes.DARK,
    LIGHT: palettes.LIGHT,
    CONTRAST: palettes.CONTRAST,
    CONTRAST_LIGHT: palettes.CONTRAST_LIGHT,
    ANSI: palettes.ANSI,
    ANSI_LIGHT: palettes.ANSI_LIGHT,
}
THEMES = tuple(palette.theme(name) for name, palette in PALETTES.items())
"""Dark and light of each kind next to each other."""

OWN_CODE = frozenset(name for name, palette in PALETTES.items() if palette.own_code)
"""Themes whose code has the theme's own colours."""

WORDS = {
    DARK: "Dark",
    LIGHT: "Light",
    CONTRAST: "High contrast, dark",
    CONTRAST_LIGHT: "High contrast, light",
    ANSI: "16 colours, dark",
    ANSI_LIGHT: "16 colours, light",
}
"""What the themes are called for a person."""

INKS: dict[Ink, str] = {
    "track": "$dial-track",
    "mark": "$dial-mark",
    "zero": "$dial-zero",
    "negative": "$pole-negative",
    "positive": "$pole-positive",
    "careful": "$dial-careful",
    "broken": "$dial-broken",
}
"""What the bar's inks are called in the themes."""


def own_variables(dark: bool) -> dict[str, str]:
    """Our colours' values for themes that do not know them."""
    return (palettes.DARK if dark else palettes.LIGHT).own


def theme_named(wanted: str, available: list[str]) -> tuple[str, str]:
    """The theme meant by ``light`` or ``localsteer-light``; and nothing, or one sentence where there is none."""
    for name in (f"localsteer-{wanted}", wanted):
        if name in available:
            return name, ""
    known = [name.removeprefix("localsteer-") for name in available]
    close = difflib.get_close_matches(wanted, known, 1)
    instead = f'did you mean "{close[0]}"?' if close else f"choose {', '.join(known[: len(PALETTES)])}."
    return DARK, f'There is no theme "{wanted}"; {instead}'


def other_light(name: str, dark: bool) -> str:
    """Of the same kind the light theme for a dark one, and back."""
    names = list(PALETTES)
    if name not in names:
        return LIGHT if dark else DARK
    return names[names.index(name) ^ 1]


def next_kind(name: str) -> str:
    """The theme of the next kind that is as dark or light: ordinary, high contrast, 16 colours."""
    names = list(PALETTES)
    return names[(names.index(name) + 2) % len(names)] if name in names else DARK


def rich_colour(value: str) -> str:
    """A theme's colour in Rich's words, which know neither opacity nor ``ansi_``."""
    colour = Color.parse(value.split()[0])
    return colour.rich_color.name if colour.ansi is not None else colour.hex6


def rich_theme(variables: dict[str, str], *, own_code: bool = False) -> RichTheme:
    """Styles for Rich in the colours of a Textual theme: what is finished looks as it did while streaming."""

    def colour(name: str) -> str:
        return rich_colour(variables[name])

    edge = {name: Style(color=colour(name)) for name in ("primary", "secondary", "error", "warning", "quiet", "faint")}
    poles = {name: Style(color=colour(name)) for name in ("pole-positive", "pole-negative")}

    def behind(name: str) -> str | None:
        # The terminal's own background is what is there without any.
        return None if colour(name) == "default" else colour(name)

    code = {
        "keyword": Style(color=colour("primary"), bold=True),
        "string": Style(color=colour("success")),
        "number": Style(color=colour("pole-negative")),
        "function": Style(color=colour("pole-positive")),
        "comment": Style(color=colour("quiet"), italic=True),
    }
    heading = Style(color=colour("primary"), bold=True)
    return RichTheme(
        {
            **{f"chat.{name}": style for name, style in (edge | poles).items()},
            **({f"code.{name}": style for name, style in code.items()} if own_code else {}),
            "chat.user": Style(color=colour("foreground"), bgcolor=behind("surface")),
            "chat.error-text": Style(color=colour("error")),
            "markdown.h1": heading,
            "markdown.h1.border": Style(color=colour("faint")),
            "markdown.h2": heading,
            "markdown.h3": heading,
            "markdown.h4": Style(bold=True),
            "markdown.h5": Style(bold=True),
            "markdown.h6": Style(bold=True),
            "markdown.h7": Style(bold=True),
            "markdown.code": Style(color=colour("primary"), bgcolor=behind("panel")),
            "markdown.code_block": Style(color=colour("foreground"), bgcolor=behind("panel")),
            "markdown.block_quote": Style(color=colour("quiet"), italic=True),
            "markdown.list": Style(),
            "markdown.item.bullet": Style(color=colour("primary")),
            "markdown.item.number": Style(color=colour("primary")),
            "markdown.hr": Style(color=colour("faint")),
            "markdown.link": Style(color=colour("secondary")),
            "markdown.link_url": Style(color=colour("quiet"), underline=True),
            "markdown.table.border": Style(color=colour("faint")),
            "markdown.table.header": Style(color=colour("primary"), bold=True),
            "markdown.strong": Style(bold=True),
            "markdown.em": Style(italic=True),
            "markdown.s": Style(strike=True),
        },
        inherit=True,
    )
