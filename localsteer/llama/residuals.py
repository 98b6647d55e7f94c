"""Reads and writes the residual stream while llama.cpp computes it.

llama.cpp calls back for every node of its graph: first to ask whether we want it, then, when its data is ready, to
show it. The output of block k is called ``l_out-k``. What a control vector can do is done faster by llama.cpp itself;
this is for reading, and for interventions that a plain addition to every row cannot express.

A context with a tap decodes a little slower, so reading and chatting use separate contexts over the same weights; the
chat's own has a tap only while its replies are watched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from localsteer.llama import ggml

Rows: TypeAlias = npt.NDArray[np.float32]
Read: TypeAlias = Callable[[int, Rows], None]
Write: TypeAlias = Callable[[int, Rows], Rows | None]

_PREFIX = b"l_out-"


class ResidualTap:
    """What is done at the outputs of which blocks. Give it to a context when it is made; it must live as long as
    that.
    """

    def __init__(
        self,
        n_embd: int,
        layers: Collection[int],
        *,
        read: Read | None = None,
        write: Write | None = None,
        stop_after: int | None = None,
        most_rows: int = 0,
    ) -> None:
        """At each of ``layers``, ``read`` gets (layer, float32[n_rows, n_embd]), one row per token of the batch,
        after any control vector; at the last layer only the rows whose logits were asked for exist. ``write`` gets
        the same and returns the rows to go on with, or None to leave them. ``stop_after``: nothing above this layer
        is computed, so the logits are meaningless. ``most_rows``: up to so many rows are shown in the same place
        every time, where the next layer's overwrite them; 0 for rows that may be kept. What they raise comes out of
        the decode.
        """
        self._n_embd = n_embd
        self._read = read
        self._write = write
        self._stop_after = stop_after
        self._place = np.empty((most_rows, n_embd), dtype=np.float32) if most_rows else None
        self._stopped = False
        self._error: BaseException | None = None
        self.look_at(layers)
        self.seen: set[int] = set()
        """Layers that have come by since the tap was made; a layer that never comes is called otherwise here."""
        self.callback = lib.ggml_backend_sched_eval_callback(self._on_node)

    def look_at(self, layers: Collection[int]) -> None:
        """From the next decode on these layers instead; none costs least."""
        self._layers = frozenset(layers)
        stop = () if self._stop_after is None else (self._stop_after,)
        self._wanted = {_PREFIX + str(layer).encode(): layer for layer in (*self._layers, *stop)}

    def begin(self) -> None:
        """Before every decode."""
        self._stopped = False

    def raise_kept_error(self) -> None:
        """After every decode: what a callback raised could not pass through llama.cpp and was kept."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _on_node(self, tensor: int, ask: bool, _user_data: object) -> bool:
        layer = self._wanted.get(ggml.tensor_name(tensor))
        if ask:
            # A graph that is split over devices goes on with the next part after a stop.
            return layer is not None and not self._stopped
        if layer is None or self._error is not None:
            return self._error is None
        try:
            self._handle(tensor, layer)
        except BaseException as error:
            self._error = error
            return False
        self._stopped = layer == self._stop_after
        return not self._stopped

    def _handle(self, tensor: int, layer: int) -> None:
        self.seen.add(layer)
        if layer not in self._layers:
            return
        rows = ggml.read_rows(tensor, self._n_embd, self._place)
        if self._read is not None:
            self._read(layer, rows)
        if self._write is not None:
            written = self._write(layer, rows)
            if written is not None:
                ggml.write_rows(tensor, written)
