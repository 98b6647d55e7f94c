"""Slash commands: done, and completed while they are typed."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, cast

from localsteer.errors import LocalsteerError, StorageError
from localsteer.file_reading import is_there
from localsteer.library.files import write_private
from localsteer.library.names import did_you_mean
from localsteer.tui.plain import plain
from localsteer.tui.sampling_values import SAMPLING_VALUES, with_value
from localsteer.tui.slash import Names, completions, is_slash, read_slash
from localsteer.tui.steady import work_beside
from localsteer.tui.strengths import signed, typed_strength
from localsteer.tui.theme import PALETTES, WORDS, theme_named
from localsteer.tui.widgets.completions import Completions
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.tui.app import LocalsteerApp
    from localsteer.tui.chat_screen import ChatScreen

_SAMPLING = {value.name: value for value in SAMPLING_VALUES}
_FIXED: Names = {
    "theme": [(name.removeprefix("localsteer-"), WORDS[name]) for name in PALETTES],
    "seed": [("random", "a new one each time")],
    "copied": [("code", "the last block of code"), ("conversation", "all messages, as Markdown")],
}


class Slashing:
    """For a :class:`ChatScreen`."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._found: Names = {}
        self._asked = False

    # ------------------------------------------------------------ completion

    def typed(self) -> None:
        """The input has changed: offer how it can go on."""
        composer = self._screen.query_one(Composer)
        text = composer.text
        if not is_slash(text):
            self._asked = False
            self._screen.query_one(Completions).close()
            return
        if not self._asked:
            self._asked = True
            work_beside(self._screen, self._find_names, group="slash-names", exclusive=True)
        self._screen.query_one(Completions).offer(completions(text, {**_FIXED, **self._found}), text)

    async def _find_names(self) -> None:
        """What stands on the disk, while the person types on."""
        from localsteer.library.scenes import read_scenes
        from localsteer.tui.dial_shelf import choices

        screen, card = self._screen, self._screen.link.card
        rack = screen.dialling.rack
        present = [(dial.name, f"now {signed(rack.effective(dial))}") for dial in rack.dials]
        if card is not None and card.steerable:
            found = await asyncio.to_thread(choices, screen.opening.places, card.model_id)
            names = rack.names()
            present += [
                (one.name, f"{one.negative_pole} ↔ {one.positive_pole}" if one.positive_pole else "")
                for one in found
                if one.readiness != "broken" and one.name not in names
            ]
        self._found = {**self._found, "dial": present}
        self.typed()
        scenes = await asyncio.to_thread(read_scenes, screen.opening.places)
        self._found = {**self._found, "scene": [(scene.name, scene.model) for scene in scenes.scenes]}
        models = await asyncio.to_thread(screen.find_models)
        self._found = {
            **self._found,
            "model": [(one.name, " · ".join(one.facts[:2])) for one in models if not one.problem],
        }
        self.typed()

    # ------------------------------------------------------------ doing

    async def run(self, text: str) -> None:
        """Do what ``text`` says, or say why not and give it back into the input."""
        typed = read_slash(text)
        if isinstance(typed, str):
            self._refuse(text, typed)
            return
        command, argument = typed.command, typed.argument
        try:
            if command.action:
                await self._screen.run_action(command.action)
            elif command.name in _SAMPLING:
                self._draw(command.name, argument)
            else:
                await self._do(command.name, argument)
        except LocalsteerError as error:
            self._refuse(text, str(error))

    def _refuse(self, text: str, why: str) -> None:
        self._screen.give_back(text)
        self._screen.query_one(Completions).close()
        self._screen.say(why, True)

    async def _do(self, name: str, argument: str) -> None:
        screen = self._screen
        match name:
            case "help":
                from localsteer.tui.dialogs.slash_help import SlashHelp

                screen.app.push_screen(SlashHelp(screen.keymap))
            case "model" if argument:
                await screen.take_model_named(argument)
            case "model":
                screen.action_models()
            case "system" if argument:
                await screen.set_system_prompt(argument)
            case "system":
                screen.action_system_prompt()
            case "dial":
                await self._set_dial(argument)
            case "dials":
                await self._show_dials()
            case "zero":
                await self._zero(argument)
            case "scene" if argument:
                await self._recall(argument)
            case "scene":
                screen.action_scenes()
            case "compare":
                screen.comparing.open(argument)
            case "title":
                self._call_it(argument)
            case "save":
                from localsteer.tui.carrying import path_named

                self._save(path_named(argument))
            case "copy":
                await screen.run_action({"": "copy_message", "code": "copy_code"}.get(argument, "copy_conversation"))
            case "theme":
                self._take_theme(argument)

    def _draw(self, name: str, argument: str) -> None:
        conversing, value = self._screen.conversing, _SAMPLING[name]
        if argument:
            conversing.sampling = with_value(conversing.sampling, name, value.read(argument))
            words = value.words(value.of(conversing.sampling))
            self._screen.say(f"{value.title}: {words}, from the next reply on.")
        else:
            self._screen.say(f"{value.title}: {value.words(value.of(conversing.sampling))}. {value.says}")

    async def _set_dial(self, argument: str) -> None:
        from localsteer.tui.two_words import two_words

        dialling = self._screen.dialling
        name, strength = name_and_strength(argument)
        if not name:
            current = dialling.rack.current
            if current is None:
                self._screen.say("There is no dial on the panel yet; name one: /dial NAME STRENGTH", True)
                return
            name = current.name
        if await dialling.choices() is None:
            return
        words = two_words(name)
        if strength is None and words is not None:
            await dialling.add_words(*words)
        elif strength is None:
            await dialling.add(name)
        else:
            await dialling.set_strength(name, strength)

    async def _show_dials(self) -> None:
        rack = self._screen.dialling.rack
        shown = []
        for dial in rack.dials:
            quiet = " (muted)" if dial.muted else " (another one plays solo)" if rack.silenced(dial) else ""
            shown.append(f"{dial.name} {signed(dial.strength)}{quiet}")
        if shown:
            await self._screen.query_one(Transcript).add_note(f"Dials: {' · '.join(shown)}")
        else:
            self._screen.say("There is no dial on the panel yet; /dial NAME STRENGTH adds one.")

    async def _zero(self, name: str) -> None:
        dialling = self._screen.dialling
        names = dialling.rack.names()
        if not name:
            await self._screen.run_action("zero_all")
        elif name in names:
            await dialling.change(lambda rack: rack.set_strength(names.index(name), 0.0))
        else:
            self._screen.say(f'There is no dial "{name}" on the panel; /dials shows them.', True)

    async def _recall(self, name: str) -> None:
        from localsteer.library.scenes import read_scenes

        found = await asyncio.to_thread(read_scenes, self._screen.opening.places)
        names = {scene.name.casefold(): scene for scene in found.scenes}
        scene = names.get(name.casefold())
        if scene is None:
            alike = did_you_mean(name, [scene.name for scene in found.scenes])
            self._screen.say(f'There is no scene "{name}"{alike}', True)
        else:
            await self._screen.recall_scene(scene)

    def _call_it(self, title: str) -> None:
        conversation = self._screen.talk.conversation
        if conversation is None:
            self._screen.say("There is no conversation yet that could be named.")
            return
        self._screen.talk.store.rename(conversation.id, title)
        self._screen.say(
            f"It stands in the list as “{plain(title)}” now." if title else "It is called by its first words."
        )

    def _save(self, out: Path) -> None:
        from localsteer.chat.exporting import FORMS, exported

        talk = self._screen.talk
        if not talk.messages:
            self._screen.say("There is no conversation yet that could be saved.")
            return
        if out.suffix.lower() in FORMS and is_there(out):
            raise StorageError(f"{out} exists already; name another file.")
        text = exported(talk.store, talk.messages[0].conversation_id, out)
        write_private(out, text.encode("utf-8", "replace"))
        self._screen.say(f"The conversation stands in {out}.")

    def _take_theme(self, wanted: str) -> None:
        app = cast("LocalsteerApp", self._screen.app)
        name, problem = theme_named(wanted, [*PALETTES, *app.available_themes])
        if problem:
            self._screen.say(problem, True)
        else:
            app.take_theme(name)


def name_and_strength(text: str) -> tuple[str, float | None]:
    """``mood 1.5`` or ``mood=1.5`` in its parts; no name: the picked dial, no number: only to be added.

    An expression may end with the number of a layer, which is no strength. Raises DialError for a number that is too
    large for one.
    """
    before, _, last = text.rpartition("=") if "=" in text else text.rpartition(" ")
    try:
        strength = float(last.replace("−", "-"))
    except ValueError:
        return text.strip(), None
    if not math.isfinite(strength) or before.rstrip().endswith(("@layers", ",", "-", "−", "+", "*", "/")):
        return text.strip(), None
    return before.strip(), typed_strength(last)
