"""Choosing a dial to add: recipes and stored vectors with what they do, filtered while typing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from localsteer.library.expression_check import ExpressionCheck
from localsteer.library.recipes import split_words
from localsteer.tui.dial_shelf import Choice, Mixing
from localsteer.tui.dialogs.choosing import Choosing
from localsteer.tui.plain import plain

_READINESS = {"ready": "ready", "to make": "", "changed": "recipe changed, is made again", "broken": "broken"}
_TWO_WORDS = "/"
_MIX = "*"
"""The options that are no recipes: no file can be called that."""


@dataclass(frozen=True, slots=True)
class Mix:
    """An expression that is to be kept under a name."""

    expression: str
    name: str


class AddDial(Choosing["str | tuple[str, str] | Mix | None"]):
    """Gives the name of the chosen dial or an expression; the two words of a new one; an expression with a name for
    it; or None.
    """

    DEFAULT_CSS = """
    AddDial {
        & > Vertical { max-height: 90%; }
        & OptionList { max-height: 24; }
        & #name { display: none; }
        & .problem { height: auto; color: $error; padding: 0 1; margin: 0 0 1 0; display: none; }
        & .empty { color: $quiet; padding: 0 1; display: none; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", show=False)]

    def __init__(self, choices: tuple[Choice, ...], mixing: Mixing, in_use: tuple[str, ...]) -> None:
        super().__init__()
        self._choices = choices
        self._mixing = mixing
        self._in_use = frozenset(in_use)
        self._words: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "Add a dial"
        box.border_subtitle = "↑↓ choose · Enter add · Esc close"
        with box:
            yield Input(placeholder="Search…  or two words: Love/Hate  or a mix: mood - 0.5*register", id="search")
            yield Input(placeholder="A name for the mix, to add it again by it. Empty: none", id="name")
            yield Static(Content(""), classes="problem")
            yield OptionList()
            yield Static(Content("Nothing is called that. The workshop makes a dial of your own."), classes="empty")

    def on_mount(self) -> None:
        self._fill("")

    @on(Input.Changed, "#search")
    def _search(self, event: Input.Changed) -> None:
        self._fill(event.value)

    @on(Input.Changed, "#name")
    def _name_it(self) -> None:
        self._say("")

    def _fill(self, search: str) -> None:
        self._words = split_words(search)
        mix = self._mixing.check(search)
        self.query_one("#name").display = mix is not None and not mix.problem
        self._say("")
        words = search.lower().split()
        shown = [choice for choice in self._choices if all(word in _haystack(choice) for word in words)]
        if words:
            # What is called so comes before what merely speaks of it.
            shown.sort(key=lambda choice: not choice.name.lower().startswith(words[0]))
        options = self.query_one(OptionList)
        options.clear_options()
        if self._words is not None:
            options.add_option(Option(_offer(*self._words), id=_TWO_WORDS))
        if mix is not None:
            options.add_option(Option(_mixed(search, mix), id=_MIX, disabled=bool(mix.problem)))
        for group, choices in groupby(shown, key=lambda choice: choice.group):
            if not words:
                options.add_option(Option(_heading(group), disabled=True))
            options.add_options(
                [Option(self._row(choice), id=choice.name, disabled=choice.readiness == "broken") for choice in choices]
            )
        options.highlighted = next((i for i, option in enumerate(options.options) if not option.disabled), None)
        self.query_one(".empty").display = not options.option_count

    def _row(self, choice: Choice) -> Content:
        state = "in use" if choice.name in self._in_use else _READINESS[choice.readiness]
        poles = Content("")
        if choice.negative_pole or choice.positive_pole:
            poles = Content.assemble(
                (plain(choice.negative_pole), "$pole-negative"),
                (" ↔ ", "$faint"),
                (plain(choice.positive_pole), "$pole-positive"),
            )
        return Content.assemble(
            (plain(choice.name).ljust(12), "bold"),
            " ",
            poles,
            (f"   {state}" if state else "", "$error" if choice.readiness == "broken" else "$success"),
            "\n",
            (plain(choice.description), "$quiet"),
        )

    def choose(self, option: Option) -> None:
        if option.disabled:
            return
        if option.id == _MIX:
            self._choose_mix()
        else:
            self.dismiss(self._words if option.id == _TWO_WORDS else option.id)

    def _choose_mix(self) -> None:
        expression = self.query_one("#search", Input).value.strip()
        name = self.query_one("#name", Input).value.strip()
        problem = self._mixing.name_problem(expression, name) if name else ""
        if problem:
            self._say(problem)
        else:
            self.dismiss(Mix(expression, name) if name else expression)

    def _say(self, problem: str) -> None:
        line = self.query_one(".problem", Static)
        line.update(Content(plain(problem)))
        line.display = bool(problem)


def _heading(group: str) -> Content:
    return Content.assemble("\n", (plain(group) or "your own", "$primary"))


def _offer(positive: str, negative: str) -> Content:
    return Content.assemble(
        ("two words".ljust(12), "bold"),
        " ",
        (plain(negative).strip() or "nothing", "$pole-negative"),
        (" ↔ ", "$faint"),
        (plain(positive).strip(), "$pole-positive"),
        "\n",
        ("Adds the difference between them at the front of what you say.", "$quiet"),
        "\n",
    )


def _mixed(text: str, mix: ExpressionCheck) -> Content:
    """What an expression comes to; where it goes wrong stands out."""
    label = ("mix".ljust(13), "bold")
    if mix.problem:
        wrong = (plain(text[mix.start : mix.end]) or "…", "$error bold underline")
        shown = Content.assemble(plain(text[: mix.start]), wrong, plain(text[mix.end :]))
        return Content.assemble(label, shown, "\n", (plain(mix.problem), "$error"), "\n")
    says = "One dial from several vectors."
    if mix.to_make:
        says = f"Makes {plain(', '.join(mix.to_make))} first."
    return Content.assemble(label, (plain(text.strip()), "$primary"), "\n", (says, "$quiet"), "\n")


def _haystack(choice: Choice) -> str:
    return f"{choice.group} {choice.name} {choice.negative_pole} {choice.positive_pole} {choice.description}".lower()
