"""A conversation's place in memory: the KV cache, what stands in it, and the generation of replies.

For every cached position the context remembers the token and the steering it was evaluated under. What has both in
common with the new text is used again; the rest is evaluated. So a dial that is turned costs exactly the positions it
applies to.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from localsteer.errors import DialError, PromptError, Stopped
from localsteer.llama.closing import Closing
from localsteer.llama.decoding import Decoder
from localsteer.llama.generation import Generation
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.sampling import Sampler, Sampling
from localsteer.llama.spans import Evaluated, Span
from localsteer.llama.steering import Steering


class Context(Closing):
    """One sequence over a model. Close it before the model, or use it as a context manager."""

    def __init__(
        self,
        model: Model,
        *,
        n_ctx: int,
        n_threads: int | None = None,
        n_batch: int = 512,
        tap: ResidualTap | None = None,
    ) -> None:
        """``n_ctx`` tokens at most; ``n_threads`` None: one for each physical core; ``tap`` reads or writes hidden
        states.

        Raises ModelError if there is not enough memory.
        """
        self.model = model
        self.n_ctx = n_ctx
        self._n_batch = n_batch
        self._decoder = Decoder(model, n_ctx=n_ctx, n_threads=n_threads, n_batch=n_batch, tap=tap)
        self.n_threads = self._decoder.n_threads
        self._tokens: list[int] = []
        self._keys: list[Hashable] = []
        self._has_logits = False

    @property
    def used(self) -> int:
        """Tokens in the cache."""
        return len(self._tokens)

    def evaluate(
        self,
        spans: Sequence[Span],
        *,
        should_stop: Callable[[], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Evaluated:
        """Make the cache hold exactly these spans, so that :meth:`logits` are those after the last token.

        ``progress`` gets the tokens evaluated so far and those to evaluate in all. Raises PromptError if they do not
        fit the context, Stopped if ``should_stop`` says so; what was evaluated until then stays cached.
        """
        tokens = [token for span, _ in spans for token in span]
        keys = [steering.key for span, steering in spans for _ in span]
        if not tokens:
            raise PromptError("There is nothing to evaluate: the prompt is empty.")
        self.check_fits(len(tokens))
        reused = self._cut(self._common(tokens, keys))
        done, total = 0, len(tokens) - reused
        for begin, end, steering in self._batches(spans, reused):
            if should_stop is not None and should_stop():
                raise Stopped
            self._decoder.steer(steering)
            with self._or_nothing():
                self._decoder.decode(tokens[begin:end], begin, logits=end == len(tokens), should_stop=should_stop)
            self._tokens.extend(tokens[begin:end])
            self._keys.extend(keys[begin:end])
            done += end - begin
            if progress is not None:
                progress(done, total)
        self._has_logits = True
        return Evaluated(total, reused)

    def check_fits(self, count: int) -> None:
        """Raise PromptError if ``count`` tokens are more than the context holds."""
        if count > self.n_ctx:
            raise PromptError(
                f"The prompt takes {count} tokens and the context holds {self.n_ctx}; "
                "shorten it or load the model with a larger context."
            )

    def _common(self, tokens: Sequence[int], keys: Sequence[Hashable]) -> int:
        """Length of the cached beginning that can be used. The last token is evaluated again if its logits are gone."""
        cached = min(len(self._tokens), len(tokens))
        common = next(
            (at for at in range(cached) if self._tokens[at] != tokens[at] or self._keys[at] != keys[at]),
            cached,
        )
        if common == len(tokens) and not (self._has_logits and common == len(self._tokens)):
            return common - 1
        return common

    def _cut(self, length: int) -> int:
        """Keep the first ``length`` cached positions, or none where the memory cannot be cut; returns how many are
        kept.
        """
        if length < len(self._tokens):
            self._has_logits = False
            if not self._decoder.cut(length):
                length = 0
            del self._tokens[length:]
            del self._keys[length:]
        return length

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """What is evaluated inside is cached whole or not at all."""
        self._has_logits = False
        try:
            yield
        except BaseException:
            if not self._decoder.cut(len(self._tokens)):
                self._tokens.clear()
                self._keys.clear()
            raise

    def _batches(self, spans: Sequence[Span], begin: int) -> Iterator[tuple[int, int, Steering]]:
        """Stretches from ``begin`` on that are evaluated at once: one steering, at most one batch long."""
        runs: list[tuple[int, int, Steering]] = []
        at = 0
        for span, steering in spans:
            start, at = at, at + len(span)
            if at <= max(start, begin):
                continue
            if runs and runs[-1][2].key == steering.key:
                runs[-1] = (runs[-1][0], at, steering)
            else:
                runs.append((max(start, begin), at, steering))
        for start, end, steering in runs:
            for first in range(start, end, self._decoder.n_batch):
                yield first, min(first + self._decoder.n_batch, end), steering

    def logits(self) -> npt.NDArray[np.float32]:
        """float32[n_vocab] after the last token of the cache. A view: copy what you want to keep."""
        return self._decoder.logits()

    def generate(
        self,
        spans: Sequence[Span],
        *,
        header: Sequence[int] = (),
        steering: Callable[[], Steering],
        sampling: Sampling,
        should_stop: Callable[[], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Generation:
        """Evaluate ``spans`` and then write a reply, token by token, as the result is iterated.

        ``header`` are the tokens that the open reply begins with. ``steering`` is asked before every evaluation from
        the header on, so a dial that is turned after a token has come already changes the next one. ``should_stop``
        is asked before every token. Nothing happens before the first token is asked for.
        """
        return Generation(self, spans, header, steering, sampling, should_stop, progress)

    def holds(self, spans: Sequence[Span]) -> bool:
        """Whether the cache begins with all of these spans."""
        tokens = [token for span, _ in spans for token in span]
        keys = [steering.key for span, steering in spans for _ in span]
        return self._tokens[: len(tokens)] == tokens and self._keys[: len(keys)] == keys

    def append(self, token: int, steering: Steering) -> None:
        """Evaluate one more token under ``steering``. The context must have room for it."""
        self._decoder.steer(steering)
        with self._or_nothing():
            self._decoder.decode_one(token, len(self._tokens))
        self._tokens.append(token)
        self._keys.append(steering.key)
        self._has_logits = True

    def sample(self, sampler: Sampler, steering: Steering) -> int:
        """Draw a token from the present logits, which were computed under ``steering``.

        Raises DialError if the steering has made them something else than numbers; the position that spoilt them is
        forgotten.
        """
        if steering.data is not None and not self._decoder.has_numbers():
            self._cut(len(self._tokens) - 1)
            raise DialError("The dials are turned so far that the model computes no numbers any more; turn them back.")
        return sampler.sample(self._decoder.handle)

    def moved(self, tap: ResidualTap | None) -> Context:
        """A context with another tap, or none, that has cached what this one has; this one is closed.

        llama.cpp takes a callback only when it makes a context. Raises ModelError if there is not enough memory.
        """
        data = self._decoder.saved() if self._tokens else None
        self.close()
        moved = Context(self.model, n_ctx=self.n_ctx, n_threads=self.n_threads, n_batch=self._n_batch, tap=tap)
        if data is not None and moved._decoder.restore(data):
            moved._tokens, moved._keys = self._tokens, self._keys
        return moved

    def close(self) -> None:
        """Free the cache; calling it again does no harm."""
        self._decoder.close()
