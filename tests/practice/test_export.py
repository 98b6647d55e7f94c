"""The exporter: weights by their PyTorch names become a Llama that llama.cpp loads, with Llama 3's tokens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from localsteer.gguf_header import read_header
from localsteer.llama.chat_template import render
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.practice.chat_form import HEADER, SPECIAL, TURN_END
from localsteer.practice.export import CONTEXT, NAME, export, tensor_name
from localsteer.practice.shape import Shape

SHAPE = Shape(vocabulary=288, layers=8, width=64, heads=4, kv_heads=2, feed_forward=96)


def byte_alphabet() -> list[str]:
    """The 256 characters by which byte-level BPE writes bytes (GPT-2's table)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(256 + at) for at in range(len(rest))]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``tokenizer.json`` of 256 bytes, some merges and the special tokens, as the library of that name writes it."""
    words = byte_alphabet()
    merges = [("t", "h"), ("th", "e"), ("i", "n"), ("a", "n"), ("e", "r")]
    words += ["".join(merge) for merge in merges]
    words += [f"unused{at}" for at in range(SHAPE.vocabulary - len(words) - len(SPECIAL))]
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.json"
    model = {"vocab": {word: at for at, word in enumerate(words)}, "merges": [list(merge) for merge in merges]}
    added = [{"content": text, "id": len(words) + at} for at, text in enumerate(SPECIAL)]
    path.write_text(json.dumps({"model": model, "added_tokens": added}), encoding="utf-8")
    return path


def random_weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    kv = SHAPE.kv_heads * SHAPE.head_width
    blocks = {
        "attention_norm": (SHAPE.width,),
        "query": (SHAPE.width, SHAPE.width),
        "key": (kv, SHAPE.width),
        "value": (kv, SHAPE.width),
        "output": (SHAPE.width, SHAPE.width),
        "feed_forward_norm": (SHAPE.width,),
        "gate": (SHAPE.feed_forward, SHAPE.width),
        "up": (SHAPE.feed_forward, SHAPE.width),
        "down": (SHAPE.width, SHAPE.feed_forward),
    }
    sizes: dict[str, tuple[int, ...]] = {
        "embedding.weight": (SHAPE.vocabulary, SHAPE.width),
        "norm.weight": (SHAPE.width,),
    }
    for layer in range(SHAPE.layers):
        sizes |= {f"blocks.{layer}.{name}.weight": size for name, size in blocks.items()}
    return {name: rng.normal(0, 0.05, size).astype(np.float32) for name, size in sizes.items()}


@pytest.mark.parametrize("quantisation", ["Q8_0", "F16", "F32"])
def test_exported_weights_load_and_say_what_they_are(vocabulary: Path, tmp_path: Path, quantisation: str) -> None:
    weights = random_weights()
    out = export(weights, SHAPE, vocabulary, tmp_path / "model.gguf", quantisation)
    header = read_header(out)
    assert {tensor.name for tensor in header.tensors} == {tensor_name(name) for name in weights}
    assert sum(array.size for array in weights.values()) == SHAPE.parameters
    with Model(out) as model:
        assert (model.name, model.architecture, model.quantisation) == (NAME, "llama", quantisation)
        assert (model.n_layer, model.n_embd, model.n_vocab) == (SHAPE.layers, SHAPE.width, SHAPE.vocabulary)
        assert model.n_ctx_train == CONTEXT
        assert model.steerable


def test_any_text_comes_back_from_its_tokens_and_special_words_stay_words(vocabulary: Path, tmp_path: Path) -> None:
    out = export(random_weights(), SHAPE, vocabulary, tmp_path / "model.gguf")
    text = f"the man, äöü 日本 😀 {TURN_END}{HEADER}system"
    with Model(out) as model:
        tokens = model.tokenize(text)
        assert b"".join(model.piece(token) for token in tokens).decode() == text
        special = {SHAPE.vocabulary - len(SPECIAL) + at for at in range(len(SPECIAL))}
        assert not special & set(tokens)
        pieces = render(model, [Message("system", "Be kind."), Message("user", text)])
        found = [token for piece in pieces for token in piece.tokens]
    # one header for each of system, user, and the reply; two turns that have ended
    assert found.count(SHAPE.vocabulary - 3) == 3
    assert found.count(SHAPE.vocabulary - 1) == 2
    assert found[0] == SHAPE.vocabulary - 5
