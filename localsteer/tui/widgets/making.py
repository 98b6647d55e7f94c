"""A vector in the making: which one, how far, how long still."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ProgressBar, Static

from localsteer.engine.protocol import ExtractProgress
from localsteer.tui.plain import plain

_STAGES = {"reading": "reading the prompts", "measuring": "finding good strengths", "writing": "saving"}


class MakingView(Vertical):
    """Hidden unless a vector is being made."""

    DEFAULT_CSS = """
    MakingView {
        height: auto;
        padding: 0 1;
        display: none;
        border-top: solid $edge;
        &.-on { display: block; }
        & Static { width: 1fr; height: auto; color: $quiet; }
        & ProgressBar { width: 1fr; }
        & Bar { width: 1fr; }
        & Bar > .bar--bar { color: $primary; background: $dial-track; }
        & Bar > .bar--indeterminate { color: $primary; background: $dial-track; }
        & Bar > .bar--complete { color: $primary; background: $dial-track; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(Content(""), id="making-what")
        yield ProgressBar(total=None, show_percentage=False, show_eta=False)
        yield Static(Content(""), id="making-left")

    def begin(self, name: str, words: str) -> None:
        """``name`` is going to be made; ``words`` say what it waits for."""
        self.add_class("-on")
        self.query_one("#making-what", Static).update(Content.assemble("Making ", (plain(name), "bold $foreground")))
        self.query_one("#making-left", Static).update(Content(words))
        self.query_one(ProgressBar).update(total=None)

    def show(self, event: ExtractProgress) -> None:
        """How far it is."""
        self.query_one(ProgressBar).update(total=event.total or None, progress=event.done)
        words = _STAGES.get(event.stage, event.stage)
        if event.seconds_left is not None:
            words += f" · {_seconds(event.seconds_left)} left"
        self.query_one("#making-left", Static).update(Content(words))

    def end(self) -> None:
        """Made, stopped or failed."""
        self.remove_class("-on")


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
