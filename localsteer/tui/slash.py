"""What can be typed after a slash: one table that the commands, their completion and ``/help`` are made from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from localsteer.library.names import did_you_mean

Argument: TypeAlias = Literal["", "model", "dial", "scene", "theme", "seed", "copied", "text"]
"""What an argument is completed from; "text": nothing that could be completed."""


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """``argument``: how it is written, in square brackets where it can be left out. ``action``: what it runs where it
    does the same as a key, see :data:`localsteer.tui.keys.COMMANDS`. ``more``: more arguments follow the completed one.
    ``also``: what else it is called by those who have it from elsewhere.
    """

    name: str
    help: str
    argument: str = ""
    completes: Argument = ""
    action: str = ""
    more: bool = False
    also: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Such as ``/dial NAME [STRENGTH]``."""
        return f"/{self.name} {self.argument}".rstrip()


SLASH_COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand("help", "These commands"),
    SlashCommand("model", "Another model; without a name, the list of them", "[NAME]", "model"),
    SlashCommand("system", "What the model is told first; without a text, the window for it", "[TEXT]", "text"),
    SlashCommand(
        "dial",
        "Set a dial, added first if need be; a number alone sets the picked one",
        "NAME [STRENGTH]",
        "dial",
        more=True,
    ),
    SlashCommand("dials", "The dials in use and their strengths"),
    SlashCommand("zero", "Every dial to 0, or one of them", "[NAME]", "dial"),
    SlashCommand(
        "scene", "Recall dials, sampling and system prompt; without a name, the list of them", "[NAME]", "scene"
    ),
    SlashCommand("layers", "On which layers the picked dial acts, and on what", action="show_place"),
    SlashCommand("needles", "Let dials show how far the text itself leans, or not", action="toggle_needles"),
    SlashCommand("card", "All that is known of the picked dial's vector", action="show_card"),
    SlashCommand("workshop", "Make a dial of your own", action="workshop"),
    SlashCommand("compare", "Answer a message side by side; without one, the last", "[MESSAGE]", "text"),
    SlashCommand("tokens", "What each word leans to", action="see_tokens"),
    SlashCommand("sampling", "The window for all values below", action="sampling"),
    SlashCommand("seed", "Draw the same reply each time, or a new one", "N|random", "seed"),
    SlashCommand("temperature", "How freely words are drawn", "[X]", "text"),
    SlashCommand("top_k", "Among how many of the likeliest tokens", "[N]", "text"),
    SlashCommand("top_p", "Among the tokens that make up this probability", "[X]", "text"),
    SlashCommand("min_p", "Without tokens less likely than this part of the likeliest", "[X]", "text"),
    SlashCommand("repeat_penalty", "Above 1: what was just said becomes less likely", "[X]", "text"),
    SlashCommand("max_tokens", "Where replies end at the latest", "[N|none]", "text"),
    SlashCommand("new", "Another conversation; this one stays saved", action="new_chat"),
    SlashCommand("conversations", "All of them: search, open, rename, delete", action="conversations", also=("chats",)),
    SlashCommand("title", "What the conversation is called in the list; none: its first words", "[TITLE]", "text"),
    SlashCommand("again", "Write the reply again", action="again"),
    SlashCommand("undo", "Have back what was deleted", action="undo"),
    SlashCommand("save", "Write the conversation to a file: .md, .html or .json", "FILE", "text", also=("export",)),
    SlashCommand("copy", "Copy the last reply, its code, or all of it", "[code|conversation]", "copied"),
    SlashCommand("theme", "Other colours", "NAME", "theme"),
    SlashCommand("keys", "Which key does what", action="keys_help"),
    SlashCommand("quit", "Leave; everything is saved", action="app.quit"),
)

_BY_NAME: Mapping[str, SlashCommand] = {
    name: command for command in SLASH_COMMANDS for name in (command.name, *command.also)
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A command and what stands behind it."""

    command: SlashCommand
    argument: str


def is_slash(text: str) -> bool:
    """Whether ``text`` is meant as a command: it begins with one slash."""
    return text.startswith("/") and not text.startswith("//")


def as_message(text: str) -> str:
    """What is sent: of two slashes in front one goes."""
    return text[1:] if text.startswith("//") else text


def read_slash(text: str) -> Typed | str:
    """The command that ``text`` (a slash in front) means, or one sentence about what is wrong with it."""
    head, argument = _parts(text)
    name = _name(head)
    command = _BY_NAME.get(name)
    if command is None:
        alike = did_you_mean(name, _BY_NAME)
        instead = alike if "mean" in alike else "; /help lists them."
        return f"There is no command /{head}{instead} To send a message that begins with a slash, write two: //{head}"
    if argument and not command.argument:
        return f"/{command.name} takes nothing behind it."
    if not argument and command.argument and not command.argument.startswith("["):
        return f"/{command.name} needs something behind it: {command.shown}"
    return Typed(command, argument)


def _parts(text: str) -> tuple[str, str]:
    """The command's word and what stands behind it."""
    found = re.fullmatch(r"/(\S*)\s*(.*)", text, re.DOTALL)
    assert found is not None
    return found[1], found[2].strip()


def _name(word: str) -> str:
    return word.lower().replace("-", "_")


# ---------------------------------------------------------------- completion


@dataclass(frozen=True, slots=True)
class Completion:
    """``text``: the whole input with it taken; ``whole``: nothing more has to be typed."""

    text: str
    shown: str
    help: str = ""
    whole: bool = True


Names: TypeAlias = Mapping[Argument, Sequence[tuple[str, str]]]
"""For each kind of argument its values, each with a word about it."""


def completions(text: str, names: Names) -> tuple[Completion, ...]:
    """How ``text`` can go on: commands while one is being named, then what their argument is completed from."""
    if not is_slash(text) or "\n" in text:
        return ()
    word, space, argument = text[1:].partition(" ")
    if not space:
        return _commands(_name(word))
    command = _BY_NAME.get(_name(word))
    if command is None:
        return ()
    wanted = argument.strip().lower()
    known = names.get(command.completes, ())
    found = [one for one in known if one[0].lower().startswith(wanted)]
    found += [one for one in known if wanted in one[0].lower() and one not in found]
    if command.more and any(argument.startswith(f"{one} ") for one, _ in known):
        return ()
    return tuple(
        Completion(f"/{command.name} {value}{' ' if command.more else ''}", value, about, whole=not command.more)
        for value, about in found
    )


def _commands(begun: str) -> tuple[Completion, ...]:
    return tuple(
        Completion(
            f"/{command.name}{' ' if command.argument else ''}",
            command.shown,
            command.help,
            whole=not command.argument,
        )
        for command in SLASH_COMMANDS
        if any(name.startswith(begun) for name in (command.name, *command.also))
    )
