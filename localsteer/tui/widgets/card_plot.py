"""One picture of a vector's card, as large as its place, in the colours of the theme."""

from __future__ import annotations

from textual.app import RenderResult
from textual.color import Color
from textual_plotext import PlotextPlot

from localsteer.plots.terminal import Colour, Draw, Inks


class CardPlot(PlotextPlot):
    """Draws what ``draw`` draws. Axes have the widget's own colour."""

    DEFAULT_CSS = """
    CardPlot { width: 1fr; height: 1fr; color: $quiet; background: transparent; }
    """

    def __init__(self, draw: Draw) -> None:
        super().__init__()
        # Plotext's theme without colours: those of the widget show through.
        self.theme = "clear"
        self._draw = draw

    def on_mount(self) -> None:
        super().on_mount()
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def on_unmount(self) -> None:
        # Else the signal keeps it, and it the card.
        self.app.theme_changed_signal.unsubscribe(self)

    def render(self) -> RenderResult:
        # Anew each time: a plotext figure that is built twice scales its data twice.
        self._draw(self.plt, inks(self.app.theme_variables))
        return super().render()


def inks(variables: dict[str, str]) -> Inks:
    """The picture's colours from a theme's."""

    def colour(name: str) -> Colour:
        return Color.parse(variables[name].split()[0]).rgb

    return Inks(
        negative=colour("pole-negative"),
        positive=colour("pole-positive"),
        main=colour("primary"),
        quiet=colour("quiet"),
        guide=colour("faint"),
        lines=tuple(colour(name) for name in ("primary", "pole-negative", "success", "pole-positive", "error")),
    )
