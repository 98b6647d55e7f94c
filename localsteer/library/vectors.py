"""The vectors that were made or imported: one folder per model, one file per vector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localsteer.errors import StorageError, VectorError
from localsteer.file_reading import is_file, is_there, matching
from localsteer.gguf_header import check_chat_model, model_id, vocabulary_fingerprint
from localsteer.library.files import copy_whole, is_safe_name, private_folder
from localsteer.library.measured import measured_path
from localsteer.library.names import did_you_mean
from localsteer.library.places import Places
from localsteer.library.vector_cards import VectorCard, read_vector_card

if TYPE_CHECKING:
    from localsteer.steering.vector import SteeringVector
    from localsteer.steering.vector_origin import Origin

ANY_MODEL = "any"
"""The folder of imported vectors that do not say which model they were made for."""


def check_replaces_a_vector(target: Path) -> None:
    """Raise VectorError where what is at ``target`` is something else, such as a model: a vector takes the place of
    nothing but a vector.
    """
    if is_there(target) and read_vector_card(target).error:
        raise VectorError(f"{target} is there already and is no vector; name another file, or move it away.")


@dataclass(frozen=True, slots=True)
class VectorLibrary:
    """The vectors under ``folder``: ``<model id>/<name>.gguf``."""

    folder: Path

    @classmethod
    def at(cls, places: Places) -> VectorLibrary:
        """The person's own."""
        return cls(places.vectors)

    def path_for(self, name: str, model_id: str) -> Path:
        """Where the vector of that name for that model stands, or is to be written. Makes the folder.

        Raises VectorError for a name that cannot be a file's name, StorageError where the folder cannot be made.
        """
        if not is_safe_name(name):
            raise VectorError(f'A vector cannot be called "{name}"; use letters, digits, dots, dashes and spaces.')
        # An id may come from a file of somebody else's.
        folder = model_id if is_safe_name(model_id) else ANY_MODEL
        return private_folder(self.folder / folder) / f"{name}.gguf"

    def find(self, name: str, model_id: str) -> VectorCard | None:
        """The vector of that name for that model, else an imported one that does not say for which, else None."""
        if not is_safe_name(name):
            return None
        for folder in (model_id, ANY_MODEL):
            if folder != ANY_MODEL and not is_safe_name(folder):
                continue
            path = self.folder / folder / f"{name}.gguf"
            if is_file(path):
                return read_vector_card(path)
        return None

    def all(self, model_id: str | None = None) -> tuple[VectorCard, ...]:
        """All vectors, or those that :meth:`find` may give for one model; by name."""
        return tuple(sorted(self._cards(model_id), key=lambda card: (card.name, card.model_name)))

    def model_of(self, card: VectorCard) -> str:
        """The id of the model that a vector, stored or not, is for; empty where nobody knows."""
        folder = card.path.parent
        if folder.parent == self.folder:
            return "" if folder.name == ANY_MODEL else folder.name
        return card.model_id

    def _cards(self, model_id: str | None) -> Iterator[VectorCard]:
        for path in matching(self.folder, "*/*.gguf"):
            if not path.name.startswith(".") and (model_id is None or path.parent.name in {model_id, ANY_MODEL}):
                yield read_vector_card(path)

    def require(self, name: str, model_id: str | None = None) -> VectorCard:
        """The one vector of that name. Raises VectorError where there is none, or one for each of several models."""
        cards = self.all(model_id)
        named = [card for card in cards if card.name == name]
        if not named:
            hint = did_you_mean(name, {card.name for card in cards})
            raise VectorError(f'There is no stored vector named "{name}"{hint}')
        if len(named) > 1:
            models = ", ".join(card.model_name or "an unknown model" for card in named)
            raise VectorError(f'"{name}" is stored for several models ({models}); say which with --model.')
        return named[0]

    def add(self, path: Path, *, name: str | None = None, layer_offset: int | None = None) -> VectorCard:
        """Store a vector file, made by localsteer or by another tool, for the model that it names, else for any.

        ``layer_offset`` is added to every layer; None takes that of the tool that wrote the file, see
        :func:`origin_of_file`. Raises VectorError for a file that is no vector or a name that is taken, StorageError.
        """
        vector = _load(path, layer_offset)
        return self._keep(vector, name or path.stem, vector.model.model_id)

    def add_for(
        self, path: Path, model: Path, *, name: str | None = None, layer_offset: int | None = None
    ) -> tuple[VectorCard, str | None]:
        """Store a vector file for one model, with a warning where it was made for another family of the same size.

        Raises as :meth:`add`, VectorError where it does not fit, ModelError.
        """
        from localsteer.steering.fit import ModelStamp

        vector = _load(path, layer_offset)
        header = check_chat_model(model, in_memory=False)
        stamp = ModelStamp(
            name=header.name or model.stem,
            architecture=header.architecture,
            n_layer=header.n_layer,
            n_embd=header.n_embd,
            vocabulary=vocabulary_fingerprint(model, header),
            model_id=model_id(model, header),
        )
        warning = vector.check_fits(stamp)
        return self._keep(vector, name or path.stem, stamp.model_id), warning

    def _keep(self, vector: SteeringVector, name: str, model_id: str) -> VectorCard:
        from localsteer.steering.vector_file import save_vector

        target = self.path_for(name, model_id)
        if is_there(target):
            raise VectorError(f'There is a vector named "{name}" already; choose another with --name, or remove it.')
        save_vector(vector.renamed(name), target)
        return read_vector_card(target)

    def export(self, card: VectorCard, target: Path) -> None:
        """Copy a stored vector, whole or not at all. Raises StorageError, and VectorError as
        :func:`check_replaces_a_vector`.
        """
        check_replaces_a_vector(target)
        copy_whole(card.path, target)

    def remove(self, card: VectorCard) -> None:
        """Delete a stored vector and what was measured of it. Raises StorageError."""
        try:
            measured_path(card.path).unlink(missing_ok=True)
            card.path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{card.path} cannot be removed: {(error.strerror or str(error)).lower()}.") from error


def origin_of_file(path: Path) -> Origin | None:
    """The tool that wrote the vector file ``path`` and what it takes to have its layers where llama.cpp adds them.

    None where the file does not show it. Raises VectorError.
    """
    from localsteer.steering.vector_file import read_origin

    return read_origin(path)


def _load(path: Path, layer_offset: int | None) -> SteeringVector:
    from localsteer.steering.vector_file import load_vector, read_origin

    origin = read_origin(path) if layer_offset is None else None
    offset = origin.layer_offset if origin else layer_offset or 0
    # A tool that writes one layer late has block 0 at direction.1.
    return load_vector(path, offset, skip_layer_0=offset < 0 or (origin is not None and origin.from_zero))
