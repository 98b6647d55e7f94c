"""Weights, vocabulary and metadata of one GGUF file."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as lib

from localsteer.errors import ModelError, Stopped
from localsteer.gguf_header import cache_bytes_per_token, check_chat_model, model_id, vocabulary_fingerprint
from localsteer.llama import backend
from localsteer.llama.closing import Closing
from localsteer.llama.mapped_pages import let_go_of_mapped_pages
from localsteer.llama.plain_tokens import tokens_without

_PIECE_BYTES = 64
_CONTROL = 8


class Model(Closing):
    """An open model. Close it, or use it as a context manager; contexts over it must be closed before."""

    def __init__(
        self,
        path: Path | str,
        *,
        gpu_layers: int | None = None,
        progress: Callable[[float], bool] | None = None,
    ) -> None:
        """Load ``path``. ``gpu_layers`` None puts all layers on the GPU where the build can, 0 none.

        ``progress`` gets the fraction read so far, 0..1, and ends the loading with
        :class:`~localsteer.errors.Stopped` by returning False. Raises ModelError with one sentence for a file that
        cannot chat here.
        """
        self.path = Path(path)
        backend.start()
        offloads = bool(lib.llama_supports_gpu_offload()) and gpu_layers != 0
        header = check_chat_model(self.path, in_memory=not offloads or sys.platform == "darwin")
        self.metadata = dict(header.metadata)
        self.architecture = header.architecture
        self.name = header.name or self.path.stem
        self.quantisation = header.quantisation
        self.has_chat_template = bool(header.chat_template)
        self.model_id = model_id(self.path, header)
        self.vocabulary_fingerprint = vocabulary_fingerprint(self.path, header)
        self.cache_bytes_per_token = cache_bytes_per_token(self.path, header)
        """What a token takes in the KV cache; 0 for a recurrent model."""
        self.gpu_layers = self._offload(gpu_layers, header.n_layer)
        self._pieces: dict[int, bytes] = {}
        self._control: dict[int, bool] = {}
        self._piece_buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        self._handle = self._load(progress)
        self._vocabulary = lib.llama_model_get_vocab(self._handle)
        self.n_layer = int(lib.llama_model_n_layer(self._handle))
        self.n_embd = int(lib.llama_model_n_embd(self._handle))
        self.n_vocab = int(lib.llama_vocab_n_tokens(self._vocabulary))
        self.n_ctx_train = int(lib.llama_model_n_ctx_train(self._handle))
        self.n_params = int(lib.llama_model_n_params(self._handle))
        self.size_bytes = int(lib.llama_model_size(self._handle))
        self.rewinds = not (lib.llama_model_is_recurrent(self._handle) or lib.llama_model_is_hybrid(self._handle))
        """Whether cached positions can be taken back one by one; a recurrent state cannot."""

    @staticmethod
    def _offload(gpu_layers: int | None, n_layer: int) -> int:
        if not lib.llama_supports_gpu_offload():
            return 0
        return n_layer + 1 if gpu_layers is None or gpu_layers < 0 else min(gpu_layers, n_layer + 1)

    def _load(self, progress: Callable[[float], bool] | None) -> Any:
        stopped = False

        @lib.llama_progress_callback  # type: ignore[untyped-decorator, unused-ignore]
        def on_progress(fraction: float, _user_data: object) -> bool:
            nonlocal stopped
            stopped = progress is not None and not progress(fraction)
            return not stopped

        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = self.gpu_layers
        parameters.progress_callback = on_progress
        backend.forget_errors()
        handle = lib.llama_model_load_from_file(os.fsencode(self.path), parameters)
        if handle:
            let_go_of_mapped_pages()
            return handle
        if stopped:
            raise Stopped
        reason = backend.last_error()
        if "unknown model architecture" in reason:
            raise ModelError(
                f'{self.path} has the architecture "{self.architecture}", which this llama.cpp does not know; '
                "a newer llama-cpp-python may."
            )
        raise ModelError(f"llama.cpp cannot load {self.path}" + (f": {reason}." if reason else "."))

    @property
    def handle(self) -> Any:
        """llama.cpp's ``llama_model *``, for the other modules of this room."""
        if self._handle is None:
            raise RuntimeError("the model is closed")
        return self._handle

    def tokenize(self, text: str, *, special: bool = False, start: bool = False, continues: bool = False) -> list[int]:
        """The tokens of ``text``; control tokens never, unless ``special``.

        ``special``: the texts of special tokens become these tokens; never for what a person typed. ``start``: with
        the beginning-of-text token in front, where the model wants one. ``continues``: other text stands before it,
        so a SentencePiece vocabulary puts no space in front.
        """
        if special:
            tokens = self._tokenize(text, special=True, continues=continues)
        else:
            tokens, _ = tokens_without(
                text,
                lambda part, later: self._tokenize(part, special=False, continues=continues or later),
                lambda found: {self.token_text(token) for token in found if self.is_control(token)},
            )
        return [*self.start_tokens, *tokens] if start else tokens

    def _tokenize(self, text: str, *, special: bool, continues: bool) -> list[int]:
        if not text:
            return []
        if continues and self._space_in_front:
            lead = self._tokenize("\n", special=False, continues=False)
            whole = self._tokenize("\n" + text, special=special, continues=False)
            if whole[: len(lead)] == lead:
                return whole[len(lead) :]
        data = text.encode("utf-8", "replace")
        size = len(data) + 2
        buffer = (lib.llama_token * size)()
        count = lib.llama_tokenize(self._vocabulary, data, len(data), buffer, size, False, special)
        if count < 0:
            buffer = (lib.llama_token * -count)()
            count = lib.llama_tokenize(self._vocabulary, data, len(data), buffer, -count, False, special)
        tokens = list(buffer[:count])
        if tokens and not 0 <= min(tokens) <= max(tokens) < self.n_vocab:
            # Of such a token llama.cpp can be asked nothing.
            raise ModelError(f"The vocabulary of {self.name} cannot spell this text; take another file of this model.")
        return tokens

    def is_control(self, token: int) -> bool:
        """Whether ``token`` is one that no text spells: the marks of turns, the ends of texts."""
        known = self._control.get(token)
        if known is None:
            known = self._control[token] = bool(self.attributes(token) & _CONTROL)
        return known

    @cached_property
    def start_tokens(self) -> tuple[int, ...]:
        """What this model wants in front of every text: its beginning-of-text token, or nothing."""
        wanted = lib.llama_vocab_get_add_bos(self._vocabulary) and self.begin_token >= 0
        return (self.begin_token,) if wanted else ()

    @cached_property
    def _space_in_front(self) -> bool:
        return b"".join(map(self.piece, self._tokenize("a", special=False, continues=False))).startswith(b" ")

    @cached_property
    def begin_token(self) -> int:
        """The beginning-of-text token; -1 where there is none."""
        return int(lib.llama_vocab_bos(self._vocabulary))

    @cached_property
    def end_token(self) -> int:
        """The end-of-text token; -1 where there is none."""
        return int(lib.llama_vocab_eos(self._vocabulary))

    def piece(self, token: int) -> bytes:
        """What ``token`` adds to a text: not always whole UTF-8 characters, and nothing for control tokens."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._read_piece(token)
        return piece

    def _read_piece(self, token: int) -> bytes:
        buffer = self._piece_buffer
        count = lib.llama_token_to_piece(self._vocabulary, token, buffer, len(buffer), 0, False)
        if count < 0:
            buffer = ctypes.create_string_buffer(-count)
            count = lib.llama_token_to_piece(self._vocabulary, token, buffer, -count, 0, False)
        return buffer.raw[:count]

    def text(self, tokens: list[int] | tuple[int, ...]) -> str:
        """The text of several tokens; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(map(self.piece, tokens)).decode("utf-8", "replace")

    def token_text(self, token: int) -> str:
        """How the vocabulary writes ``token``; for special tokens the text that stands for them. Empty for -1."""
        text = lib.llama_vocab_get_text(self._vocabulary, token) if token >= 0 else b""
        return text.decode("utf-8", "replace") if text else ""

    def attributes(self, token: int) -> int:
        """Bits of ``enum llama_token_attr``: 1 unknown, 8 control, 16 user-defined, 128 strip left, 256 strip right."""
        return int(lib.llama_vocab_get_attr(self._vocabulary, token))

    def is_end(self, token: int) -> bool:
        """Whether ``token`` ends a reply: end of turn, end of text."""
        return bool(lib.llama_vocab_is_eog(self._vocabulary, token))

    @cached_property
    def steerable(self) -> bool:
        """Whether llama.cpp applies control vectors to this architecture, found out by trying: do the logits move?"""
        from localsteer.llama.probe import applies_control_vectors

        return applies_control_vectors(self)

    def close(self) -> None:
        """Free the weights; calling it again does no harm."""
        if self._handle is not None:
            lib.llama_model_free(self._handle)
            self._handle = None
