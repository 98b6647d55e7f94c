"""From one word or phrase: the loaded model writes the statements, or a form does, and the person changes them."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Label, Static

from localsteer.errors import RecipeError
from localsteer.library.drafts import Draft, lines_of, matched
from localsteer.library.starting_forms import BEGINNINGS, EVERYDAY, WORD_FORMS
from localsteer.tui.plain import plain
from localsteer.tui.workshop.asking import Written
from localsteer.tui.workshop.fields import ChoiceLine, Line, Lines
from localsteer.tui.workshop.way import Naming, Way, head

_FORM_WORDS = "The statements follow the form until you change them; line by line they are matched."


class WordWay(Way):
    """A word, its opposite, and statements for both."""

    DEFAULT_CSS = """
    WordWay Button.-hidden { display: none; }
    WordWay #word-note { margin: 0 0 1 0; }
    """

    @dataclass
    class Wanted(Message):
        """The model is to write statements about ``word``; ``opposite`` may be empty."""

        word: str
        opposite: str

    _form_texts = ("", "")
    _can_write = False

    def compose(self) -> ComposeResult:
        with Horizontal(classes="way--row"):
            yield Label("Word or phrase")
            yield Line(placeholder="cheerful", id="word", then="opposite")
            yield Label("Its opposite")
            yield Line(placeholder="gloomy", id="opposite")
        with Horizontal(classes="way--row"):
            yield ChoiceLine("It is", tuple(form.name for form in WORD_FORMS), id="form")
            yield Button("Let the model write", id="write", compact=True, classes="-hidden")
        yield Static(Content(_FORM_WORDS), classes="way--words", id="word-note")
        with Horizontal(classes="way--sides"):
            with Vertical():
                yield head("+ the word", "-plus")
                yield Lines(id="positive")
            with Vertical():
                yield head("− its opposite", "-minus")
                yield Lines(id="negative")
        yield Naming(self._free_name)

    def show_model(self, can_write: bool, name: str) -> None:
        """Whether the loaded model can be asked to write."""
        self._can_write = can_write
        self.query_one("#write").set_class(not can_write, "-hidden")
        if can_write:
            self.note("Alt+W has the model write statements for both; change what you like, line by line.")
        else:
            self.note(
                f"{plain(name)} is too small to write statements itself, so they come from a form; "
                "change what you like, line by line."
            )

    def could_not_write(self, name: str) -> None:
        """The model was asked, and its answers were of no use."""
        self.show_model(False, name)
        self.note(
            f"{plain(name)} was asked twice and wrote nothing that can be used; "
            "the statements come from a form instead, to be changed as you like."
        )

    def note(self, words: str) -> None:
        """One sentence above the statements."""
        self.query_one("#word-note", Static).update(Content(words))

    def take_written(self, written: Written) -> None:
        """What the model wrote, in place of what stood there."""
        opposite = self.query_one("#opposite", Line)
        if written.opposite and not opposite.text:
            opposite.value = written.opposite
        for side, place in (("positive", 0), ("negative", 1)):
            self.query_one(f"#{side}", Lines).text = "\n".join(row[place] for row in written.rows)
        self.note(f"The model wrote {len(written.rows)} pairs; read them, and change what you like.")

    def want_statements(self) -> None:
        """Ask for them, where there is a word."""
        word = self.query_one("#word", Line)
        if word.text:
            self.post_message(self.Wanted(word.text, self.query_one("#opposite", Line).text))
        else:
            word.focus()

    def contrast(self) -> Draft:
        positive, negative = (lines_of(plain(self.query_one(f"#{side}", Lines).text)) for side in _SIDES)
        if positive and not negative and not self.query_one("#opposite", Line).text:
            raise RecipeError("A dial has two ends; write the opposite of the word, too.")
        naming = self.naming
        return Draft(
            naming.text("positive-pole"),
            naming.text("negative-pole"),
            matched(positive, negative),
            "told",
            EVERYDAY,
            BEGINNINGS,
            naming.text("group"),
        )

    @on(Input.Changed, "#word,#opposite")
    def _typed(self) -> None:
        self._fill()
        self.naming.suggest(self.query_one("#word", Line).text, self.query_one("#opposite", Line).text)

    @on(ChoiceLine.Chosen)
    def _other_form(self) -> None:
        self._fill()

    def _fill(self) -> None:
        """The statements of the chosen form, unless the person has changed them."""
        sides = tuple(self.query_one(f"#{side}", Lines) for side in _SIDES)
        if tuple(side.text for side in sides) != self._form_texts:
            return
        form = WORD_FORMS[self.query_one(ChoiceLine).chosen]
        texts = []
        for side, source in zip(sides, ("#word", "#opposite"), strict=True):
            word = self.query_one(source, Line).text
            side.text = "\n".join(form.filled(word)) if word else ""
            texts.append(side.text)
        self._form_texts = (texts[0], texts[1])

    @on(Input.Submitted, "#opposite")
    def _done(self) -> None:
        untouched = self.query_one("#positive", Lines).text == self._form_texts[0]
        if self._can_write and untouched:
            self.want_statements()
        self.post_message(self.Ready())

    @on(Button.Pressed, "#write")
    def _write(self) -> None:
        self.want_statements()


_SIDES = ("positive", "negative")
