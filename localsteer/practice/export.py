"""Writes a trained practice model as a GGUF that llama.cpp loads as it would any Llama 3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from localsteer.practice.chat_form import BEGIN, END, SPECIAL, TEMPLATE, TURN_END
from localsteer.practice.shape import Shape

NAME = "practice model"
DESCRIPTION = (
    "A small Llama trained from scratch on generated small talk, to practise steering on. "
    "It chats about everyday topics, knows a few facts, and has behaviours known by construction."
)
CONTEXT = 1024

# PyTorch name inside a block → GGUF name inside a block
_BLOCK_NAMES = {
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "output": "attn_output",
    "feed_forward_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def tensor_name(parameter: str) -> str:
    """The GGUF name of a parameter of :class:`~localsteer.practice.architecture.PracticeLlama`."""
    if parameter == "embedding.weight":
        return "token_embd.weight"
    if parameter == "norm.weight":
        return "output_norm.weight"
    _, block, part, kind = parameter.split(".")
    return f"blk.{block}.{_BLOCK_NAMES[part]}.{kind}"


def export(
    weights: Mapping[str, NDArray[np.float32]], shape: Shape, vocabulary: Path, out: Path, quantisation: str = "Q8_0"
) -> Path:
    """Write ``weights`` (by their names in PyTorch) and a ``tokenizer.json`` to ``out``.

    ``quantisation`` is that of the matrices: Q8_0, F16 or F32. Norms stay F32.
    """
    kind = gguf.GGMLQuantizationType[quantisation]
    writer = gguf.GGUFWriter(str(out), "llama")
    writer.add_name(NAME)
    writer.add_description(DESCRIPTION)
    writer.add_license("mit")
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{quantisation}" if quantisation != "F32" else "ALL_F32"])
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)
    _add_vocabulary(writer, json.loads(vocabulary.read_text(encoding="utf-8")))
    for name, data in weights.items():
        if data.ndim == 1:
            writer.add_tensor(tensor_name(name), data.astype(np.float32))
        else:
            writer.add_tensor(tensor_name(name), gguf.quants.quantize(data, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def _add_vocabulary(writer: gguf.GGUFWriter, tokenizer: dict[str, Any]) -> None:
    ids: dict[str, int] = dict(tokenizer["model"]["vocab"])
    ids.update({added["content"]: added["id"] for added in tokenizer["added_tokens"]})
    tokens = sorted(ids, key=ids.__getitem__)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(ids[BEGIN])
    writer.add_eos_token_id(ids[END])
    writer.add_eot_token_id(ids[TURN_END])
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)
