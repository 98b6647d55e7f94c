"""The library for notebooks and scripts: load a model, make vectors, steer, write replies, measure.

It shares vectors, recipes and settings with the app and the command line. Nothing of llama.cpp is imported before
:func:`load` is called.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from localsteer.engine.protocol import (
    DialSetting,
    Extract,
    Generate,
    Load,
    ModelCard,
    Notice,
    Sampling,
    Scope,
    Sweep,
    SweepRow,
    Swept,
    Turn,
    Work,
)
from localsteer.errors import DialError, EngineError, RecipeError, StorageError
from localsteer.file_reading import typed_path
from localsteer.library.combinations import put_together
from localsteer.library.dials import find_vector, split_strength
from localsteer.library.models import PRACTICE, resolve_model
from localsteer.library.places import find_places
from localsteer.library.recipes import check_contrast_file, find_recipe
from localsteer.library.settings_sources import read_settings
from localsteer.messages import Message
from localsteer.notebook_results import Measurement, Reply

if TYPE_CHECKING:
    from localsteer.engine.engine import Engine
    from localsteer.steering.contrast import ContrastSet
    from localsteer.steering.vector import SteeringVector

Dials: TypeAlias = (
    "Mapping[SteeringVector, float] | Mapping[str, float] | Mapping[str | SteeringVector, float] | Iterable[str] | str"
)
"""What steers a reply: vectors, names or expressions with their strengths; or texts as ``--dial`` takes them, such as
``"mood=1.2"`` and ``"mood*1.2 - 0.5*register @layers 7-9"``.
"""


def load(
    model: str | Path = PRACTICE, *, n_ctx: int = 0, n_threads: int | None = None, gpu_layers: int | None = None
) -> ChatModel:
    """Load a model in this process: a path, a name that ``localsteer models list`` shows, or ``practice``.

    ``n_ctx`` 0 takes the smaller of the model's own context and 8,192. Close it, or use it as a context manager. Raises
    ModelError.
    """
    from localsteer.engine.engine import Engine

    places = find_places()
    path = resolve_model(str(model), places, more_folders=read_settings(places)[0].model_folders)
    engine = Engine()
    try:
        card = engine.load(Load(0, str(path), n_ctx=n_ctx, n_threads=n_threads, gpu_layers=gpu_layers))
    except BaseException:
        engine.close()
        raise
    return ChatModel(engine, card)


class ChatModel:
    """A loaded model. Made by :func:`load`; everything it refuses is a LocalsteerError."""

    def __init__(self, engine: Engine, card: ModelCard) -> None:
        self.card = card
        self._engine = engine
        self._places = find_places()
        self._folder = tempfile.TemporaryDirectory(prefix="localsteer-", ignore_cleanup_errors=True)
        self._files: dict[SteeringVector, Path] = {}
        self._writing: Reply | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ChatModel {self.card.name}>"

    def close(self) -> None:
        """Let go of the model; calling it again does no harm."""
        self._cut_short()
        self._engine.close()
        self._files.clear()
        self._folder.cleanup()

    def vector(self, dial: str) -> SteeringVector:
        """What a dial's text means: a recipe or stored vector by name, a vector file by path, or an expression.

        What is missing or outdated is made first and kept, as in the app. Raises LocalsteerError.
        """
        from localsteer.steering.vector_file import load_vector

        return load_vector(self._made(dial)[0])

    def extract(
        self, source: str | Path | ContrastSet, *, method: str = "mean-difference", calibrate: bool = True
    ) -> SteeringVector:
        """Make a vector from a recipe (by name), a recipe or contrast file (by path), or a contrast set.

        It is made anew each time and not stored; :meth:`vector` takes what stands ready. ``calibrate`` finds its safe
        range and recommended strengths, too. Raises RecipeError.
        """
        from localsteer.steering.vector_file import load_vector

        out = self._new_file(".gguf")
        self._work(Extract(0, str(self._recipe(source)), str(out), method=method, calibrate=calibrate))
        vector = load_vector(out)
        self._files[vector] = out
        return vector

    def reply(
        self,
        prompt: str | Sequence[Message],
        *,
        dials: Dials = (),
        scope: Scope = "reply",
        system: str = "",
        seed: int | None = None,
        temperature: float = 0.8,
        max_tokens: int | None = None,
        raw: bool = False,
    ) -> Reply:
        """The reply to a text or a conversation that ends with the user's message: iterate over its text as it is
        written, or take the whole by ``str()``.

        ``raw`` continues the text itself, without a chat template. Whatever the model is asked next cuts short a reply
        that is still being written. Raises LocalsteerError.
        """
        messages = [Message("user", prompt)] if isinstance(prompt, str) else list(prompt)
        if system:
            messages.insert(0, Message("system", system))
        command = Generate(
            0,
            tuple(Turn(message.role, message.content) for message in messages),
            dials=self._dials(dials, scope),
            sampling=Sampling(temperature=temperature, seed=seed, max_tokens=max_tokens),
            raw=raw,
        )
        self._cut_short()
        self._writing = Reply(self._engine.generate(command))
        return self._writing

    def measure(
        self,
        vector: str | SteeringVector,
        strengths: Sequence[float] = (-1.0, 0.0, 1.0),
        *,
        recipe: str | Path | ContrastSet | None = None,
        controls: int = 0,
        pairs: int = 12,
        replies: int = 16,
        seed: int = 0,
    ) -> Measurement:
        """Effect and cost of a vector at each strength, as ``localsteer sweep`` measures them.

        Effects are measured on the contrasts of ``recipe``, None: of the recipe that has the vector's name.
        ``controls``: how many random vectors of the same norms are measured beside it; effects are measured on at most
        ``pairs`` contrasts, costs on ``replies`` replies. Raises LocalsteerError.
        """
        name = vector if isinstance(vector, str) else vector.name
        if recipe is None:
            found = find_recipe(name, self._places)
            if found is None:
                raise RecipeError(f'There is no recipe named "{name}" to measure on; name one with recipe=.')
            recipe = found.path
        path = self._made(vector)[0] if isinstance(vector, str) else self._file(vector)
        grid = tuple(float(strength) for strength in strengths)
        sweep = Sweep(0, str(self._recipe(recipe)), str(path), grid, (), controls, seed, pairs, replies=replies)
        events = self._work(sweep)
        rows = tuple(event for event in events if isinstance(event, SweepRow))
        end = next((event for event in events if isinstance(event, Swept)), None)
        if end is None:
            raise EngineError("The measurement was stopped.")
        return Measurement(name, rows, end.random_effect_low, end.random_effect_high, end.safe_low, end.safe_high)

    def _cut_short(self) -> None:
        """A reply that nobody reads any more must not stop later work when it is thrown away at last."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def _dials(self, dials: Dials, scope: Scope) -> tuple[DialSetting, ...]:
        if isinstance(dials, str):
            dials = (dials,)
        turned = dials.items() if isinstance(dials, Mapping) else [split_strength(text) for text in dials]
        return tuple(self._dial(dial, float(strength), scope) for dial, strength in turned)

    def _dial(self, dial: str | SteeringVector, strength: float, scope: Scope) -> DialSetting:
        if isinstance(dial, str):
            path, own_scope = self._made(dial)
            return DialSetting(dial, str(path), strength, scope=own_scope or scope)
        return DialSetting(dial.name, str(self._file(dial)), strength, scope=scope)

    def _made(self, dial: str) -> tuple[Path, Scope | None]:
        """The vector file of a dial's text, made where it is missing, and the scope that the text asks for."""
        if not self.card.steerable:
            raise DialError(f"{self.card.name} can chat but not be steered: its architecture ignores control vectors.")
        vector = find_vector(dial, self.card.model_id, self._places)
        for part in vector.to_extract:
            if part.make_from is not None:
                self._work(Extract(0, str(part.make_from.path), str(part.path)))
        put_together(vector)
        return vector.path, vector.scope

    def _file(self, vector: SteeringVector) -> Path:
        """The engine reads vectors from files: one for each vector that was made in memory."""
        if vector not in self._files:
            from localsteer.steering.vector_file import save_vector

            path = self._new_file(".gguf")
            save_vector(vector, path)
            self._files[vector] = path
        return self._files[vector]

    def _recipe(self, source: str | Path | ContrastSet) -> Path:
        if isinstance(source, str | Path):
            found = find_recipe(str(source), self._places)
            path = typed_path(source).absolute() if found is None else found.path
            check_contrast_file(path)
            return path
        from localsteer.steering.recipe_writer import recipe_of, write_recipe

        folder = Path(tempfile.mkdtemp(dir=self._open_folder()))
        # The name of a recipe is that of its file.
        path = folder / f"{source.name.replace('/', '-')}.toml"
        write_recipe(recipe_of(source), path)
        return path

    def _new_file(self, ending: str) -> Path:
        return Path(tempfile.mkdtemp(dir=self._open_folder())) / f"vector{ending}"

    def _open_folder(self) -> str:
        if self._engine.card is None:
            raise EngineError("The model was closed; load it again.")
        if not Path(self._folder.name).is_dir():
            raise StorageError(f"The folder {self._folder.name} is gone; load the model again.")
        return self._folder.name

    def _work(self, command: Work) -> list[object]:
        """The events of a command that was carried out; notices become warnings. Raises LocalsteerError."""
        events: list[object] = []

        def hear(event: object) -> None:
            if isinstance(event, Notice):
                warnings.warn(event.text, stacklevel=4)
            events.append(event)

        self._cut_short()
        self._engine.carry_out(command, hear)
        return events
