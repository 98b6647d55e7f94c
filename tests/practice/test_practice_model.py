"""The practice model that ships: what is promised of the file, and that it speaks its grammar and can be steered."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.gguf_header import read_header
from localsteer.library.places import packaged_recipes, practice_model
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.practice.checker import read_reply
from localsteer.practice.quality import measure_quality
from localsteer.practice.replies import Subject
from localsteer.practice.speaking import Speaker
from localsteer.practice.steering_table import answer, extract, randomised, steer
from localsteer.steering.layers import auc


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    return Speaker(practice_model())


def test_the_file_is_a_small_llama_3() -> None:
    path = practice_model()
    header = read_header(path)
    assert path.stat().st_size <= 10_000_000
    assert header.architecture == "llama"
    assert header.n_layer >= 8
    assert header.context_length >= 1024
    heads, shared = (header.metadata[f"llama.attention.head_count{which}"] for which in ("", "_kv"))
    assert isinstance(heads, int)
    assert isinstance(shared, int)
    assert shared < heads
    assert header.metadata["tokenizer.ggml.pre"] == "llama-bpe"
    assert "<|start_header_id|>" in (header.chat_template or "")
    with Model(path) as model:
        assert model.steerable
        every_byte = "".join(map(chr, range(256))) + "日本😀"
        assert b"".join(model.piece(token) for token in model.tokenize(every_byte)).decode() == every_byte


def test_it_speaks_its_grammar_to_messages_that_training_never_saw() -> None:
    quality = measure_quality(practice_model(), prompts=60)
    assert quality.replies.share("all") >= 0.9, quality.problems
    assert quality.cues.share("all") >= 0.95, quality.problems
    assert quality.cues.tried["two-choice"] >= 3


@pytest.mark.parametrize(
    "text", ["How do I sort a list in python?", "xq zvw 8!", "Was ist Quantenphysik?", "SELECT 1;"]
)
def test_what_it_does_not_know_gets_an_offer_of_what_it_does(speaker: Speaker, text: str) -> None:
    subject = Subject("unknown")
    replies = [speaker.reply([Message("user", text)], seed) for seed in range(8)]
    good = [reply.reason == "end" and read_reply(reply.text, subject).well_formed for reply in replies]
    assert sum(good) >= 6, [reply.text for reply in replies]


def test_its_mood_follows_the_dial_both_ways_and_not_a_random_vector(speaker: Speaker, tmp_path: Path) -> None:
    vector = extract(practice_model(), packaged_recipes() / "mood.toml", tmp_path)
    low, high = vector.strength_low, vector.strength_high
    assert low is not None
    assert high is not None
    assert vector.scatter is not None
    assert vector.scatter.layer == vector.main_layer
    # The picture on its card shows two clouds, the happy one to the right.
    assert auc(vector.scatter.positive[:, 0], vector.scatter.negative[:, 0]) >= 0.99
    sad, happy = (answer(speaker, "mood", [steer(vector, strength)], 24) for strength in (low, high))
    assert sad.negative >= 0.85
    assert happy.positive >= 0.85
    controls = [steer(randomised(vector, seed), high) for seed in range(1, 5)]
    assert 0.25 <= answer(speaker, "mood", controls, 24).leaning <= 0.75
