"""The colours of each theme.

Blue is a dial's negative pole and coral its positive one, everywhere; amber is what is chosen; red is past what is
recommended. The contrast themes keep all text at 7:1 or more; the themes of 16 colours name the
terminal's own, upon its own background, dark or light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Palette:
    """``paper``, ``surface``, ``panel``: what lies behind, from the ground up. ``ink``, ``quiet``, ``faint``: text.

    ``on_chosen``: text upon ``chosen``, "" for the paper's colour; ``own_code``: code has these colours, too.
    """

    paper: str
    surface: str
    panel: str
    ink: str
    quiet: str
    faint: str
    edge: str
    chosen: str
    negative: str
    positive: str
    safe: str
    careful: str
    broken: str
    error: str
    track: str
    mark: str
    zero: str
    thumb: str
    selection: str
    dark: bool
    on_chosen: str = ""
    ansi: bool = False
    own_code: bool = False

    @property
    def own(self) -> dict[str, str]:
        """The colours that Textual has no word for."""
        return {
            "pole-negative": self.negative,
            "pole-positive": self.positive,
            "dial-track": self.track,
            "dial-mark": self.mark,
            "dial-zero": self.zero,
            "dial-careful": self.careful,
            "dial-broken": self.broken,
            "quiet": self.quiet,
            "faint": self.faint,
            "edge": self.edge,
        }

    def theme(self, name: str) -> Theme:
        """As a theme of Textual's."""
        return Theme(
            name=name,
            primary=self.chosen,
            secondary=self.negative,
            accent=self.chosen,
            foreground=self.ink,
            background=self.paper,
            surface=self.surface,
            panel=self.panel,
            success=self.safe,
            warning=self.chosen,
            error=self.error,
            dark=self.dark,
            ansi=self.ansi,
            variables={
                **self.own,
                "block-cursor-foreground": self.on_chosen or self.paper,
                "block-cursor-background": self.chosen,
                "border": self.chosen,
                "border-blurred": self.edge,
                "input-selection-background": self.selection,
                "screen-selection-background": self.selection,
                "scrollbar": self.edge,
                "scrollbar-hover": self.thumb,
                "scrollbar-active": self.chosen,
                "scrollbar-background": self.paper,
                "scrollbar-background-hover": self.paper,
                "scrollbar-background-active": self.paper,
                "scrollbar-corner-color": self.paper,
                **(self._ansi_words if self.ansi else {}),
            },
        )

    @property
    def _ansi_words(self) -> dict[str, str]:
        # Textual would mix these or leave them transparent, which shows through dialogs.
        return {
            "surface": self.surface,
            "panel": self.panel,
            "boost": self.panel,
            "text": self.ink,
            "text-muted": self.quiet,
            "text-disabled": self.faint,
            "foreground-muted": self.quiet,
            "ansi-background": "ansi_black" if self.dark else "ansi_bright_white",
            "ansi-foreground": "ansi_white" if self.dark else "ansi_black",
            "block-hover-background": self.panel,
            "input-cursor-background": self.chosen,
            "input-cursor-foreground": self.on_chosen,
            "input-selection-foreground": self.on_chosen,
            "screen-selection-foreground": self.on_chosen,
            "link-color": self.chosen,
        }


DARK = Palette(
    paper="#14161b",
    surface="#1a1d24",
    panel="#22262f",
    ink="#dfe1e6",
    quiet="#868d9b",
    faint="#555c6a",
    edge="#343945",
    chosen="#e9b872",
    negative="#64b5dd",
    positive="#f2906b",
    safe="#8cc084",
    careful="#e6b450",
    broken="#e0445c",
    error="#e5667a",
    track="#2b2f39",
    mark="#7d8494",
    zero="#8d94a3",
    thumb="#4b5262",
    selection="#e9b872 30%",
    dark=True,
)
LIGHT = Palette(
    paper="#fcfaf6",
    surface="#f5f1ea",
    panel="#ebe5da",
    ink="#2d2a26",
    quiet="#746d61",
    faint="#a79f91",
    edge="#d8cfc0",
    chosen="#9c5a12",
    negative="#1f74a3",
    positive="#c4532b",
    safe="#3d7a3a",
    careful="#a87400",
    broken="#b81f3c",
    error="#b3263f",
    track="#dfd7ca",
    mark="#8c8374",
    zero="#7d7566",
    thumb="#bfb5a4",
    selection="#9c5a12 25%",
    dark=False,
)
CONTRAST = Palette(
    own_code=True,
    paper="#000000",
    surface="#0b0b0b",
    panel="#191919",
    ink="#ffffff",
    quiet="#d0d0d0",
    faint="#b4b4b4",
    edge="#9a9a9a",
    chosen="#ffd75f",
    negative="#7fd4ff",
    positive="#ffab66",
    safe="#8ef58e",
    careful="#fff04d",
    broken="#ff8fa8",
    error="#ff8fa8",
    track="#3a3a3a",
    mark="#d0d0d0",
    zero="#ffffff",
    thumb="#d0d0d0",
    selection="#ffd75f 40%",
    dark=True,
)
CONTRAST_LIGHT = Palette(
    own_code=True,
    paper="#ffffff",
    surface="#f8f8f8",
    panel="#eeeeee",
    ink="#000000",
    quiet="#333333",
    faint="#474747",
    edge="#5c5c5c",
    chosen="#5f3300",
    negative="#00457c",
    positive="#8a2b00",
    safe="#0b5316",
    careful="#554400",
    broken="#8f0045",
    error="#8f0045",
    track="#c4c4c4",
    mark="#333333",
    zero="#000000",
    thumb="#333333",
    selection="#5f3300 25%",
    dark=False,
)
ANSI = Palette(
    paper="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    ink="ansi_default",
    quiet="ansi_default",
    faint="ansi_bright_black",
    edge="ansi_bright_black",
    chosen="ansi_bright_yellow",
    on_chosen="ansi_black",
    negative="ansi_bright_cyan",
    positive="ansi_bright_magenta",
    safe="ansi_bright_green",
    careful="ansi_yellow",
    broken="ansi_bright_red",
    error="ansi_bright_red",
    track="ansi_bright_black",
    mark="ansi_white",
    zero="ansi_bright_white",
    thumb="ansi_white",
    selection="ansi_bright_yellow",
    dark=True,
    ansi=True,
    own_code=True,
)
ANSI_LIGHT = replace(
    ANSI,
    chosen="ansi_blue",
    on_chosen="ansi_bright_white",
    negative="ansi_cyan",
    positive="ansi_magenta",
    safe="ansi_green",
    careful="ansi_yellow",
    broken="ansi_red",
    error="ansi_red",
    track="ansi_white",
    mark="ansi_bright_black",
    zero="ansi_black",
    thumb="ansi_bright_black",
    selection="ansi_blue",
    dark=False,
)
