"""What the PyTorch tools do, in a Python environment that has them; this file needs nothing of localsteer.

    python elsewhere.py repeng MODEL.gguf PAIRS.json THREADS
    python elsewhere.py saklas MODEL.gguf TOKENS THREADS

Both take a Llama of the shape and vocabulary of MODEL.gguf with random float32 weights. ``loaded`` is printed when the
work begins; saklas' tokens per second stand in the last line.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

_CONTROL = 3


def tokenizer_of(reader: GGUFReader) -> PreTrainedTokenizerFast:
    """The file's byte-pair vocabulary."""
    tokens: list[str] = _value(reader, "tokenizer.ggml.tokens")
    kinds: list[int] = _value(reader, "tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in _value(reader, "tokenizer.ggml.merges")]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    begin, end = (tokens[_value(reader, f"tokenizer.ggml.{which}_token_id")] for which in ("bos", "eos"))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=begin, eos_token=end, pad_token=end)
    fast.chat_template = _value(reader, "tokenizer.chat_template")
    fast.padding_side = "left"
    return fast


def model_of(reader: GGUFReader, vocabulary: int) -> LlamaForCausalLM:
    """A Llama of the file's shape."""
    heads = _value(reader, "llama.attention.head_count")
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=_value(reader, "llama.embedding_length"),
        intermediate_size=_value(reader, "llama.feed_forward_length"),
        num_hidden_layers=_value(reader, "llama.block_count"),
        num_attention_heads=heads,
        num_key_value_heads=_value(reader, "llama.attention.head_count_kv"),
        max_position_embeddings=_value(reader, "llama.context_length"),
        tie_word_embeddings=True,
        # No token ends a reply.
        eos_token_id=None,
        bos_token_id=None,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).to(torch.float32).eval()
    model.generation_config.eos_token_id = None
    return model


def _value(reader: GGUFReader, key: str) -> Any:
    return reader.fields[key].contents()


def run_repeng(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, pairs: Path) -> None:
    """Train a vector as repeng's notebooks do."""
    from repeng import ControlModel, ControlVector, DatasetEntry

    dataset = [DatasetEntry(**pair) for pair in json.loads(pairs.read_text(encoding="utf-8"))]
    layers = list(range(1, model.config.num_hidden_layers))
    steered = ControlModel(model, layers)
    _loaded()
    vector = ControlVector.train(steered, tokenizer, dataset)
    assert len(vector.directions) == len(layers)


def run_saklas(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, n_tokens: int) -> None:
    """Write a reply under one vector on all layers."""
    from saklas import Profile, SaklasSession, SamplingConfig

    model.config._name_or_path = "random/llama"
    session = SaklasSession(model, tokenizer, probes=[])
    draw = torch.Generator().manual_seed(0)
    rows = {layer: torch.randn(model.config.hidden_size, generator=draw) for layer in range(1, len(model.model.layers))}
    session.steer("dial", Profile(rows))
    _loaded()
    speeds = []
    for seed in range(2):
        times: list[float] = []
        session.generate(
            "Tell me about the sea and what you can find there.",
            steering="0.5 dial",
            sampling=SamplingConfig(max_tokens=n_tokens, seed=seed, temperature=0.8),
            stateless=True,
            on_token=lambda *_args, times=times, **_more: times.append(time.perf_counter()),
        )
        speeds.append((len(times) - 1) / (times[-1] - times[0]))
    # The first one warms up.
    sys.stdout.write(f"{speeds[-1]}\n")


def _loaded() -> None:
    sys.stdout.write("loaded\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the command line says."""
    tool, path, what, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    reader = GGUFReader(path)
    tokenizer = tokenizer_of(reader)
    model = model_of(reader, len(_value(reader, "tokenizer.ggml.tokens")))
    if tool == "repeng":
        run_repeng(model, tokenizer, Path(what))
    else:
        run_saklas(model, tokenizer, int(what))


if __name__ == "__main__":
    main()
