"""A model in an engine process, for the length of one command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from localsteer.cli.options import given_settings
from localsteer.cli.output import bar, clear_progress, note, show_progress
from localsteer.engine.client import EngineClient
from localsteer.engine.experiment_protocol import Experiment
from localsteer.engine.protocol import (
    Event,
    Extract,
    Extracted,
    ExtractProgress,
    Failed,
    Generate,
    Load,
    Loaded,
    Loading,
    ModelCard,
    Notice,
    PromptProgress,
    ReadTokens,
    SetDials,
    Stopped,
    Sweep,
    TokensRead,
    Work,
)
from localsteer.errors import EngineError, LocalsteerError, ModelError
from localsteer.file_reading import is_file
from localsteer.gguf_header import check_chat_model, model_id
from localsteer.library.files import private_folder
from localsteer.library.models import PRACTICE, resolve_model
from localsteer.library.places import Places, find_places
from localsteer.library.remembered import read_remembered
from localsteer.library.settings import Settings
from localsteer.library.settings_sources import read_settings

_STAGES = {
    "reading": "reading hidden states",
    "measuring": "measuring strengths",
    "sweeping": "measuring",
    "writing": "writing",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The person's places and settings, read once per command."""

    places: Places
    settings: Settings

    @classmethod
    def find(cls) -> Self:
        """Read them; what is wrong in file or environment is said on stderr and costs nothing else.

        Raises SettingsError for a ``--set`` that cannot be.
        """
        places = find_places()
        settings, problems = read_settings(places, given_settings())
        for problem in problems:
            note(problem)
        return cls(places, settings)

    def model_path(self, wanted: str | None) -> Path:
        """The model that is meant; None: the one used last where it is still there, else the practice model.

        Raises ModelError.
        """
        if wanted is None:
            last = read_remembered(self.places).last_model
            wanted = last if last is not None and (last == PRACTICE or is_file(Path(last))) else PRACTICE
        return resolve_model(wanted, self.places, more_folders=self.settings.model_folders)


def identify(path: Path) -> str:
    """The model's id, without loading it. Raises ModelError for a file that cannot chat here."""
    header = check_chat_model(path, in_memory=False)
    try:
        return model_id(path, header)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error


class Session:
    """Loads a model in an engine process; leaving ends the process, whatever it is at."""

    def __init__(
        self,
        home: Home,
        path: Path,
        *,
        n_ctx: int | None = None,
        threads: int | None = None,
        gpu_layers: int | None = None,
    ) -> None:
        settings = home.settings
        self._load = Load(
            request=0,
            path=str(path),
            n_ctx=n_ctx or settings.n_ctx,
            n_threads=threads or settings.n_threads,
            gpu_layers=settings.gpu_layers if gpu_layers is None else gpu_layers,
        )
        private_folder(home.places.data)
        self._client = EngineClient(home.places.engine_log)
        self._card: ModelCard | None = None

    def __enter__(self) -> Self:
        try:
            self._client.start()
            for event in self._work(self._load):
                if isinstance(event, Loaded):
                    self._card = event.card
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the engine process."""
        clear_progress()
        self._client.close()

    @property
    def card(self) -> ModelCard:
        """The loaded model."""
        if self._card is None:
            raise EngineError("The model was not loaded; try again.")
        return self._card

    def generate(self, command: Generate) -> Iterator[Event]:
        """The events of one reply. Raises LocalsteerError where the engine fails or dies."""
        return self._work(command)

    def set_dials(self, command: SetDials) -> None:
        """New dials for the reply that is being written."""
        self._client.send(command)

    def memory(self) -> int:
        """Bytes of memory that the engine process has in use, the mapped model among them."""
        # In a virtual environment of Windows the process that was started only starts the right Python.
        started = psutil.Process(self._client.pid)
        return sum(int(one.memory_info().rss) for one in (started, *started.children(recursive=True)))

    def extract(self, command: Extract) -> Extracted:
        """Make a vector, with progress and the time left on stderr. Raises LocalsteerError."""
        for event in self._work(command):
            if isinstance(event, Extracted):
                return event
        raise EngineError("The extraction was stopped.")

    def sweep(self, command: Sweep) -> Iterator[Event]:
        """The events of a sweep, with progress on stderr. Raises LocalsteerError where the engine fails or dies."""
        return self._work(command)

    def experiment(self, command: Experiment) -> Iterator[Event]:
        """The events of an experiment, with progress on stderr. Raises LocalsteerError where the engine fails."""
        return self._work(command)

    def read_tokens(self, command: ReadTokens) -> TokensRead:
        """Read how far tokens lean. Raises LocalsteerError."""
        for event in self._work(command):
            if isinstance(event, TokensRead):
                return event
        raise EngineError("The reading was stopped.")

    def _work(self, command: Work) -> Iterator[Event]:
        request = self._client.new_request()
        self._client.send(replace(command, request=request))
        for event in self._client.events(request):
            match event:
                case Failed(message=message):
                    raise LocalsteerError(message)
                case Stopped():
                    raise EngineError("The engine stopped before it was done; try again.")
                case Notice(text=text):
                    note(text)
                case Loading() | PromptProgress() | ExtractProgress():
                    show_progress(_spoken(event))
                case _:
                    clear_progress()
                    yield event


def _spoken(event: Loading | PromptProgress | ExtractProgress) -> str:
    match event:
        case Loading(fraction=fraction):
            return f"loading the model {bar(fraction)}"
        case PromptProgress(done=done, total=total):
            return f"reading the prompt {bar(done / max(1, total))}"
        case ExtractProgress(stage=stage, done=done, total=total, seconds_left=left):
            time_left = "" if left is None else f", {left:.0f} s left"
            return f"{_STAGES.get(stage, stage)} {bar(done / max(1, total))}{time_left}"
