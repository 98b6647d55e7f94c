"""How a chat's context computes attention; contexts that take over its cache have to do it alike."""

from __future__ import annotations

import llama_cpp.llama_cpp as lib

from localsteer.llama.model import Model
from localsteer.llama.threads import SMALL


def chat_attention(model: Model) -> int:
    """An ``enum llama_flash_attn_type``: llama.cpp's own choice, but no flash attention in small models.

    On the CPU that takes one row after the other and one position after the other, which nobody notices beside large
    matrices. With 3.3 million parameters a token after 100 others took 0.95 ms with it and 0.72 ms without, and two
    sequences together 1.5 and 0.84 ms.
    """
    choice = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED if model.n_params < SMALL else lib.LLAMA_FLASH_ATTN_TYPE_AUTO
    return int(choice)
