"""Ten times a second: what the engine said, handed to those it concerns, and the state of things on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localsteer.engine.protocol import Event, Failed, Finished, Loaded, Loading, ModelCard, Notice
from localsteer.tui.engine_link import EngineState
from localsteer.tui.greeting import first_dial_words, greeting, is_practice, shown_name, waiting_name, warnings
from localsteer.tui.widgets.dials_panel import DialsPanel
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.key_line import DIALS, MAKING, PICKED, TALKING, WRITING, KeyLine
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.tui.chat_screen import ChatScreen


class Hearing:
    """Drains the engine's events for a :class:`ChatScreen`."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        screen.query_one(HeaderLine).model = waiting_name(screen.link.model_path)
        self._greeted = ""
        self._noticed: set[str] = set()
        self._deaf = False

    async def tick(self) -> None:
        """One round."""
        screen = self._screen
        events = screen.link.poll()
        for event in list(events):
            if await screen.switching.hear(event):
                events.remove(event)
            else:
                await self._take(event)
        await screen.conversing.take(events)
        await screen.again.take(events)
        await screen.dialling.take(events)
        await screen.seeing.take(events)
        screen.comparing.take(events)
        screen.workshop.take(events)
        screen.needles.hear(events)
        if given_up := screen.link.given_up():
            await screen.forget(given_up)
        if any(isinstance(event, Finished) for event in events):
            screen.naming.look(screen.link.card)
        screen.asides.hear(events)
        self._look_whether_it_answers()
        self.show_state()

    def show_state(self) -> None:
        """Header and keys, from what is true now. Setting what is already set costs nothing."""
        screen, link = self._screen, self._screen.link
        header, keys = screen.query_one(HeaderLine), screen.query_one(KeyLine)
        header.trouble = link.deaf or (link.state is EngineState.OFF and bool(link.problem))
        if link.deaf:
            header.state = "does not answer"
        elif link.state is EngineState.LOADING:
            header.state = "loading…"
        elif header.trouble:
            header.state = "not running; your next message starts it" if link.card else "not loaded"
            header.fraction = 0.0
        else:
            header.state = ""
            header.fraction = 0.0
        if screen.query_one(DialsPanel).has_focus:
            keys.keys = DIALS
        else:
            picked = screen.query_one(Transcript).picked is not None
            idle = PICKED if picked else TALKING
            keys.keys = WRITING if link.has("reply") else MAKING if link.has("vector") else idle

    def _look_whether_it_answers(self) -> None:
        screen, before = self._screen, self._deaf
        self._deaf = screen.link.deaf
        if self._deaf and not before:
            screen.say(
                f"The engine does not answer. {screen.keymap.hint('stop', 'ends it')}"
                "What was said is kept, and your next message starts another.",
                wrong=True,
            )

    async def _take(self, event: Event) -> None:
        screen = self._screen
        transcript = screen.query_one(Transcript)
        match event:
            case Loading(fraction=fraction):
                screen.query_one(HeaderLine).fraction = fraction
            case Loaded(card=card):
                await self._loaded(card)
            case Notice(text=text) if text not in self._noticed:
                self._noticed.add(text)
                await transcript.add_note(text, "warning")
            case Failed(request=request, message=message) if request == screen.link.load_request:
                await screen.conversing.load_failed()
                await transcript.add_note(
                    f"The model could not be loaded: {message} {screen.keymap.hint('models', 'chooses another')}"
                    "Send a message to try this one again.",
                    "error",
                )

    async def _loaded(self, card: ModelCard) -> None:
        from localsteer.library.models import PRACTICE

        screen = self._screen
        header = screen.query_one(HeaderLine)
        header.model, header.fraction = shown_name(card), 0.0
        header.context_used, header.context_size = 0, card.n_ctx
        screen.memory.keep_model(PRACTICE if is_practice(card.path) else card.path)
        if self._greeted != card.model_id:
            transcript = screen.query_one(Transcript)
            # The first one is greeted above what was said while it was loaded.
            first = not self._greeted
            words = greeting(card, screen.keymap, earlier=first and screen.talk.has_earlier)
            await transcript.add_note(words, at=0 if first else None)
            self._greeted = card.model_id
            for warning in warnings(card):
                await transcript.add_note(warning, "warning")
        await screen.dialling.model_loaded(card)
        if (dial := screen.dialling.rack.current) is not None and screen.memory.lent:
            up, down = map(screen.keymap.first, ("jump_up", "jump_down"))
            words = first_dial_words(dial.name, dial.negative_pole, dial.positive_pole, up, down)
            await screen.query_one(Transcript).add_note(words)
        screen.needles.show()
