"""A context that holds many sequences, decoded together.

Over shared beginnings they have one cache: a token that several have in common is evaluated and kept once, with the
numbers of all of them (``kv_unified``), and attention looks through all there is. Or each has its own cache.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError, Stopped
from localsteer.llama import backend
from localsteer.llama.attention import chat_attention
from localsteer.llama.closing import Closing
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.threads import default_threads
from localsteer.llama.token_trie import TokenTrie

N_BATCH = 512
_MOST_SEQUENCES = 256  # LLAMA_MAX_SEQ
LOGITS_AT_ONCE = 20_000_000
_ABORTED = 2
_SEQUENCE_POINTER = ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))


def most_sequences(model: Model) -> int:
    """Sequences that one context should have: llama.cpp keeps a row of logits for each, which is large for large
    vocabularies.

    One for a model whose state is not a cache of positions and so cannot be shared.
    """
    if not model.rewinds:
        return 1
    return max(16, min(_MOST_SEQUENCES, LOGITS_AT_ONCE // model.n_vocab))


class ManySequences(Closing):
    """Sequences 0 to ``n_sequences`` - 1 over a model; a context manager."""

    def __init__(
        self,
        model: Model,
        *,
        n_sequences: int,
        n_ctx: int,
        n_outputs: int | None = None,
        n_batch: int = N_BATCH,
        n_threads: int | None = None,
        tap: ResidualTap | None = None,
        exact: bool = False,
        as_chat: bool = False,
        apart: bool = False,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """``n_ctx``: tokens of all sequences together. ``n_outputs``: whose logits one decode can give at most; None
        for as many as sequences. ``n_batch``: tokens that are computed together. ``exact``: twice the memory, so that
        results agree to float32 whatever else is in a batch. ``as_chat``: fast, and so that :meth:`restore` takes what
        a chat's context has saved. ``apart``: each sequence in a cache of its own, of an equal share of ``n_ctx``; then
        a token belongs to one sequence, and those of one decode are neighbours and bring equally many tokens each.
        Raises ModelError if there is not enough memory.
        """
        self.model = model
        self.n_sequences = n_sequences
        self.n_batch = n_batch
        self._tap = tap
        self._should_stop = should_stop
        self._check = lib.ggml_abort_callback(lambda _data: should_stop is not None and should_stop())
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = max(n_ctx, n_batch)
        parameters.n_batch = parameters.n_ubatch = n_batch
        parameters.n_seq_max = n_sequences
        parameters.n_outputs_max = n_outputs or n_sequences
        parameters.kv_unified = not apart
        # Flash attention rounds by the size of the batch (up to 1 % of a hidden state on the CPU), and a 16-bit
        # cache makes more of small differences.
        parameters.flash_attn_type = chat_attention(model) if as_chat else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if exact:
            parameters.type_k = parameters.type_v = lib.GGML_TYPE_F32
        parameters.n_threads = parameters.n_threads_batch = n_threads or default_threads(model.n_params)
        parameters.no_perf = True
        if tap is not None:
            parameters.cb_eval = tap.callback
        if should_stop is not None:
            parameters.abort_callback = self._check
        backend.forget_errors()
        self._handle: Any = lib.llama_init_from_model(model.handle, parameters)
        if not self._handle:
            raise ModelError(f"There is not enough memory to evaluate {n_ctx} tokens at once with {model.name}.")

    @property
    def handle(self) -> Any:
        """llama.cpp's ``llama_context *``, for the sampler."""
        return self._handle

    def check_stop(self) -> None:
        """Raise Stopped if ``should_stop`` says so."""
        if self._should_stop is not None and self._should_stop():
            raise Stopped

    def clear(self) -> None:
        """Forget all sequences."""
        lib.llama_memory_clear(lib.llama_get_memory(self._handle), False)

    def restore(self, data: Any, sequences: Sequence[int]) -> bool:
        """Take over into ``sequences`` what a :class:`~localsteer.llama.context.Context` has saved, kept once for all
        of them. False where it does not fit.
        """
        memory = lib.llama_get_memory(self._handle)
        first, *others = sequences
        if not lib.llama_state_seq_set_data(self._handle, data, len(data), first):
            return False
        for sequence in others:
            lib.llama_memory_seq_cp(memory, first, sequence, -1, -1)
        return True

    def copy(self, sequence: int, other: int) -> None:
        """Make ``other`` hold what ``sequence`` holds, and nothing else."""
        memory = lib.llama_get_memory(self._handle)
        lib.llama_memory_seq_rm(memory, other, -1, -1)
        lib.llama_memory_seq_cp(memory, sequence, other, -1, -1)

    def drop(self, sequence: int) -> None:
        """Forget one sequence."""
        lib.llama_memory_seq_rm(lib.llama_get_memory(self._handle), sequence, -1, -1)

    def has_numbers(self, row: int) -> bool:
        """Whether the logits after row ``row`` of the last batch are numbers; llama.cpp's samplers end the process
        where they are not.
        """
        pointer = lib.llama_get_logits_ith(self._handle, row)
        return bool(np.isfinite(np.ctypeslib.as_array(pointer, (self.model.n_vocab,)).max()))

    def decode(
        self,
        tokens: npt.NDArray[np.int32],
        positions: npt.NDArray[np.int32],
        sequences: Sequence[npt.NDArray[np.int32]],
        outputs: npt.NDArray[np.bool_],
    ) -> None:
        """Evaluate at most ``n_batch`` tokens, each at its position in its sequences; ``outputs``: whose logits are
        wanted.

        Raises Stopped if ``should_stop`` says so, also in the middle.
        """
        self.check_stop()
        counts = np.array([len(numbers) for numbers in sequences], dtype=np.int32)
        numbers = np.concatenate(sequences).astype(np.int32)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.uintp)
        pointers = np.uintp(numbers.ctypes.data) + starts * np.uintp(numbers.itemsize)
        tokens = np.ascontiguousarray(tokens, dtype=np.int32)
        positions = np.ascontiguousarray(positions, dtype=np.int32)
        wanted = outputs.astype(np.int8)
        batch = lib.llama_batch(
            n_tokens=len(tokens),
            token=tokens.ctypes.data_as(ctypes.POINTER(lib.llama_token)),
            pos=positions.ctypes.data_as(ctypes.POINTER(lib.llama_pos)),
            n_seq_id=counts.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            seq_id=pointers.ctypes.data_as(_SEQUENCE_POINTER),
            logits=wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        if self._tap is not None:
            self._tap.begin()
        status = lib.llama_decode(self._handle, batch)
        if self._tap is not None:
            self._tap.raise_kept_error()
        if status == _ABORTED:
            raise Stopped
        if status != 0:
            raise ModelError(f"llama.cpp could not evaluate the prompts (status {status}): {backend.last_error()}")

    def evaluate(
        self, trie: TokenTrie, outputs: npt.NDArray[np.bool_]
    ) -> Iterator[tuple[int, int, npt.NDArray[np.int64]]]:
        """Evaluate a whole tree from its root, batch by batch. ``outputs``: bool[n_nodes], whose logits are wanted.

        After every batch gives its first node, the one after its last, and the nodes in it with outputs: int64[n].
        """
        begin, n_nodes = 0, len(trie.tokens)
        so_far = np.concatenate([[0], np.cumsum(outputs)])
        while begin < n_nodes:
            enough = int(np.searchsorted(so_far, so_far[begin] + self.n_sequences, side="right")) - 1
            end = max(begin + 1, min(begin + self.n_batch, n_nodes, enough))
            part = slice(begin, end)
            self.decode(trie.tokens[part], trie.depths[part], trie.sequences[part], outputs[part])
            yield begin, end, begin + np.flatnonzero(outputs[part])
            begin = end

    def logits(self, n_outputs: int) -> npt.NDArray[np.float32]:
        """float32[n_outputs, n_vocab] of the last decode, in the order of its tokens. A view."""
        return np.ctypeslib.as_array(lib.llama_get_logits(self._handle), (n_outputs, self.model.n_vocab))

    def close(self) -> None:
        """Free the context; calling it again does no harm."""
        if self._handle is not None:
            lib.llama_free(self._handle)
            self._handle = None
