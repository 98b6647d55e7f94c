"""What the workshop's work has to say, told on its screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Button, Static

from localsteer.engine.protocol import ExtractProgress
from localsteer.plots.curve import spoken_window
from localsteer.tui.greeting import PRACTICE_NAME, shown_name
from localsteer.tui.plain import plain
from localsteer.tui.steady import SteadyScreen
from localsteer.tui.strengths import signed
from localsteer.tui.widgets.key_line import Key, KeyLine
from localsteer.tui.widgets.making import MakingView
from localsteer.tui.workshop.asking import Written
from localsteer.tui.workshop.tryout import TryOut
from localsteer.tui.workshop.word_way import WordWay

if TYPE_CHECKING:
    from localsteer.tui.workshop.making import Made, Workshop

WRITING = (
    Key("Enter", "on", "screen.on"),
    Key("Alt+1…4", "way", "screen.next_way"),
    Key("Alt+M", "make", "screen.make"),
    Key("Esc", "back", "screen.back"),
    Key("Tab", "next field", "app.focus_next"),
    Key("Ctrl+P", "commands", "app.command_palette"),
)
MADE = (
    Key("Alt+T", "try", "screen.try_out"),
    Key("Alt+U", "use", "screen.use"),
    Key("Alt+S", "save", "screen.save"),
    Key("Alt+I", "card", "screen.show_card"),
    Key("Esc", "back", "screen.back"),
    Key("Alt+M", "make again", "screen.make"),
    Key("Alt+1…4", "way", "screen.next_way"),
)
BUSY = (Key("Esc", "stop", "screen.back"),)


class Telling(SteadyScreen[None]):
    """A part of the workshop's screen, which lays out what is named here."""

    shop: Workshop
    confirmed: str
    fresh: dict[int, str]

    def say(self, words: str, wrong: bool = False) -> None:
        """One sentence beside the button."""
        remark = self.query_one("#remark", Static)
        remark.update(Content(plain(words)))
        remark.set_class(wrong, "-wrong")
        if words and self.has_class("-narrow") and self.has_class("-benched"):
            # There the button is out of sight.
            self.notify(plain(words), severity="error" if wrong else "information", timeout=10, markup=False)

    def refuse(self, words: str) -> None:
        """What is wrong, where it is to be mended."""
        self.say(words, wrong=True)

    def show_progress(self, event: ExtractProgress) -> None:
        """How far the making is."""
        self.query_one(MakingView).show(event)

    def show_written(self, lines: int) -> None:
        """How far the writing is."""
        self.query_one(WordWay).note(f"The model is writing… {lines} lines so far; Esc stops it.")

    def take_written(self, written: Written) -> None:
        """Statements that the model wrote."""
        self.query_one(WordWay).take_written(written)
        self.query_one("#make", Button).focus()

    def could_not_write(self) -> None:
        """It was asked twice."""
        card = self.shop.card
        self.query_one(WordWay).could_not_write("The model" if card is None else begun(shown_name(card)))

    def answer(self, side: int, text: str) -> None:
        """More of an answer; it is painted with the rest of what came."""
        self.fresh[side] = self.fresh.get(side, "") + text

    def paint_answers(self) -> None:
        """What came since the last time."""
        fresh, self.fresh = self.fresh, {}
        for side, text in fresh.items():
            self.query_one(TryOut).add(side, text)

    def show_made(self, made: Made) -> None:
        """It can be tried."""
        report = made.report
        facts = [f"steers {spoken_window(report.default_layers)}"]
        if report.strength_low is not None and report.strength_high is not None:
            facts.insert(0, f"recommended {signed(report.strength_low)} to {signed(report.strength_high)}")
        aucs = [layer.auc for layer in report.layers if layer.layer in report.default_layers and layer.auc is not None]
        if aucs:
            facts.append(f"tells its ends apart {max(aucs):.0%}")
        facts.append(f"made in {report.seconds:.1f} s")
        trial = self.query_one(TryOut)
        trial.show_made(made.dial, " · ".join(facts), can_save=made.draft is not None)
        self.add_class("-benched")
        self.confirmed = ""
        self.query_one("#remark", Static).update(Content("Made: try it, or use it at once."))
        trial.focus_message()
        self.show_keys()

    def idle(self) -> None:
        """Nothing is under way any more."""
        self.end_making()
        self.show_keys()

    def end_making(self) -> None:
        """No progress to show any more."""
        self.query_one(MakingView).end()
        self.remove_class("-making")

    def unbench(self) -> None:
        """Where it is narrow: the words again, instead of what was made of them."""
        self.remove_class("-benched")

    def show_keys(self) -> None:
        """Those that matter now."""
        keys = MADE if self.shop.made is not None else WRITING
        self.query_one(KeyLine).keys = BUSY if self.shop.busy else keys


def begun(name: str) -> str:
    """A model's name at the beginning of a sentence."""
    return f"The {name}" if name == PRACTICE_NAME else name
