"""A llama.cpp context with its batch: the part of a :class:`~localsteer.llama.context.Context` that owns native
memory.

Everything here is counted in positions of one sequence; what they hold and why is the business of the caller.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError, Stopped
from localsteer.llama import backend
from localsteer.llama.attention import chat_attention
from localsteer.llama.control_vector import set_control_vector
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.steering import Steering
from localsteer.llama.threads import default_threads

_ABORTED = 2
_NO_ROOM = 1
_NO_CHECK = lib.ggml_abort_callback()


class Decoder:
    """``llama_decode`` for one sequence, the control vector that goes with it, and the logits that come of it."""

    def __init__(
        self, model: Model, *, n_ctx: int, n_threads: int | None, n_batch: int, tap: ResidualTap | None
    ) -> None:
        self.model = model
        self.n_ctx = n_ctx
        self.n_threads = n_threads or default_threads(model.n_params)
        self.n_batch = max(1, min(n_batch, n_ctx))
        self._tap = tap
        self._handle = self._create()
        self._memory = lib.llama_get_memory(self._handle)
        self._batch = lib.llama_batch_init(self.n_batch, 0, 1)
        self._fill_batch()
        self._applied: Steering | None = None
        self._logits_at = 0
        self._logits: npt.NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    def _create(self) -> Any:
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = self.n_ctx
        parameters.n_batch = parameters.n_ubatch = self.n_batch
        parameters.n_seq_max = 1
        # One row of logits is all that is ever asked for; the default reserves one for every token of a batch.
        parameters.n_outputs_max = 1
        parameters.n_threads = parameters.n_threads_batch = self.n_threads
        parameters.flash_attn_type = chat_attention(self.model)
        parameters.no_perf = True
        if self._tap is not None:
            parameters.cb_eval = self._tap.callback
        backend.forget_errors()
        handle = lib.llama_init_from_model(self.model.handle, parameters)
        if not handle:
            raise ModelError(
                f"There is not enough memory for a context of {self.n_ctx} tokens with {self.model.name}; "
                "load it with a smaller context."
            )
        # llama.cpp rounds up; what was asked for is what counts.
        return handle

    def _fill_batch(self) -> None:
        """Numpy views of the batch's arrays, and the parts of it that never change."""
        batch, size = self._batch, (self.n_batch,)
        self._tokens = np.ctypeslib.as_array(batch.token, size)
        self._positions = np.ctypeslib.as_array(batch.pos, size)
        self._wanted = np.ctypeslib.as_array(batch.logits, size)
        np.ctypeslib.as_array(batch.n_seq_id, size)[:] = 1
        for row in range(self.n_batch):
            batch.seq_id[row][0] = 0

    @property
    def closed(self) -> bool:
        """Whether it has nothing of llama.cpp's any more."""
        return self._handle is None

    @property
    def handle(self) -> Any:
        """llama.cpp's ``llama_context *``, for the sampler."""
        return self._handle

    def use_threads(self, n_threads: int) -> None:
        """Have what follows decoded by so many threads."""
        lib.llama_set_n_threads(self._handle, n_threads, n_threads)

    def steer(self, steering: Steering) -> None:
        """Put a control vector in force for what is decoded from now on. Free of cost where it is in force already."""
        if self._applied is not None and self._applied.key == steering.key:
            return
        set_control_vector(self._handle, self.model, steering.data)
        self._applied = steering

    def decode(
        self,
        tokens: Sequence[int],
        position: int,
        *,
        logits: bool,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """Evaluate at most ``n_batch`` tokens from ``position`` on; ``logits``: those after the last one are wanted.

        ``should_stop`` is also asked in the middle (on the CPU) and ends it with Stopped. After any failure the
        caller must :meth:`cut` at ``position``.
        """
        count = len(tokens)
        self._batch.n_tokens = count
        self._tokens[:count] = tokens
        self._positions[:count] = np.arange(position, position + count)
        self._wanted[:count] = 0
        self._wanted[count - 1] = logits
        if should_stop is None:
            self._run()
            return
        # A Python function called for every node of the graph: nothing beside a batch, too much beside one token.
        check = lib.ggml_abort_callback(lambda _data: should_stop())
        lib.llama_set_abort_callback(self._handle, check, None)
        try:
            self._run()
        finally:
            lib.llama_set_abort_callback(self._handle, _NO_CHECK, None)

    def decode_one(self, token: int, position: int) -> None:
        """Evaluate one token and have the logits after it; the inner loop of generation."""
        self._batch.n_tokens = 1
        self._tokens[0] = token
        self._positions[0] = position
        self._wanted[0] = 1
        self._run()

    def _run(self) -> None:
        if self._tap is not None:
            self._tap.begin()
        status = lib.llama_decode(self._handle, self._batch)
        if self._tap is not None:
            self._tap.raise_kept_error()
        if status == 0:
            return
        if status == _ABORTED:
            raise Stopped
        if status == _NO_ROOM:
            raise ModelError(f"The context of {self.n_ctx} tokens is full.")
        raise ModelError(f"llama.cpp could not evaluate the text (status {status}): {backend.last_error()}")

    def cut(self, position: int) -> bool:
        """Forget what is cached from ``position`` on. False: this kind of memory cannot, and all of it is forgotten."""
        if position > 0 and lib.llama_memory_seq_rm(self._memory, 0, position, -1):
            return True
        lib.llama_memory_clear(self._memory, False)
        return position == 0

    def wipe(self) -> None:
        """Forget everything, and write zeros over it: attention looks at what stood in unused places, too, and weighs
        it with nothing, which makes nothing of numbers only.
        """
        lib.llama_memory_clear(self._memory, True)

    def saved(self) -> Any:
        """What is cached, as bytes (a ctypes array) that :meth:`restore` of another decoder of the model takes."""
        size = lib.llama_state_seq_get_size(self._handle, 0)
        data = (ctypes.c_uint8 * size)()
        lib.llama_state_seq_get_data(self._handle, data, size, 0)
        return data

    def restore(self, data: Any) -> bool:
        """Take over what another decoder has saved; False, and nothing is cached, where it does not fit."""
        if lib.llama_state_seq_set_data(self._handle, data, len(data), 0):
            return True
        lib.llama_memory_clear(self._memory, False)
        return False

    def logits(self) -> npt.NDArray[np.float32]:
        """float32[n_vocab] after the last token decoded. A view: the next decode changes it."""
        pointer = lib.llama_get_logits_ith(self._handle, -1)
        address = ctypes.addressof(pointer.contents) if pointer else 0
        if not address:
            raise RuntimeError("no logits were asked for in the last decode")
        if address != self._logits_at:
            self._logits_at = address
            self._logits = np.ctypeslib.as_array(pointer, (self.model.n_vocab,))
        return self._logits

    def has_numbers(self) -> bool:
        """False where steering has driven the model out of what floats can hold: llama.cpp's samplers end the process
        then.
        """
        return bool(np.isfinite(self.logits().max()))

    def close(self) -> None:
        """Free context and batch; calling it again does no harm."""
        if self._handle is not None:
            lib.llama_batch_free(self._batch)
            lib.llama_free(self._handle)
            self._handle = None
