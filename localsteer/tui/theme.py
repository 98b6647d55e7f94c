"""The two themes, and the names of the colours that are ours: poles, bar, edges.

Blue is a dial's negative pole and coral its positive one, everywhere; amber is what is chosen; red is past what is
recommended.
"""

from __future__ import annotations

from rich.style import Style
from rich.theme import Theme as RichTheme
from textual.theme import Theme

from localsteer.tui.bar import Ink

DARK = "localsteer-dark"
LIGHT = "localsteer-light"

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

_DARK_OWN = {
    "pole-negative": "#64b5dd",
    "pole-positive": "#f2906b",
    "dial-track": "#2b2f39",
    "dial-mark": "#7d8494",
    "dial-zero": "#8d94a3",
    "dial-careful": "#e6b450",
    "dial-broken": "#e0445c",
    "quiet": "#868d9b",
    "faint": "#555c6a",
    "edge": "#343945",
}
_LIGHT_OWN = {
    "pole-negative": "#1f74a3",
    "pole-positive": "#c4532b",
    "dial-track": "#dfd7ca",
    "dial-mark": "#8c8374",
    "dial-zero": "#7d7566",
    "dial-careful": "#a87400",
    "dial-broken": "#b81f3c",
    "quiet": "#746d61",
    "faint": "#a79f91",
    "edge": "#d8cfc0",
}

THEMES = (
    Theme(
        name=DARK,
        primary="#e9b872",
        secondary="#64b5dd",
        accent="#e9b872",
        foreground="#dfe1e6",
        background="#14161b",
        surface="#1a1d24",
        panel="#22262f",
        success="#8cc084",
        warning="#e9b872",
        error="#e5667a",
        dark=True,
        variables={
            **_DARK_OWN,
            "block-cursor-foreground": "#14161b",
            "block-cursor-background": "#e9b872",
            "border": "#e9b872",
            "border-blurred": "#343945",
            "input-selection-background": "#e9b872 30%",
            "scrollbar": "#343945",
            "scrollbar-hover": "#4b5262",
            "scrollbar-active": "#e9b872",
            "scrollbar-background": "#14161b",
            "scrollbar-background-hover": "#14161b",
            "scrollbar-background-active": "#14161b",
            "scrollbar-corner-color": "#14161b",
        },
    ),
    Theme(
        name=LIGHT,
        primary="#9c5a12",
        secondary="#1f74a3",
        accent="#9c5a12",
        foreground="#2d2a26",
        background="#fcfaf6",
        surface="#f5f1ea",
        panel="#ebe5da",
        success="#3d7a3a",
        warning="#9c5a12",
        error="#b3263f",
        dark=False,
        variables={
            **_LIGHT_OWN,
            "block-cursor-foreground": "#fcfaf6",
            "block-cursor-background": "#9c5a12",
            "border": "#9c5a12",
            "border-blurred": "#d8cfc0",
            "input-selection-background": "#9c5a12 25%",
            "scrollbar": "#d8cfc0",
            "scrollbar-hover": "#bfb5a4",
            "scrollbar-active": "#9c5a12",
            "scrollbar-background": "#fcfaf6",
            "scrollbar-background-hover": "#fcfaf6",
            "scrollbar-background-active": "#fcfaf6",
            "scrollbar-corner-color": "#fcfaf6",
        },
    ),
)


def own_variables(dark: bool) -> dict[str, str]:
    """Our colours' values for themes that do not know them."""
    return dict(_DARK_OWN if dark else _LIGHT_OWN)


def rich_theme(variables: dict[str, str]) -> RichTheme:
    """Styles for Rich in the colours of a Textual theme: what is finished looks as it did while streaming."""

    def colour(name: str) -> str:
        # Rich knows #rrggbb only; Textual's variables may carry an opacity behind it.
        return variables[name].split()[0][:7]

    edge = {name: Style(color=colour(name)) for name in ("primary", "error", "warning", "quiet", "faint")}
    poles = {name: Style(color=colour(name)) for name in ("pole-positive", "pole-negative")}
    heading = Style(color=colour("primary"), bold=True)
    return RichTheme(
        {
            **{f"chat.{name}": style for name, style in (edge | poles).items()},
            "chat.user": Style(color=colour("foreground"), bgcolor=colour("surface")),
            "chat.error-text": Style(color=colour("error")),
            "markdown.h1": heading,
            "markdown.h1.border": Style(color=colour("faint")),
            "markdown.h2": heading,
            "markdown.h3": heading,
            "markdown.h4": Style(bold=True),
            "markdown.h5": Style(bold=True),
            "markdown.h6": Style(bold=True),
            "markdown.h7": Style(bold=True),
            "markdown.code": Style(color=colour("primary"), bgcolor=colour("panel")),
            "markdown.code_block": Style(color=colour("foreground"), bgcolor=colour("panel")),
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
