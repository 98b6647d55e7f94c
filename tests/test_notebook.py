"""The library for notebooks: the README's example, and what it offers beyond it. On the practice model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import localsteer
from localsteer.errors import DialError, EngineError, ExpressionError, ModelError, RecipeError
from localsteer.library.places import find_places
from localsteer.library.vectors import VectorLibrary
from localsteer.notebook import Dials
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector

ROOT = Path(__file__).parents[1]
ASKED = "Tell me about gardens."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """LOCALSTEER_HOME for all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("LOCALSTEER_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def model(home: Path) -> Iterator[localsteer.ChatModel]:
    with localsteer.load("practice", n_threads=1) as model:
        yield model


@pytest.fixture(scope="module")
def mood(model: localsteer.ChatModel) -> SteeringVector:
    return model.extract("mood", calibrate=False)


def test_the_readmes_example_runs_as_it_stands(model: localsteer.ChatModel, mood: SteeringVector) -> None:
    # Ready, as on its second run: measuring how far it may be turned would take this test's time twice.
    save_vector(mood, VectorLibrary.at(find_places()).path_for("mood", model.card.model_id))
    example = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    run = subprocess.run(
        [sys.executable, "-c", example],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
    happy, sad, *measured = run.stdout.splitlines()
    assert happy != sad
    assert "mood, safe from -" in measured[0]
    assert [line.split()[0] for line in measured[2:]] == ["-1.00", "+0.00", "+1.00"]


def test_a_reply_streams_and_is_the_same_when_it_is_read_again(model: localsteer.ChatModel) -> None:
    reply = model.reply(ASKED, seed=3, max_tokens=12)
    first = next(iter(reply))
    assert str(reply).startswith(first)
    assert len(list(reply)) > 3
    assert reply.finished.seed == 3
    assert str(model.reply(ASKED, seed=3, max_tokens=12)) == str(reply)


def test_dials_are_vectors_texts_or_expressions(
    model: localsteer.ChatModel, mood: SteeringVector, tmp_path: Path
) -> None:
    def said(dials: Dials) -> str:
        return str(model.reply(ASKED, dials=dials, seed=1, max_tokens=24))

    path = tmp_path / "mood.gguf"
    save_vector(mood, path)
    steered = said({mood: -1.5})
    assert steered != said(())
    assert steered == said({0.5 * mood: -3.0}) == said([f"{path}=-1.5"])
    assert steered == said({str(path): -1.5}) == said(f'-1.5*"{path}" @scope reply')


def test_a_conversation_may_go_before(model: localsteer.ChatModel) -> None:
    said = [
        localsteer.Message("user", "Hello!"),
        localsteer.Message("assistant", "Hi there!"),
        localsteer.Message("user", ASKED),
    ]
    reply = model.reply(said, system="You are happy.", seed=1, max_tokens=4)
    assert reply.finished.prompt_tokens_evaluated > 15


def test_contrasts_of_ones_own_make_a_vector(model: localsteer.ChatModel) -> None:
    pairs = [
        localsteer.ContrastPair(
            (localsteer.Message("system", f"You are {one}."), localsteer.Message("user", asked)),
            (localsteer.Message("system", f"You are {other}."), localsteer.Message("user", asked)),
        )
        for one, other in (("happy", "sad"), ("cheerful", "gloomy"))
        for asked in (ASKED, "How was your day?")
    ]
    made = model.extract(localsteer.ContrastSet("glad", "Sad to happy.", "happy", "sad", tuple(pairs)), calibrate=False)
    assert (made.name, made.positive_pole) == ("glad", "happy")
    assert str(model.reply(ASKED, dials={made: 1.0}, seed=1, max_tokens=4))


def test_measuring_says_what_a_vector_does_beside_random_ones(
    model: localsteer.ChatModel, mood: SteeringVector
) -> None:
    found = model.measure(mood, [0, 1], controls=1, pairs=3, replies=2)
    none, one = found.rows
    assert one.effect > none.effect
    assert none.perplexity_ratio == pytest.approx(1.0, abs=0.02)
    assert found.random_effect_low is not None
    assert found.safe_low < 0 < found.safe_high
    assert str(found).count("\n") == 3


def test_a_reply_that_is_left_early_does_not_stop_the_next_one(model: localsteer.ChatModel) -> None:
    left = model.reply(ASKED, seed=1)
    assert next(iter(left))
    reply = model.reply(ASKED, seed=1, max_tokens=6)
    with pytest.raises(EngineError, match="cut short"):
        _ = left.finished
    del left
    assert reply.finished.reason == "length"


def test_what_cannot_be_had_is_an_error_of_the_family(model: localsteer.ChatModel, mood: SteeringVector) -> None:
    with pytest.raises(ModelError):
        localsteer.load("nowhere.gguf")
    with pytest.raises(DialError, match="did you mean mood"):
        model.vector("moood")
    with pytest.raises(ExpressionError, match="at the end"):
        model.reply(ASKED, dials="mood +")
    with pytest.raises(RecipeError):
        model.extract("nothing.toml")
    with pytest.raises(RecipeError, match="recipe="):
        model.measure(mood.renamed("other"))


def test_a_closed_model_says_so(home: Path) -> None:
    with localsteer.load("practice", n_threads=1) as closed:
        pass
    with pytest.raises(EngineError):
        str(closed.reply(ASKED))
    with pytest.raises(EngineError, match="load it again"):
        closed.extract("mood")
