"""Numbers without measure: a steering so strong that the model computes no numbers ends a reply in words, and leaves no
trace: with all dials off the logits are those of the unsteered model, bit for bit, whatever happened before.
"""

from __future__ import annotations

import itertools
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from localsteer.chat.store import ConversationStore
from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    SCOPES,
    Compare,
    DialSetting,
    Event,
    Finished,
    Generate,
    Load,
    Sampling,
    Scope,
    Sweep,
    TokenText,
    Turn,
)
from localsteer.errors import DialError, LocalsteerError, ModelError
from localsteer.gguf_header.memory import default_context
from localsteer.library.places import practice_model
from localsteer.library.settings_sources import read_settings
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector
from tests.cli.conftest import stamp as model_stamp
from tests.engine.conftest import stamp
from tests.engine.test_sweeping import RECIPE, SMALL
from tests.hardening.hostile_gguf import taken_apart
from tests.hardening.hostile_kinds import places_in
from tests.hardening.outcomes import check_sentence, tell
from tests.random_models import write_random_llama

STRENGTHS = (1e-45, 1e-320, 0.5, -2.0, 1e3, -1e6, 1e10, 1e20, -1e30, 3e38, 1e39, -1e300, 1.7e308)
TURNS = (Turn("system", "You are happy."), Turn("user", "the sea and the day"))
SAMPLING = Sampling(temperature=0.8, seed=5, max_tokens=6)


@pytest.fixture(scope="module")
def engine(random_bpe_model: Path) -> Iterator[Engine]:
    with Engine() as engine:
        engine.load(Load(0, str(random_bpe_model), n_threads=1))
        yield engine


@pytest.fixture(scope="module")
def dials(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[DialSetting, ...]:
    """Ordinary, tiny and huge directions."""
    assert engine.card is not None
    folder, made_for = tmp_path_factory.mktemp("vectors"), stamp(engine.card)
    found = []
    for number, size in enumerate((1.0, 1e-44, 1e30)):
        direction = np.random.default_rng(number).standard_normal(made_for.n_embd).astype(np.float32) * np.float32(size)
        rows = np.stack([direction, -direction])
        vector = SteeringVector(f"v{number}", "up", "down", {2: direction, 3: direction}, made_for, front={2: rows})
        save_vector(vector, folder / f"v{number}.gguf")
        found.append(DialSetting(vector.name, str(folder / f"v{number}.gguf"), 1.0))
    return tuple(found)


def written(engine: Engine, command: Generate) -> tuple[Finished, npt.NDArray[np.float32]]:
    """The reply, and the logits that are left."""
    events: list[Event] = []
    engine.carry_out(command, events.append)
    assert isinstance(events[-1], Finished)
    assert engine._desk is not None
    return events[-1], engine._desk.context.logits().copy()


@pytest.fixture(scope="module")
def unsteered(engine: Engine) -> tuple[Finished, npt.NDArray[np.float32]]:
    """What the model writes before anything has happened to it."""
    return written(engine, Generate(1, TURNS, sampling=SAMPLING))


def happened(rng: random.Random, engine: Engine, dials: tuple[DialSetting, ...], recipe: Path) -> str:
    """One thing that may have been done with dials. How it ended."""

    def some() -> tuple[DialSetting, ...]:
        chosen = rng.sample(dials, rng.randrange(1, len(dials) + 1))
        return tuple(replace(dial, strength=rng.choice(STRENGTHS), scope=rng.choice(SCOPES)) for dial in chosen)

    turned = {rng.randrange(4): some() for _ in range(rng.randrange(3))}
    stopped_at = rng.choice((0, 1, 2, 4)) if rng.random() < 0.4 else -1
    said = itertools.count()

    def say(event: Event) -> None:
        if next(said) == stopped_at:
            engine.stop()
        if isinstance(event, TokenText) and event.index in turned:
            engine.set_dials(turned[event.index])

    turns = TURNS[rng.randrange(2) :] if rng.random() < 0.5 else (*TURNS, Turn("assistant", "water"), Turn("user", "x"))
    match rng.randrange(8):
        case 0:
            command: Compare | Sweep | Generate = Compare(1, turns, (some(), (), some()), sampling=SAMPLING)
        case 1 if rng.random() < 0.5:
            strengths = (rng.choice(STRENGTHS), 0.0)
            command = Sweep(1, str(recipe), dials[0].vector_path, strengths=strengths, **SMALL)  # type: ignore[arg-type]
        case _:
            command = Generate(1, turns, some(), sampling=SAMPLING, afresh=rng.random() < 0.3)
    try:
        engine.carry_out(command, say)
    except LocalsteerError as error:
        check_sentence(str(error))
        return f"{type(command).__name__} said"
    return f"{type(command).__name__} works"


def _histories(
    seeds: range,
    engine: Engine,
    dials: tuple[DialSetting, ...],
    unsteered: tuple[Finished, npt.NDArray[np.float32]],
    recipe: Path,
) -> None:
    recipe.write_text(RECIPE)
    counts: Counter[str] = Counter()
    done, logits = unsteered
    for seed in seeds:
        rng = random.Random(seed)
        for _ in range(rng.randrange(1, 5)):
            counts[happened(rng, engine, dials, recipe)] += 1
        off = tuple(replace(dial, strength=0.0) for dial in dials) if rng.random() < 0.5 else ()
        again, found = written(engine, Generate(1, TURNS, off, sampling=SAMPLING, course=done.course))
        assert again.tokens == done.tokens, f"seed {seed}"
        assert np.array_equal(found, logits), f"seed {seed}"
    tell(f"{len(seeds)} histories, {dict(sorted(counts.items()))}")


def test_with_all_dials_off_the_logits_are_the_unsteered_ones(
    engine: Engine,
    dials: tuple[DialSetting, ...],
    unsteered: tuple[Finished, npt.NDArray[np.float32]],
    tmp_path: Path,
) -> None:
    _histories(range(20), engine, dials, unsteered, tmp_path / "recipe.toml")


@pytest.mark.soak
def test_so_they_are_after_very_many_histories(
    engine: Engine,
    dials: tuple[DialSetting, ...],
    unsteered: tuple[Finished, npt.NDArray[np.float32]],
    tmp_path: Path,
) -> None:
    _histories(range(20, 1000), engine, dials, unsteered, tmp_path / "recipe.toml")


@pytest.mark.parametrize("scope", ["reply", "everything"])
def test_a_dial_beyond_all_numbers_is_told_and_the_next_reply_is_the_unsteered_one(
    engine: Engine,
    dials: tuple[DialSetting, ...],
    unsteered: tuple[Finished, npt.NDArray[np.float32]],
    scope: Scope,
) -> None:
    done, logits = unsteered
    huge = (replace(dials[0], strength=2e37, scope=scope),)
    with suppress(DialError):
        written(engine, Generate(1, TURNS, huge, sampling=SAMPLING))
    with pytest.raises(DialError, match=r"turn it down|turn them back"):
        written(engine, Generate(1, TURNS, (replace(huge[0], strength=1e300),), sampling=SAMPLING))
    again, found = written(engine, Generate(1, TURNS, sampling=SAMPLING, course=done.course))
    assert (again.tokens, found.tobytes()) == (done.tokens, logits.tobytes())


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of Unix")
def test_the_app_says_so_too_and_its_next_reply_is_well(tmp_path: Path) -> None:
    from tests.hardening.pseudo_terminal import TerminalApp

    made_for = model_stamp(practice_model())
    # Each is a number; what two of them add up to is none.
    direction = np.full(made_for.n_embd, 3e35, dtype=np.float32)
    folder = tmp_path / "vectors" / made_for.model_id
    folder.mkdir(parents=True)
    vector = SteeringVector("huge", "up", "down", dict.fromkeys((2, 3, 4), direction), made_for)
    save_vector(vector, folder / "huge.gguf")

    def said(screen: str) -> str:
        return " ".join(screen.replace("█", " ").split())

    with TerminalApp(tmp_path, "chat", "-m", "practice", environment={"HOME": str(tmp_path)}) as app:
        app.shows("Say something")
        app.until(lambda: app.engines)
        (engine,) = app.engines
        app.press("/dial huge 900\r", lambda screen: "+900" in screen)
        app.press("Tell me about rain.\r", lambda screen: "no numbers any more; turn them back" in said(screen))
        # The message was given back; Alt+Z, and it is sent again.
        app.press("\x1bz", lambda screen: re.search(r"huge +0\.00", screen))
        app.press("\r", lambda screen: "tok/s ·" in said(screen).partition("about rain.")[2])
        assert engine.is_running()
        app.type("\x11")
        assert app.ended() == 0
    with ConversationStore(tmp_path / "conversations.sqlite3") as store:
        talk = store.latest()
    assert talk is not None
    asked, reply = talk.messages
    assert asked.content == "Tell me about rain."
    assert reply.reply is not None
    assert reply.content.isascii()
    assert not any(dial.strength for mark in reply.reply.marks for dial in mark.dials)


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), float("-inf")])
def test_a_strength_that_is_no_number_is_told(engine: Engine, dials: tuple[DialSetting, ...], strength: float) -> None:
    with pytest.raises(DialError, match="finite number"):
        written(engine, Generate(1, TURNS, (replace(dials[0], strength=strength),), sampling=SAMPLING))


def test_a_vector_file_of_a_name_that_no_file_has(engine: Engine, dials: tuple[DialSetting, ...]) -> None:
    for path in ("a\0b.gguf", "\ud800.gguf", "x" * 9999):
        with pytest.raises(LocalsteerError, match="not there any more"):
            written(engine, Generate(1, TURNS, (replace(dials[0], vector_path=path),), sampling=SAMPLING))


def test_a_model_without_numbers_of_its_own_is_not_blamed_on_the_dials(tmp_path: Path) -> None:
    path = write_random_llama(tmp_path / "nan.gguf", n_layer=2, n_embd=32, n_vocab=400)
    file = taken_apart(path.read_bytes())
    file.data = b"\xff" * len(file.data)
    path.write_bytes(file.content())
    with Engine() as engine:
        engine.load(Load(0, str(path), n_threads=1))
        with pytest.raises(ModelError, match="computes no numbers, even without dials"):
            written(engine, Generate(1, TURNS, sampling=SAMPLING))


def test_numbers_of_any_length_in_settings(tmp_path: Path) -> None:
    for number in ("9" * 400, "0x" + "f" * 5000, "1e400", "nan", "-inf"):
        (tmp_path / "settings.toml").write_text(f"temperature = {number}\n[keys]\nagain = {number}\n")
        settings, problems = read_settings(places_in(tmp_path), environment={})
        assert settings.temperature == 0.8
        assert len(problems) == 2
        for problem in problems:
            check_sentence(problem)


@pytest.mark.parametrize(("trained", "context"), [(0, 8192), (-(2**31), 8192), (512, 512), (2**40, 8192)])
def test_a_context_that_no_model_was_trained_with(trained: int, context: int) -> None:
    assert default_context(trained) == context
