"""What was made, and a message answered by it: at both recommended strengths, and without it between them."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Label, Static

from localsteer.tui.plain import plain
from localsteer.tui.rack import Dial
from localsteer.tui.strengths import signed
from localsteer.tui.workshop.fields import Line

_STEPS = (
    ("1", "Say what the two ends of your dial are", "a word, two words, two personas, a table of pairs"),
    ("2", "Make it", "the model reads both, and finds how far to turn it"),
    ("3", "Try it", "one message, answered at both ends and between"),
    ("4", "Keep it", "as a recipe: from then on it can be added, to any model"),
)
_WIDEST_HEAD = 30


class TryOut(Vertical):
    """Empty until something was made."""

    DEFAULT_CSS = """
    TryOut {
        height: 1fr;
        padding: 0 2;
        & > .try--steps { height: auto; padding: 1 0; }
        & > .try--made { height: 1fr; display: none; }
        &.-made > .try--steps { display: none; }
        &.-made > .try--made { display: block; }
        & .try--facts { height: auto; margin: 0 0 1 0; }
        & .try--ask { height: 1; margin: 0 0 1 0; }
        & .try--ask Label { color: $quiet; padding: 0 1 0 0; }
        & .try--ask Button { margin: 0 0 0 2; }
        & .try--sides { height: 1fr; min-height: 4; }
        & .try--side { height: 1fr; width: 1fr; border: round $edge; padding: 0 1; scrollbar-size-vertical: 1;
                       border-title-color: $quiet; background: $background; }
        & #side-0 { border-title-color: $pole-negative; border: round $pole-negative 50%; }
        & #side-2 { border-title-color: $pole-positive; border: round $pole-positive 50%; }
        & .try--side Static { height: auto; }
        & .try--after { height: 1; margin: 1 0 0 0; }
        & .try--after Button { margin: 0 2 0 0; }
    }
    """

    @dataclass
    class Asked(Message):
        """Answer this on all sides."""

        text: str

    def __init__(self) -> None:
        super().__init__()
        self._texts = ["", "", ""]

    def compose(self) -> ComposeResult:
        steps = [
            Content.assemble((f" {number} ", "bold $primary"), (what, "bold"), "\n    ", (how, "$quiet"))
            for number, what, how in _STEPS
        ]
        yield Static(Content("\n\n").join(steps), classes="try--steps")
        with Vertical(classes="try--made"):
            yield Static(Content(""), classes="try--facts")
            with Horizontal(classes="try--ask"):
                yield Label("Say")
                yield Line("Tell me about gardens.", id="try-message")
                yield Button("Try", id="try", compact=True)
            with Horizontal(classes="try--sides"):
                for side in range(3):
                    with VerticalScroll(id=f"side-{side}", classes="try--side"):
                        yield Static(Content(""))
            with Horizontal(classes="try--after"):
                yield Button("Use it", id="use", compact=True, variant="primary")
                yield Button("Save as recipe", id="save", compact=True)
                yield Button("Card", id="card", compact=True)

    def show_made(self, dial: Dial, facts: str, *, can_save: bool) -> None:
        """A vector stands ready; ``facts``: a sentence on it."""
        self.add_class("-made")
        words = Content.assemble(
            (plain(dial.name), "bold"),
            "   ",
            (plain(dial.negative_pole), "$pole-negative"),
            (" ↔ ", "$faint"),
            (plain(dial.positive_pole), "$pole-positive"),
            "\n",
            (facts, "$quiet"),
        )
        self.query_one(".try--facts", Static).update(words)
        self.query_one("#save").display = can_save
        low, _, high = dial.stops
        heads = (
            f"{signed(low)} {_short(dial.negative_pole)}",
            "0 without it",
            f"{signed(high)} {_short(dial.positive_pole)}",
        )
        for side, words_above in enumerate(heads):
            self.query_one(f"#side-{side}").border_title = Content(words_above).markup
        self.clear()

    def forget(self) -> None:
        """Nothing is made: back to the steps."""
        self.remove_class("-made")

    def clear(self, waiting: str = "") -> None:
        """No answers yet."""
        self._texts = ["", "", ""]
        for side in range(3):
            self._answer(side).update(Content.styled(waiting, "$faint"))

    def add(self, side: int, text: str) -> None:
        """More of the answer at ``side``, 0 to 2."""
        if 0 <= side < len(self._texts):
            self._texts[side] += text
            self._answer(side).update(Content(plain(self._texts[side])))

    def focus_message(self) -> None:
        """To the message, which Enter sends."""
        self.query_one("#try-message", Line).focus()

    def ask(self) -> None:
        """Have the message answered, where there is one."""
        message = self.query_one("#try-message", Line)
        if message.text:
            self.post_message(self.Asked(message.text))
        else:
            message.focus()

    @on(Input.Submitted, "#try-message")
    def _enter(self) -> None:
        self.ask()

    def _answer(self, side: int) -> Static:
        return self.query_one(f"#side-{side} Static", Static)


def _short(pole: str) -> str:
    words = plain(pole)
    return words if len(words) <= _WIDEST_HEAD else words[: _WIDEST_HEAD - 1] + "…"
