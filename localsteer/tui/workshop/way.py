"""What all ways to a contrast have in common: they end with names, and give what a vector can be made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, Static, TabbedContent, TabPane

from localsteer.library.drafts import Draft
from localsteer.tui.workshop.fields import Line


@dataclass(frozen=True, slots=True)
class Words:
    """Two texts as they are (ActAdd), spaces included; ``layer`` None has one chosen."""

    positive: str
    negative: str
    layer: int | None = None


Contrast: TypeAlias = Draft | Words


class Naming(Horizontal):
    """Poles, name and group. What was suggested follows the suggestion; what the person typed stays."""

    DEFAULT_CSS = """
    Naming {
        height: 1;
        margin: 1 0 0 0;
        & Label { color: $quiet; padding: 0 1 0 2; }
        & Label.-positive { color: $pole-positive; padding: 0 1 0 0; }
        & Label.-negative { color: $pole-negative; }
        &.-nameless Label { padding: 0 1 0 0; }
        &.-nameless .pole { display: none; }
        & .group { width: 12; }
    }
    """

    def __init__(self, free_name: Callable[[str], str], *, poles: bool = True) -> None:
        super().__init__(classes="" if poles else "-nameless")
        self._free_name = free_name
        self._suggested: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Label("+", classes="pole -positive")
        yield _classed(Line(placeholder="this end", id="positive-pole"), "pole")
        yield Label("−", classes="pole -negative")
        yield _classed(Line(placeholder="that end", id="negative-pole"), "pole")
        yield Label("Name")
        yield Line(placeholder="of the dial", id="name")
        yield Label("Group", classes="pole")
        yield _classed(Line(placeholder="none", id="group"), "pole group")

    def suggest(self, positive: str, negative: str, name: str | None = None) -> None:
        """Names for both ends, and for the dial."""
        self._put("positive-pole", positive)
        self._put("negative-pole", negative)
        self._put("name", self._free_name(positive if name is None else name))

    def _put(self, which: str, text: str) -> None:
        line = self.query_one(f"#{which}", Line)
        if line.value == self._suggested.get(which, ""):
            self._suggested[which] = line.value = text

    def text(self, which: str) -> str:
        """What stands in ``positive-pole``, ``negative-pole``, ``name`` or ``group``."""
        return self.query_one(f"#{which}", Line).text


class Ways(TabbedContent):
    """One way on each page. Which is shown is chosen; Textual would show the one that has the focus, also when a focus
    of a moment ago is heard of after another way was chosen.
    """

    @on(TabPane.Focused)
    def _stay(self, event: TabPane.Focused) -> None:
        event.prevent_default()


class Way(Vertical):
    """One of the ways to a contrast. ``steps``: its lines in the order in which Enter goes through them."""

    DEFAULT_CSS = """
    Way {
        height: 1fr;
        padding: 0 2;
        & .way--words { color: $quiet; height: auto; }
        & .way--row { height: 1; margin: 0 0 1 0; }
        & .way--row Label { color: $quiet; padding: 0 1 0 0; }
        & .way--row Line { margin: 0 2 0 0; }
        & .way--row Button { margin: 0 0 0 1; }
        & .way--sides { height: 1fr; min-height: 4; }
        & .way--sides > Vertical { height: 1fr; width: 1fr; }
        & .way--head { height: 1; padding: 0 1; color: $quiet; }
        & .-plus, & .way--row Label.-plus { color: $pole-positive; }
        & .-minus, & .way--row Label.-minus { color: $pole-negative; }
    }
    """

    class Ready(Message):
        """The last line was left with Enter: what is to be typed is there."""

    def __init__(self, free_name: Callable[[str], str], *, id: str) -> None:
        super().__init__(id=id)
        self._free_name = free_name

    @property
    def naming(self) -> Naming:
        return self.query_one(Naming)

    @property
    def name_of_dial(self) -> str:
        """As it stands there."""
        return self.naming.text("name")

    @property
    def is_touched(self) -> bool:
        """Whether there is anything in it that a person would miss."""
        return any(line.value for line in self.query(Line))

    def contrast(self) -> Contrast:
        """What a vector can be made from. Raises RecipeError."""
        raise NotImplementedError


def head(words: str, kind: str = "") -> Static:
    """The heading of a column; ``kind``: "-plus", "-minus" or none."""
    return Static(Content(words), classes=f"way--head {kind}")


def _classed(line: Line, classes: str) -> Line:
    line.add_class(*classes.split())
    return line
