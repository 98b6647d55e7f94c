"""The engine itself: one model, one chat context, one piece of work at a time. For the child process, and scripts."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from localsteer.engine.asked import as_shown
from localsteer.engine.comparison import Comparison
from localsteer.engine.control import Control
from localsteer.engine.desk import Desk, Say
from localsteer.engine.experiment_protocol import Experiment
from localsteer.engine.generation import Reply
from localsteer.engine.mixing import Mixer
from localsteer.engine.needles_cost import measure_needles
from localsteer.engine.protocol import (
    Compare,
    Course,
    DialSetting,
    Event,
    Extract,
    Generate,
    Load,
    Loaded,
    Loading,
    MakeTitle,
    MeasureNeedles,
    ModelCard,
    Notice,
    RateReply,
    ReadTokens,
    Stopped,
    Sweep,
    Work,
)
from localsteer.engine.rating import rate_reply
from localsteer.engine.side_again import write_side_again
from localsteer.engine.titles import make_title
from localsteer.engine.token_reading import TokenReading
from localsteer.errors import EngineError, ModelError
from localsteer.errors import Stopped as StoppedOnRequest
from localsteer.gguf_header import check_chat_model, default_context
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.steering.fit import ModelStamp

_LOADING_STEP = 0.01


class Engine:
    """Commands in, events out, in this process. Use it as a context manager.

    ``set_dials`` and ``stop`` may be called from any thread at any moment; of the rest, one is at work at a time and
    others wait. Errors that a person can mend are raised as LocalsteerError.
    """

    def __init__(self, control: Control | None = None) -> None:
        self.control = control or Control()
        self._busy = threading.Lock()
        self._desk: Desk | None = None
        self.card: ModelCard | None = None

    def load(self, command: Load, say: Say | None = None) -> ModelCard:
        """Load a model instead of the present one; ``say`` gets Loading events.

        Raises ModelError; a file that is no chat model at all leaves the present one in place.
        """
        self.carry_out(command, say or _ignore)
        if self.card is None:
            raise EngineError("The model was not loaded because another one was asked for.")
        return self.card

    def generate(self, command: Generate) -> Generator[Event]:
        """Write a reply: the events of a Generate, Finished being the last. Leaving the loop early stops the work."""
        return self._events(command, self.control.ticket())

    def compare(self, command: Compare) -> Iterator[Event]:
        """Write replies side by side: the events of a Compare, Compared being the last. Leaving the loop stops it."""
        return self._events(command, self.control.ticket())

    def extract(self, command: Extract) -> Iterator[Event]:
        """Make a vector: the events of an Extract, the last one Extracted or Stopped. Leaving the loop stops it."""
        return self._events(command, self.control.ticket())

    def sweep(self, command: Sweep) -> Iterator[Event]:
        """Measure a vector: the events of a Sweep, the last one Swept or Stopped. Leaving the loop stops it."""
        return self._events(command, self.control.ticket())

    def experiment(self, command: Experiment) -> Iterator[Event]:
        """Repeat a paper's experiment: its ResultRow events, the last one ExperimentDone or Stopped. Leaving the loop
        stops it.
        """
        return self._events(command, self.control.ticket())

    def read_tokens(self, command: ReadTokens) -> Iterator[Event]:
        """Read how far tokens lean: the events of a ReadTokens, the last one TokensRead or Stopped."""
        return self._events(command, self.control.ticket())

    def rate(self, command: RateReply) -> Iterator[Event]:
        """How natural a reply is: ReplyRated, or Stopped when something else had to go first."""
        return self._events(command, self.control.ticket())

    def measure_needles(self, command: MeasureNeedles) -> Iterator[Event]:
        """What watching costs: NeedlesMeasured, or Stopped when something else had to go first."""
        return self._events(command, self.control.ticket())

    def make_title(self, command: MakeTitle) -> Iterator[Event]:
        """A title for a conversation: TitleMade, or Stopped when something else had to go first."""
        return self._events(command, self.control.ticket())

    def set_dials(self, dials: tuple[DialSetting, ...]) -> None:
        """New dials for the reply that is being written, in force before its next token."""
        self.control.set_dials(dials)

    def stop(self) -> None:
        """Stop the running generation or extraction at once."""
        self.control.stop()

    def close(self) -> None:
        """Stop and let go of the model; calling it again does no harm."""
        self.control.stop()
        self.control.abandon_loads()
        with self._busy:
            self._unload()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def carry_out(self, command: Work, say: Say, ticket: int | None = None) -> None:
        """Do ``command`` to its end in this thread; its events go to ``say``, its errors are raised.

        ``ticket``: when the command arrived, by :class:`Control`; None is now.
        """
        arrived = self.control.ticket() if ticket is None else ticket
        with self._busy:
            try:
                if isinstance(command, Generate | Compare | ReadTokens | RateReply):
                    command = replace(command, turns=as_shown(self._loaded().model, command.turns))
                match command:
                    case Load():
                        self._load(command, arrived, say)
                    case Generate(course=Course(sides=(_, *_)) as course):
                        write_side_again(self._loaded(), command, course, lambda: self.control.stopped(arrived), say)
                    case Generate():
                        Reply(self._loaded(), command, self.control, arrived, say).write()
                    case Compare():
                        Comparison(self._loaded(), command, lambda: self.control.stopped(arrived), say).write()
                    case Extract():
                        from localsteer.engine.extraction import Extraction

                        stopped = lambda: self.control.stopped(arrived)  # noqa: E731
                        Extraction(self._loaded(), command, stopped, say).run()
                    case Sweep():
                        from localsteer.engine.sweeping import Sweeping

                        Sweeping(self._loaded(), command, lambda: self.control.stopped(arrived), say).run()
                    case ReadTokens():
                        TokenReading(self._loaded(), command, self.control, arrived, say).run()
                    case RateReply():
                        say(rate_reply(self._loaded(), command, self._giving_way(arrived)))
                    case MeasureNeedles():
                        say(measure_needles(self._loaded(), command, self._giving_way(arrived)))
                    case MakeTitle():
                        say(make_title(self._loaded(), command, self._giving_way(arrived)))
                    case _:
                        from localsteer.engine.experiments.suites import run_experiment

                        run_experiment(self._loaded(), command, lambda: self.control.stopped(arrived), say)
            except StoppedOnRequest:
                say(Stopped(command.request))

    def _giving_way(self, ticket: int) -> Callable[[], bool]:
        """Asked by work for idle moments: whether it has to end. Raises Stopped where it need not even begin."""
        if self.control.overtaken(ticket):
            raise StoppedOnRequest
        return lambda: self.control.overtaken(ticket)

    def _load(self, command: Load, ticket: int, say: Say) -> None:
        path = Path(command.path)
        # Looked at before the old model goes, so that a wrong name costs nothing.
        check_chat_model(path, in_memory=False)
        if not 0 <= command.n_ctx < 2**31:
            raise ModelError(
                f"A context of {command.n_ctx} tokens is not possible; give a positive number, or 0 to have one chosen."
            )

        said = 0.0

        def progress(fraction: float) -> bool:
            nonlocal said
            if fraction >= said + _LOADING_STEP:
                said = fraction
                say(Loading(command.request, fraction))
            return not self.control.load_abandoned(ticket)

        self._unload()
        model = Model(path, gpu_layers=command.gpu_layers, progress=progress)
        n_ctx = command.n_ctx or default_context(model.n_ctx_train)
        with contextlib.ExitStack() as undo:
            undo.callback(model.close)
            mixer = Mixer(stamp_of(model), steerable=model.steerable)
            context = Context(model, n_ctx=n_ctx, n_threads=command.n_threads)
            undo.pop_all()
        self._desk = Desk(model, context, mixer)
        self.card = _card(model, context)
        if n_ctx > model.n_ctx_train > 0:
            say(
                Notice(
                    command.request,
                    f"A context of {n_ctx} tokens is longer than the {model.n_ctx_train} it was trained on; "
                    "replies may fall apart there.",
                )
            )
        say(Loaded(command.request, self.card))

    def _unload(self) -> None:
        desk, self._desk, self.card = self._desk, None, None
        if desk is not None:
            desk.context.close()
            desk.model.close()

    def _loaded(self) -> Desk:
        if self._desk is not None and self._desk.context.closed:
            self._unload()
            raise EngineError("There was not enough memory to go on with this model; load it with a smaller context.")
        if self._desk is None:
            raise EngineError("No model is loaded; load one first.")
        return self._desk

    def _events(self, command: Work, ticket: int) -> Generator[Event]:
        events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                self.carry_out(command, events.put, ticket)
            except BaseException as error:
                events.put(error)
            else:
                events.put(None)

        thread = threading.Thread(target=work, name="engine", daemon=True)
        thread.start()
        try:
            while (item := events.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            if thread.is_alive():
                self.control.stop()
            thread.join()


def stamp_of(model: Model) -> ModelStamp:
    """What a vector remembers of the model it was made for."""
    return ModelStamp(
        name=model.name,
        architecture=model.architecture,
        n_layer=model.n_layer,
        n_embd=model.n_embd,
        vocabulary=model.vocabulary_fingerprint,
        model_id=model.model_id,
    )


def _card(model: Model, context: Context) -> ModelCard:
    return ModelCard(
        path=str(model.path),
        name=model.name,
        architecture=model.architecture,
        quantisation=model.quantisation,
        n_params=model.n_params,
        size_bytes=model.size_bytes,
        n_layer=model.n_layer,
        n_embd=model.n_embd,
        n_vocab=model.n_vocab,
        n_ctx=context.n_ctx,
        n_ctx_train=model.n_ctx_train,
        n_threads=context.n_threads,
        gpu_layers=model.gpu_layers,
        model_id=model.model_id,
        vocabulary=model.vocabulary_fingerprint,
        steerable=model.steerable,
        template=model.has_chat_template,
    )


def _ignore(event: Event) -> None:
    pass
