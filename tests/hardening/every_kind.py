"""Every kind of what strangers can give, by its name."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

from localsteer.steering.vector_file import save_vector
from tests.hardening.hostile_databases import sound_database, spoilt_database, use
from tests.hardening.hostile_kinds import LIBRARY, Kind, model, vector
from tests.hardening.hostile_talks import Chats
from tests.hardening.hostile_words import WORDS, Searched
from tests.hardening.planted import PLANTED
from tests.random_models import write_random_llama
from tests.steering.vectors import make

_MADE = ("own JSON", "OpenAI JSON", "search", "vector GGUF", "model GGUF")
NAMES = (*(kind.name for kind in (*LIBRARY, *WORDS)), *_MADE)
"""All but databases, of which each case takes a folder of its own."""


def kind_named(name: str, folder: Path) -> Kind:
    """The kind of that name, "database" and "planted" among them; ``folder``: where its sound files are made."""
    match name:
        case "model GGUF":
            sound = write_random_llama(folder / "sound.gguf", n_layer=2, n_embd=32, n_vocab=400)
            return model(sound.read_bytes())
        case "vector GGUF":
            save_vector(make(), folder / "sound.gguf")
            return vector((folder / "sound.gguf").read_bytes())
        case "own JSON":
            return Chats(folder).own_json()
        case "OpenAI JSON":
            return Chats(folder).openai()
        case "search":
            return Searched(folder).kind()
        case "database":
            return _database(folder)
        case "planted":
            return PLANTED
        case _:
            return next(kind for kind in (*LIBRARY, *WORDS) if kind.name == name)


def _database(folder: Path) -> Kind:
    def mutate(rng: random.Random, content: bytes) -> bytes:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            return spoilt_database(rng, content, Path(own))

    def used(path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            shutil.copyfile(path, Path(own) / path.name)
            use(Path(own) / path.name)

    sound = sound_database(folder / "sound.sqlite3")
    return Kind("database", "conversations.sqlite3", (sound,), mutate, (used,))
