"""The workshop's work: contrasts to vectors, vectors to answers, words to statements, by the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from localsteer.engine.protocol import (
    Command,
    Compare,
    Compared,
    DialSetting,
    Died,
    Event,
    Extract,
    Extracted,
    ExtractProgress,
    Failed,
    Loaded,
    ModelCard,
    Notice,
    Sampling,
    SideFinished,
    SideToken,
    Stopped,
    Turn,
)
from localsteer.errors import DialError, LocalsteerError
from localsteer.library.places import Places
from localsteer.tui.dialling import Dialling
from localsteer.tui.engine_link import EngineLink, Job
from localsteer.tui.keymap import Keymap
from localsteer.tui.pace import pace_of
from localsteer.tui.rack import Dial, Rack

if TYPE_CHECKING:
    from localsteer.library.drafts import Draft
    from localsteer.tui.workshop.screen import WorkshopScreen
    from localsteer.tui.workshop.way import Contrast

_MOST_TOKENS = 160
"""Of an answer that is tried out."""
_SCREEN = "workshop"


@dataclass(frozen=True, slots=True)
class Made:
    """A vector that was made here; ``draft`` None for two words, which are no recipe."""

    dial: Dial
    model_id: str
    draft: Draft | None
    report: Extracted


class Workshop:
    """Lives as long as the app, and with it all that was typed into its screen. At most one thing is under way."""

    def __init__(
        self, link: EngineLink, dialling: Dialling, places: Places, sampling: Callable[[], Sampling], keymap: Keymap
    ) -> None:
        self.link = link
        self.dialling = dialling
        self.places = places
        self._sampling = sampling
        self._keymap = keymap
        self._screen: WorkshopScreen | None = None
        self._job: Job | None = None
        self._contrast: Contrast | None = None
        self._name = ""
        self._asked: tuple[str, str] | None = None
        self._tries = 0
        self._text = ""
        self._own_names: set[str] = set()
        self.made: Made | None = None

    def open(self, app: App[None]) -> None:
        """The screen, as it was left."""
        if self._screen is None:
            # Nobody needs it for the app's first frame.
            from localsteer.tui.workshop.screen import WorkshopScreen

            self._screen = WorkshopScreen(self, self._keymap)
            app.install_screen(self._screen, _SCREEN)
        if self._screen not in app.screen_stack:
            app.push_screen(_SCREEN)

    @property
    def card(self) -> ModelCard | None:
        """The loaded model."""
        return self.link.card

    @property
    def busy(self) -> bool:
        """Whether the engine has, or is to have, something to do for this."""
        return self._job is not None

    def forget_other_models(self) -> None:
        """What was made for another model than the one that is loaded is of no use here."""
        if self.made is not None and self.card is not None and self.made.model_id != self.card.model_id:
            self.made = None

    # ------------------------------------------------------------ names

    def free_name(self, text: str) -> str:
        """A name for a dial about ``text`` that nothing else has."""
        from localsteer.library.names import suggested_name

        wanted = suggested_name(text)
        if not wanted:
            return ""
        names = (wanted, *(f"{wanted}-{number}" for number in range(2, 100)))
        return next((name for name in names if not self.in_the_way(name)), wanted)

    def in_the_way(self, name: str) -> str:
        """What has this name and was not made here; nothing where it may be taken."""
        from localsteer.library.drafts import taken_by

        if name in self._own_names or self.card is None:
            return ""
        return taken_by(name, self.card.model_id, self.places)

    # ------------------------------------------------------------ doing

    def make(self, contrast: Contrast, name: str) -> None:
        """Have a vector made. Raises LocalsteerError for what cannot make one."""
        from localsteer.library.drafts import Draft, check_recipe_name, write_draft
        from localsteer.library.vectors import VectorLibrary
        from localsteer.tui.workshop.way import Words

        card = self.card
        if card is None:
            raise DialError("A vector can be made once the model is loaded.")
        if not card.steerable:
            raise DialError("This model cannot be steered, so no vector can be made for it.")
        if isinstance(contrast, Draft):
            recipe = write_draft(contrast, name, self.places)
        check_recipe_name(name)
        out = str(VectorLibrary.at(self.places).path_for(name, card.model_id))
        if isinstance(contrast, Words):
            layers = None if contrast.layer is None else (contrast.layer,)
            words = (contrast.positive, contrast.negative)
            extract = Extract(0, "", out, method="actadd", layers=layers, words=words)
        else:
            extract = Extract(0, str(recipe), out)
        self._contrast, self._name = contrast, name
        self._submit(Job("vector", lambda request, _: replace(extract, request=request)))

    async def try_out(self, message: str) -> None:
        """Have ``message`` answered at both ends and without the dial, which comes onto the panel at 0."""
        self.forget_other_models()
        if self.made is None or self.card is None:
            return
        dial = self.made.dial
        await self.dialling.put(self.dialling.rack.with_dial(dial))
        sides = tuple(
            (DialSetting(dial.name, dial.vector_path, strength, dial.own_layers, dial.scope),) if strength else ()
            for strength in dial.stops
        )
        most = min(_MOST_TOKENS, self._sampling().max_tokens or _MOST_TOKENS)
        sampling = replace(self._sampling(), max_tokens=most)

        def command(request: int, card: ModelCard) -> Command:
            return Compare(request, (Turn("user", message),), sides, sampling, pace=pace_of(card))

        self._submit(Job("trial", command))

    async def use(self) -> None:
        """Onto the panel, picked, and turned up to what is recommended unless it is turned already."""
        self.forget_other_models()
        if self.made is None:
            return
        rack: Rack = self.dialling.rack.with_dial(self.made.dial)
        if rack.current is not None and rack.current.strength == 0:
            rack = rack.jump(1)
        await self.dialling.put(rack)

    def save(self) -> Path | None:
        """The recipe of what was made, among the person's own; None where it has none. Raises LocalsteerError."""
        from localsteer.library.drafts import save_draft

        if self.made is None or self.made.draft is None:
            return None
        return save_draft(self.made.draft, self.made.dial.name, self.places)

    def ask(self, word: str, opposite: str) -> None:
        """Have the model write statements."""
        self._tries = 0
        self._ask(word, opposite)

    def _ask(self, word: str, opposite: str) -> None:
        from localsteer.tui.workshop.asking import statements_wish

        self._tries += 1
        self._text = ""
        seed = self._tries
        job = Job("trial", lambda request, _: statements_wish(request, word, opposite, seed))
        self._submit(job, (word, opposite))

    def forget(self, jobs: Sequence[Job]) -> None:
        """These were stopped before their turn came."""
        if self._job is not None and self._job in jobs:
            self._asked = None
            self._ended()
            if self._screen is not None:
                self._screen.say("Stopped.")

    def stop(self) -> None:
        """Whatever is under way."""
        if self._job is not None:
            waits = self._job is not self.link.running
            self.link.withdraw(self._job)
            if waits:
                self._asked = None
                self._ended()

    def _submit(self, job: Job, asked: tuple[str, str] | None = None) -> None:
        """``asked``: the words that the model is to write statements about; None where it is to do something else."""
        if self._job is not None:
            self.link.withdraw(self._job)
        self._job, self._asked = job, asked
        try:
            self.link.submit(job)
        except LocalsteerError:
            self._asked = None
            self._ended()
            raise

    def _ended(self) -> None:
        self._job = None
        if self._screen is not None:
            self._screen.idle()

    # ------------------------------------------------------------ hearing

    def take(self, events: list[Event]) -> None:
        """What the engine said about this."""
        for event in events:
            if self._screen is None:
                return
            if isinstance(event, Loaded):
                if self._screen.is_current and self._screen.is_mounted:
                    self._screen.show_model()
            elif self._job is None:
                continue
            elif isinstance(event, Died):
                if not self.link.holds(self._job):
                    self._asked = None
                    self._ended()
                    self._screen.refuse(event.reason)
            elif event.request == self._job.request:
                self._take_one(self._screen, event)
        if self._screen is not None:
            self._screen.paint_answers()

    def _take_one(self, screen: WorkshopScreen, event: Event) -> None:
        match event:
            case ExtractProgress():
                screen.show_progress(event)
            case Notice(text=text):
                screen.say(text)
            case SideToken(side=side, text=text):
                if self._asked is not None:
                    self._text += text
                    screen.show_written(self._text.count("\n"))
                else:
                    screen.answer(side, text)
            case SideFinished(reply=reply) if self._asked is not None:
                self._text = reply.text
            case Extracted():
                self._ended()
                self._take_made(screen, event)
            case Compared():
                self._ended()
                if self._asked is not None:
                    self._take_statements(screen)
            case Failed(message=message):
                self._asked = None
                self._ended()
                screen.refuse(message)
            case Stopped():
                self._asked = None
                self._ended()
                screen.say("Stopped.")

    def _take_made(self, screen: WorkshopScreen, report: Extracted) -> None:
        from localsteer.library.drafts import Draft
        from localsteer.tui.dial_shelf import dial_from

        card = self.card
        try:
            dial = dial_from(Path(report.out), self._name)
        except LocalsteerError as error:
            screen.refuse(str(error))
            return
        self._own_names.add(self._name)
        draft = self._contrast if isinstance(self._contrast, Draft) else None
        self.made = Made(dial, "" if card is None else card.model_id, draft, report)
        screen.show_made(self.made)

    def _take_statements(self, screen: WorkshopScreen) -> None:
        from localsteer.tui.workshop.asking import TRIES, read_statements

        asked, self._asked = self._asked, None
        written = read_statements(self._text)
        if written is None and self._tries < TRIES and asked is not None:
            try:
                self._ask(*asked)
            except LocalsteerError as error:
                screen.refuse(str(error))
            return
        if written is None:
            screen.could_not_write()
        else:
            screen.take_written(written)
