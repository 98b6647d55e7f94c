"""A random PLaMo 2: one Mamba block below attention blocks, in an architecture that ignores control vectors.

It stands for all models whose state cannot be taken back position by position, and for all that can chat but not be
steered.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from tests.random_models import LLAMA3_TEMPLATE, Floats
from tests.random_vocabulary import add_vocabulary

N_LAYER, N_EMBD, N_HEAD, N_KV, N_STATE, N_STEP = 3, 64, 4, 2, 16, 64


def write_random_hybrid(path: Path) -> Path:
    """Write it to ``path`` and return the path."""
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "plamo2")
    writer.add_name("Random hybrid")
    writer.add_context_length(512)
    writer.add_embedding_length(N_EMBD)
    writer.add_block_count(N_LAYER)
    writer.add_feed_forward_length(2 * N_EMBD)
    writer.add_head_count([N_HEAD] * N_LAYER)
    writer.add_head_count_kv([0, *[N_KV] * (N_LAYER - 1)])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_ssm_conv_kernel(4)
    writer.add_ssm_inner_size(N_EMBD)
    writer.add_ssm_state_size(N_STATE)
    writer.add_ssm_time_step_rank(N_HEAD)
    writer.add_ssm_group_count(0)
    size, _ = add_vocabulary(writer, "bpe", 600)
    writer.add_vocab_size(size)
    writer.add_chat_template(LLAMA3_TEMPLATE)

    def matrix(rows: int, columns: int) -> Floats:
        return np.asarray(random.standard_normal((rows, columns)) / np.sqrt(columns), dtype=np.float32)

    def ones(*shape: int) -> Floats:
        return np.ones(shape, dtype=np.float32)

    head = N_EMBD // N_HEAD
    mamba = {
        "ssm_in.weight": matrix(2 * N_EMBD, N_EMBD),
        "ssm_conv1d.weight": matrix(N_EMBD, 4),
        "ssm_x.weight": matrix(N_STEP + 2 * N_STATE, N_EMBD),
        "ssm_dt.weight": matrix(N_HEAD, N_STEP),
        "ssm_dt.bias": 0 * ones(N_HEAD),
        "ssm_a": -ones(N_HEAD),
        "ssm_d": ones(N_HEAD),
        "ssm_out.weight": matrix(N_EMBD, N_EMBD),
        "ssm_dt_norm": ones(N_STEP),
        "ssm_b_norm": ones(N_STATE),
        "ssm_c_norm": ones(N_STATE),
    }
    attention = {
        "attn_qkv.weight": matrix((N_HEAD + 2 * N_KV) * head, N_EMBD),
        "attn_q_norm.weight": ones(N_HEAD, head),
        "attn_k_norm.weight": ones(N_KV, head),
        "attn_output.weight": matrix(N_EMBD, N_HEAD * head),
    }
    writer.add_tensor("token_embd.weight", matrix(size, N_EMBD) * 8)
    writer.add_tensor("output_norm.weight", ones(N_EMBD))
    writer.add_tensor("output.weight", matrix(size, N_EMBD) * 4)
    for layer in range(N_LAYER):
        both = {
            "attn_norm.weight": ones(N_EMBD),
            "post_attention_norm": ones(N_EMBD),
            "ffn_norm.weight": ones(N_EMBD),
            "ffn_down.weight": matrix(N_EMBD, 2 * N_EMBD),
            "ffn_up.weight": matrix(4 * N_EMBD, N_EMBD),
            "post_ffw_norm": ones(N_EMBD),
        }
        for name, data in {**both, **(mamba if layer == 0 else attention)}.items():
            writer.add_tensor(f"blk.{layer}.{name}", data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
