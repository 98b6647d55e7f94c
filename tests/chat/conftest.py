"""A database on a real disk, a model's card, and what the engine would say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localsteer.chat.conversation import ReplyRecord
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark, DialSetting, Finished, ModelCard, Sampling

CARD = ModelCard(
    path="/models/small.gguf",
    name="Small",
    architecture="llama",
    quantisation="Q8_0",
    n_params=1_000_000,
    size_bytes=1_100_000,
    n_layer=8,
    n_embd=64,
    n_vocab=500,
    n_ctx=512,
    n_ctx_train=512,
    n_threads=2,
    gpu_layers=0,
    model_id="abc123",
    vocabulary="vocabulary-1",
    steerable=True,
    template=True,
)

HAPPY = DialSetting("mood", "/vectors/mood.gguf", 1.25, layers=(3, 4), scope="everything")
SAD = DialSetting("mood", "/vectors/mood.gguf", -1.25)


def record(*marks: DialMark) -> ReplyRecord:
    sampling = Sampling(temperature=0.5, seed=7)
    return ReplyRecord.begun(CARD, system_prompt="Be kind.", sampling=sampling, marks=marks)


def finished(text: str, tokens: tuple[int, ...], *marks: DialMark) -> Finished:
    return Finished(
        request=1,
        reason="end",
        text=text,
        tokens=tokens,
        marks=marks,
        seed=7,
        prompt_tokens_evaluated=12,
        prompt_tokens_reused=30,
        tokens_per_second=31.5,
        context_used=60,
        context_size=512,
    )


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "home" / "conversations.sqlite3"


@pytest.fixture
def store(database: Path) -> Iterator[ConversationStore]:
    with ConversationStore(database) as store:
        yield store
