"""From two personas: two system prompts, under which the same messages are said."""

from __future__ import annotations

import re

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import TextArea

from localsteer.library.drafts import Draft, lines_of
from localsteer.library.starting_forms import BEGINNINGS, EVERYDAY, PERSONAS
from localsteer.tui.plain import plain
from localsteer.tui.workshop.fields import ChoiceLine, Lines
from localsteer.tui.workshop.way import Naming, Way, head

_AROUND = re.compile(r"^(?:you(?:'re| are| speak like| talk like)?|act as|be)\s+(?:(?:an?|the|always|very)\s+)*", re.I)
_MOST_WORDS = 3


class PersonasWay(Way):
    """Both prompts above, what is said under them below."""

    DEFAULT_CSS = """
    PersonasWay .way--row { margin: 0; }
    PersonasWay .way--sides.-prompts { max-height: 9; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal(classes="way--row"):
            yield ChoiceLine("Start from", ("own", *(persona[0] for persona in PERSONAS)), id="persona-forms")
        with Horizontal(classes="way--sides -prompts"):
            with Vertical():
                yield head("+ the one", "-plus")
                yield Lines(placeholder="You are cheerful.", id="one")
            with Vertical():
                yield head("− the other", "-minus")
                yield Lines(placeholder="You are gloomy.", id="other")
        with Horizontal(classes="way--sides"):
            with Vertical():
                yield head("Messages to both, one a line")
                yield Lines("\n".join(EVERYDAY), id="messages")
            with Vertical():
                yield head("Beginnings of replies")
                yield Lines("\n".join(BEGINNINGS), id="beginnings")
        yield Naming(self._free_name)

    @property
    def is_touched(self) -> bool:
        return any(self.query_one(f"#{which}", Lines).text for which in ("one", "other"))

    def contrast(self) -> Draft:
        texts = {which: plain(self.query_one(f"#{which}", Lines).text) for which in _FIELDS}
        naming = self.naming
        one, other = texts["one"].strip(), texts["other"].strip()
        return Draft(
            naming.text("positive-pole"),
            naming.text("negative-pole"),
            ((one, other),) if one or other else (),
            "told",
            lines_of(texts["messages"]),
            lines_of(texts["beginnings"]),
            naming.text("group"),
        )

    @on(TextArea.Changed, "#one,#other")
    def _typed(self) -> None:
        one, other = (pole_in(self.query_one(f"#{which}", Lines).text) for which in ("one", "other"))
        self.naming.suggest(one, other)

    @on(ChoiceLine.Chosen)
    def _start(self, event: ChoiceLine.Chosen) -> None:
        if event.index:
            positive, negative, one, other = PERSONAS[event.index - 1]
            self.query_one("#one", Lines).text, self.query_one("#other", Lines).text = one, other
            self.naming.suggest(positive, negative)


def pole_in(prompt: str) -> str:
    """A short name for what a system prompt says: its first words after "You are"."""
    first = re.split(r"[.,;!?\n]", plain(prompt).strip(), maxsplit=1)[0]
    return " ".join(_AROUND.sub("", first).split()[:_MOST_WORDS])


_FIELDS = ("one", "other", "messages", "beginnings")
