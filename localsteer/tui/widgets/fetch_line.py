"""How far a download is: a bar, how much of how much, how fast, how long still."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ProgressBar, Static

from localsteer.library.byte_words import size
from localsteer.library.downloads import DownloadProgress
from localsteer.tui.plain import plain


class FetchLine(Vertical):
    """Hidden until there is something to say."""

    DEFAULT_CSS = """
    FetchLine {
        height: auto;
        display: none;
        padding: 0 1;
        margin: 1 0 0 0;
        &.-on { display: block; }
        & Static { width: 1fr; height: auto; color: $quiet; }
        & Static.-wrong { color: $error; }
        & ProgressBar { width: 1fr; display: none; }
        &.-busy ProgressBar { display: block; }
        & Bar { width: 1fr; }
        & Bar > .bar--bar { color: $primary; background: $dial-track; }
        & Bar > .bar--indeterminate { color: $primary; background: $dial-track; }
        & Bar > .bar--complete { color: $primary; background: $dial-track; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(Content(""))
        yield ProgressBar(total=None, show_percentage=False, show_eta=False)

    def busy(self, words: str) -> None:
        """Something goes on whose end nobody knows yet."""
        self._say(words, busy=True)
        self.query_one(ProgressBar).update(total=None)

    def show(self, name: str, progress: DownloadProgress) -> None:
        """How far it is."""
        self._say(f"{name}: {progress_words(progress)}", busy=True)
        self.query_one(ProgressBar).update(total=progress.total or None, progress=progress.done)

    def say(self, words: str, *, wrong: bool = False) -> None:
        """How it ended."""
        self._say(words, busy=False, wrong=wrong)

    def _say(self, words: str, *, busy: bool, wrong: bool = False) -> None:
        line = self.query_one(Static)
        line.update(Content(plain(words)))
        line.set_class(wrong, "-wrong")
        self.set_class(busy, "-busy")
        self.add_class("-on")


def progress_words(progress: DownloadProgress) -> str:
    """Such as ``12.0 MB of 145.0 MB · 8.1 MB/s · 16 s left · Esc stops``."""
    there = f"{size(progress.done)} of {size(progress.total)}"
    match progress.stage:
        case "waiting":
            return f"the connection broke at {there}, trying again · Esc stops"
        case "checking":
            return f"checking {there}"
        case _:
            words = [there]
            if progress.bytes_per_second:
                words.append(f"{size(progress.bytes_per_second)}/s")
            if progress.seconds_left is not None:
                words.append(f"{_time(progress.seconds_left)} left")
            return " · ".join([*words, "Esc stops"])


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
