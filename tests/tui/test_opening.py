"""Opening the app: which model, what is said of it, and what happens when something is amiss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from localsteer.engine.protocol import ModelCard
from localsteer.errors import ModelError
from localsteer.library.models import PRACTICE
from localsteer.library.places import Places, practice_model
from localsteer.tui.greeting import greeting, shown_name, warnings
from localsteer.tui.keymap import Keymap
from localsteer.tui.memory import Memory
from localsteer.tui.opening import open_with
from localsteer.tui.talk import open_store
from tests.tui.conftest import OpenApp

CARD = ModelCard(
    path="/models/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
    name="Llama 3.2 1B Instruct",
    architecture="llama",
    quantisation="Q4_K_M",
    n_params=1_235_814_432,
    size_bytes=800_000_000,
    n_layer=16,
    n_embd=2048,
    n_vocab=128_256,
    n_ctx=8192,
    n_ctx_train=131_072,
    n_threads=4,
    gpu_layers=0,
    model_id="abc",
    vocabulary="def",
    steerable=True,
    template=True,
)


def test_the_model_that_was_asked_for_is_opened(places: Places, random_bpe_model: Path) -> None:
    assert open_with(str(random_bpe_model), places).model_path == random_bpe_model


def test_else_the_last_one_used(places: Places, random_bpe_model: Path) -> None:
    memory = Memory(places)
    memory.keep_model(str(random_bpe_model))
    memory.write()
    assert open_with(None, places).model_path == random_bpe_model


@pytest.mark.skipif(not practice_model().is_file(), reason="the practice model has not been trained yet")
def test_else_the_practice_model_and_a_word_about_a_last_one_that_is_gone(places: Places, tmp_path: Path) -> None:
    assert open_with(None, places).model_path == practice_model()
    memory = Memory(places)
    memory.keep_model(str(tmp_path / "gone.gguf"))
    memory.write()
    opening = open_with(None, places)
    assert opening.model_path == practice_model()
    assert "gone.gguf" in " ".join(opening.problems)


def test_an_unknown_model_is_an_error_before_anything_opens(places: Places) -> None:
    with pytest.raises(ModelError, match=r"nothing\.gguf"):
        open_with("nothing.gguf", places)


def test_problems_in_the_settings_are_passed_on(places: Places, random_bpe_model: Path) -> None:
    places.config.mkdir(parents=True)
    places.settings.write_text('colour = "blue"\n', encoding="utf-8")
    assert "colour" in open_with(str(random_bpe_model), places).problems[0]


def test_the_header_names_model_and_quantisation_once() -> None:
    assert shown_name(CARD) == "Llama 3.2 1B Instruct Q4_K_M"
    assert shown_name(replace(CARD, name="llama-1b-q4_k_m")) == "llama-1b-q4_k_m"


def test_the_practice_model_is_called_so_and_says_what_it_is() -> None:
    card = replace(CARD, path=str(practice_model()), n_params=6_300_000, n_layer=8)
    assert shown_name(card) == "practice model"
    assert "practice model" in greeting(card, Keymap({}))
    assert "6.3 million parameters" in greeting(card, Keymap({}))


def test_who_said_something_before_is_told_where_it_is() -> None:
    assert "Ctrl+O" not in greeting(CARD, Keymap({}))
    assert "Ctrl+O shows what was said before." in greeting(CARD, Keymap({}), earlier=True)
    assert "before" not in greeting(CARD, Keymap({"conversations": ()}), earlier=True)


def test_what_a_model_cannot_do_is_said() -> None:
    assert warnings(CARD) == ()
    assert "chat template" in warnings(replace(CARD, template=False))[0]
    assert "cannot be steered" in warnings(replace(CARD, steerable=False, architecture="odd"))[0]
    assert "Add a dial" not in greeting(replace(CARD, steerable=False), Keymap({}))


def test_what_is_remembered_is_read_again(places: Places) -> None:
    memory = Memory(places)
    memory.keep_model(PRACTICE)
    memory.keep_theme("some theme")
    memory.write()
    again = Memory(places)
    assert (again.last_model, again.theme) == (PRACTICE, "some theme")


def test_what_could_not_be_written_is_remembered_with_what_comes_later(places: Places) -> None:
    memory = Memory(places)
    memory.keep_model(PRACTICE)
    places.remembered.mkdir(parents=True)
    memory.write()
    places.remembered.rmdir()
    other = Memory(places)
    other.keep_needles(True)
    other.write()
    memory.keep_theme("some theme")
    memory.write()
    # What is on in this app stays as it is.
    assert (memory.last_model, memory.needles) == (PRACTICE, False)
    again = Memory(places)
    assert (again.last_model, again.theme, again.needles) == (PRACTICE, "some theme", True)


def test_a_store_that_cannot_be_opened_is_replaced_for_the_day_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "conversations.sqlite3"
    folder.mkdir()
    store, problem = open_store(folder)
    with store:
        assert str(folder) in problem
        assert store.new_conversation().id == 1
    assert not store.path.parent.exists()


async def test_one_can_chat_although_nothing_can_be_saved(open_app: OpenApp, places: Places) -> None:
    places.conversations.mkdir(parents=True)
    async with open_app() as running:
        await running.loaded()
        await running.until(lambda: "nothing is kept" in running.notes())
        await running.say("Hello")
        await running.until(running.replies)
        await running.until(lambda: any(reply.tokens for reply in running.screen.conversing._replies))
