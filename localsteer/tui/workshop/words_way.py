"""From two words: their difference, position by position, added at the front of what is said (ActAdd)."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Label, Static

from localsteer.errors import RecipeError
from localsteer.library.recipes import name_of_words
from localsteer.library.starting_forms import TWO_WORDS
from localsteer.tui.workshop.fields import ChoiceLine, Line
from localsteer.tui.workshop.way import Naming, Way, Words
from localsteer.visible import without_controls

_WORDS = (
    "The difference between the two texts, position by position, is added at the front of what you say, and the reply "
    "grows out of that (ActAdd). Nothing is averaged, so it is made at once. Spaces count: a word in the middle of a "
    "sentence has one before it."
)
_MOST_DIGITS = 4
_HINT = (
    "Strength: the published examples lie between 1 and 15; begin with 3 and go on while the reply stays sound. "
    "Layer: an early one; left empty, one is chosen. Its scope is prompt-start: what you say is read with the "
    "difference, earlier replies stay as they are."
)


class WordsWay(Way):
    """Two texts and, for those who want it, a layer."""

    DEFAULT_CSS = """
    WordsWay #layer { width: 10; }
    WordsWay .way--words { margin: 0 0 1 0; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal(classes="way--row"):
            yield Label("More of", classes="-plus")
            yield Line(placeholder="Love", id="more", then="less")
            yield Label("less of", classes="-minus")
            yield Line(placeholder="Hate", id="less")
        with Horizontal(classes="way--row"):
            yield Label("Layer")
            yield Line(placeholder="chosen", id="layer")
            names = tuple(f"{more.strip()} / {less.strip() or 'nothing'}" for more, less in TWO_WORDS)
            yield ChoiceLine("Start from", ("own", *names), id="word-examples")
        yield Static(Content(_WORDS), classes="way--words")
        yield Static(Content(_HINT), classes="way--words")
        yield Naming(self._free_name, poles=False)

    def contrast(self) -> Words:
        more, less = self._texts()
        if not more.strip():
            raise RecipeError("There is no word that there should be more of; write one.")
        if more == less:
            raise RecipeError("Both words are the same, so they show no difference; write two different ones.")
        written = self.query_one("#layer", Line).text
        if written and not (written.isdecimal() and len(written) <= _MOST_DIGITS and int(written) > 0):
            raise RecipeError(f'"{written}" is no layer; write one number, or nothing to have it chosen.')
        return Words(more, less, int(written) if written else None)

    @on(Input.Changed, "#more,#less")
    def _typed(self) -> None:
        more, less = self._texts()
        self.naming.suggest(more, less, name_of_words(more, less) if more.strip() else "")

    @on(ChoiceLine.Chosen)
    def _example(self, event: ChoiceLine.Chosen) -> None:
        if event.index:
            more, less = TWO_WORDS[event.index - 1]
            self.query_one("#more", Line).value, self.query_one("#less", Line).value = more, less

    @on(Input.Submitted, "#less")
    def _done(self) -> None:
        self.post_message(self.Ready())

    def _texts(self) -> tuple[str, str]:
        """With their spaces, for they count."""
        return (
            without_controls(self.query_one("#more", Line).value),
            without_controls(self.query_one("#less", Line).value),
        )
