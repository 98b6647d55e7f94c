"""What stands where a file should: a folder, a pipe, a device, a ring of links, nothing, a file that grows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from localsteer.chat.importing import read_conversation_file
from localsteer.chat.inspection import inspect
from localsteer.chat.store import ConversationStore
from localsteer.cli.sweep import read_grid
from localsteer.engine.experiments.texts import read_texts
from localsteer.errors import DialError, LocalsteerError, StorageError
from localsteer.file_reading import expanded, read_file, typed_path
from localsteer.gguf_header import read_header
from localsteer.library.dials import find_vector
from localsteer.library.measured import read_sweep
from localsteer.library.model_facts import FactsBook
from localsteer.library.model_places import is_gguf
from localsteer.library.remembered import read_remembered
from localsteer.library.scenes import read_scenes
from localsteer.library.sent_messages import read_sent
from localsteer.library.settings_sources import read_settings
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.vector_file import load_vector
from tests.hardening.hostile_kinds import places_in
from tests.hardening.outcomes import Outcomes
from tests.random_models import write_random_llama

READERS: dict[str, Callable[[Path], object]] = {
    "model.gguf": read_header,
    "facts.gguf": lambda path: FactsBook(path.with_name("none")).facts(path),
    "listed.gguf": is_gguf,
    "vector.gguf": load_vector,
    "recipe.toml": read_contrast_file,
    "pairs.json": read_contrast_file,
    "positive.txt": read_contrast_file,
    "texts.txt": read_texts,
    "talk.json": read_conversation_file,
    "sweep.json": read_sweep,
    "settings.toml": lambda path: read_settings(places_in(path.parent), environment={}),
    "scenes.toml": lambda path: read_scenes(places_in(path.parent)),
    "remembered.json": lambda path: read_remembered(places_in(path.parent)),
    "sent_messages.jsonl": lambda path: read_sent(places_in(path.parent)),
    "conversations.sqlite3": lambda path: ConversationStore(path).close(),
    "inspected.sqlite3": inspect,
}

posix = pytest.mark.skipif(os.name == "nt", reason="there are no such things")


@pytest.fixture(params=READERS)
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Read, by the reader of the name, what stands at :func:`place`."""
    return lambda: Outcomes().case(request.param, "place", lambda: READERS[request.param](tmp_path / request.param))


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the reader looks."""
    return tmp_path / str(request.node.callspec.params["read"])


def test_a_folder(read: Callable[[], str], place: Path) -> None:
    place.mkdir()
    assert read()


def test_nothing(read: Callable[[], str], place: Path) -> None:
    assert not place.exists()
    assert read()


def test_an_empty_file(read: Callable[[], str], place: Path) -> None:
    place.touch()
    assert read()


@posix
def test_a_pipe_to_which_nobody_writes(read: Callable[[], str], place: Path) -> None:
    os.mkfifo(place)
    assert read()


@posix
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device(read: Callable[[], str], place: Path, device: str) -> None:
    place.symlink_to(device)
    assert read()


@posix
def test_links_that_lead_in_a_ring(read: Callable[[], str], place: Path) -> None:
    place.symlink_to(place)
    assert read()


def test_a_file_that_grows_for_ever_is_read_as_far_as_it_may_go(tmp_path: Path) -> None:
    path = tmp_path / "grows"
    path.write_bytes(b"x" * 1000)
    with pytest.raises(OSError, match="more than"):
        read_file(path, 999)
    assert len(read_file(path, 1000)) == 1000


def test_a_model_that_shrinks_and_grows_while_it_is_read_is_read_or_refused(tmp_path: Path) -> None:
    path = write_random_llama(tmp_path / "model.gguf", n_layer=1, n_embd=32, n_vocab=400)
    whole, done = path.read_bytes(), threading.Event()

    def change() -> None:
        while not done.is_set():
            os.truncate(path, 100)
            path.write_bytes(whole)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for number in range(100):
            Outcomes().case("changing model", number, lambda: read_header(path))
    finally:
        done.set()
        thread.join()


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    for name in ("x" * 5000 + ".gguf", "~nobody-of-that-name/x.gguf", "a\0b.gguf", "/dev/null/x.gguf"):
        with pytest.raises(LocalsteerError):
            find_vector(name, "abc", places)
    with pytest.raises(StorageError):
        typed_path("x" * 5000)
    assert expanded("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")


def test_folders_of_models_in_a_home_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('model_folders = ["~nobody-of-that-name/x"]')
    assert read_settings(places_in(tmp_path), environment={})[1] == ()


@pytest.mark.parametrize("grid", ["0:1:1e-320", "-1e308:1e308:1e308", "-1e30:1e30:1e-30"])
def test_a_grid_of_very_many_strengths(grid: str) -> None:
    with pytest.raises(DialError, match="too many strengths"):
        read_grid(grid)


def test_an_expression_of_very_many_vectors() -> None:
    with pytest.raises(DialError, match="more than 100 vectors"):
        parse_expression("+".join(["a"] * 900))
    assert len(parse_expression("+".join(f"a{number}" for number in range(100))).names) == 100
