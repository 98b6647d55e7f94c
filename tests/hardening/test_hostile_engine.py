"""Spoilt models all the way through the engine's own process: it loads them and writes, says why not, or dies; a death
is one sentence, and the next model loads.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import Command, Generate, Load, Sampling, Turn
from localsteer.errors import EngineError
from tests.hardening.hostile_gguf import ANY_FILE, mutated, written
from tests.hardening.hostile_models import BEHIND_THE_HEADER, MODEL
from tests.hardening.hostile_parts import NAMES, in_two_parts
from tests.hardening.hostile_vocabularies import VOCABULARIES, with_vocabulary, wordpiece
from tests.hardening.outcomes import Outcomes, check_sentence, tell
from tests.random_models import write_random_llama

SAMPLING = Sampling(max_tokens=3, seed=1)


class _Engine:
    """One child for all of them, and a new one after a death."""

    def __init__(self, log: Path) -> None:
        self.client = EngineClient(log)
        self.deaths: Counter[str] = Counter()

    def tried(self, path: Path) -> str:
        """Load and write three tokens: "works", "said", "died"."""
        self.client.start()
        for command in (
            Load(self.client.new_request(), str(path), n_threads=1),
            Generate(self.client.new_request(), (Turn("user", "Hello the sea ü"),), sampling=SAMPLING),
        ):
            said = self._asked(command)
            if said:
                return said
        return "works"

    def _asked(self, command: Command) -> str:
        self.client.send(command)
        try:
            *_, last = self.client.events(command.request)  # type: ignore[union-attr]
        except EngineError as error:
            check_sentence(str(error))
            self.deaths[str(error)] += 1
            return "died"
        message = getattr(last, "message", None)
        if message is None:
            return ""
        check_sentence(message)
        assert "Something broke" not in message, message
        return "said"


def _spoilt(seeds: range, folder: Path) -> _Engine:
    sound = [
        write_random_llama(folder / f"{vocabulary}.gguf", vocabulary=vocabulary, n_layer=2, n_embd=32, n_vocab=400)
        for vocabulary in ("bpe", "spm")
    ]
    contents = [path.read_bytes() for path in sound]
    contents += [with_vocabulary(contents[1], kind, tokens()) for kind, tokens in VOCABULARIES.items()]
    engine, outcomes = _Engine(folder / "log.txt"), Outcomes()
    try:
        for seed in seeds:
            rng = random.Random(seed)
            content = mutated(rng, rng.choice(contents), rng.choice([BEHIND_THE_HEADER, MODEL, ANY_FILE]))
            path = folder / "spoilt.gguf"
            path.write_bytes(content)
            outcomes.count("model in the engine", engine.tried(path))
            assert path.read_bytes() == content, f"seed {seed} changed the file"
        assert engine.tried(sound[0]) == "works", "after all of them a sound model does not load"
    finally:
        engine.client.close()
    outcomes.report()
    for reason, count in engine.deaths.most_common():
        tell(f"{count} deaths: {reason}")
    return engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[_Engine]:
    engine = _Engine(tmp_path / "log.txt")
    yield engine
    engine.client.close()


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_a_model_with_any_vocabulary_that_llama_cpp_knows_writes(
    engine: _Engine, random_spm_model_without_template: Path, tmp_path: Path, kind: str
) -> None:
    content = with_vocabulary(random_spm_model_without_template.read_bytes(), kind, VOCABULARIES[kind]())
    assert engine.tried(written(tmp_path / "model.gguf", content)) == "works"


def test_a_vocabulary_whose_token_for_what_is_unknown_is_not_there(
    engine: _Engine, random_spm_model_without_template: Path, tmp_path: Path
) -> None:
    content = with_vocabulary(random_spm_model_without_template.read_bytes(), "bert", wordpiece()[:50])
    assert engine.tried(written(tmp_path / "model.gguf", content)) == "said"


def test_spoilt_models_end_in_words(tmp_path: Path) -> None:
    assert not _spoilt(range(12), tmp_path).deaths


@pytest.mark.soak
def test_very_many_spoilt_models_end_in_words(tmp_path: Path) -> None:
    count = 1500
    # What llama.cpp dies of, and no header tells: a figure that the graph of one architecture does not take.
    assert sum(_spoilt(range(12, count), tmp_path).deaths.values()) <= count // 300


@pytest.mark.soak
def test_so_do_models_of_which_one_part_is_spoilt(engine: _Engine, tmp_path: Path) -> None:
    sound = write_random_llama(tmp_path / "sound.gguf", n_layer=2, n_embd=32, n_vocab=400)
    paths, outcomes = [tmp_path / name for name in NAMES], Outcomes()
    for seed in range(600):
        rng = random.Random(f"part {seed}")
        parts = list(in_two_parts(sound.read_bytes()))
        which = rng.choice([0, 1, 1, 1])
        parts[which] = mutated(rng, parts[which])
        for path, content in zip(paths, parts, strict=True):
            path.write_bytes(content)
        outcomes.count("model in two parts", engine.tried(paths[0]))
    outcomes.report()
    assert not engine.deaths
