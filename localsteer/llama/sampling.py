"""llama.cpp's own sampler chain."""

from __future__ import annotations

from dataclasses import dataclass

import llama_cpp.llama_cpp as lib

from localsteer.llama.closing import Closing

_PENALTY_WINDOW = 64
_SEED_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. ``temperature`` 0 is greedy; ``repeat_penalty`` 1 is off and looks at the reply
    only.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int = 0
    max_tokens: int | None = None


class Sampler(Closing):
    """A sampler chain and its random state, in llama.cpp's default order: penalty, top-k, top-p, min-p, temperature,
    draw.

    Penalties see what was sampled, not the prompt, so that the template's own tokens (the end of a turn!) are not
    made unlikely by having been used.
    """

    def __init__(self, sampling: Sampling, n_vocab: int) -> None:
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if sampling.repeat_penalty != 1.0:
            penalties = lib.llama_sampler_init_penalties(n_vocab, _PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0)
            lib.llama_sampler_chain_add(chain, penalties)
        if sampling.temperature <= 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        else:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_k(sampling.top_k))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_p(sampling.top_p, 1))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_min_p(sampling.min_p, 1))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(sampling.temperature))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(sampling.seed & _SEED_MASK))
        self._chain = chain

    def sample(self, context: object, row: int = -1) -> int:
        """Draw a token from the logits of output ``row`` (-1: the last) and remember it for the penalty."""
        return int(lib.llama_sampler_sample(self._chain, context, row))

    def close(self) -> None:
        """Free the chain; calling it again does no harm."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None
