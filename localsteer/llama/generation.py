"""A reply on its way."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from localsteer.errors import Stopped
from localsteer.llama.cuts import Cuts
from localsteer.llama.sampling import Sampler, Sampling
from localsteer.llama.spans import Evaluated, Span
from localsteer.llama.steering import Steering

if TYPE_CHECKING:
    from localsteer.llama.context import Context

FinishReason: TypeAlias = Literal["end", "length", "context", "stopped"]


class Generation:
    """Iterate it for the tokens of the reply, without the one that ends it.

    ``tokens``: those given so far. ``chosen[k]``: the key of the steering under which token k was *chosen*, that is,
    under which the token before it was evaluated. ``keys[k]``: the key under which token k itself was *evaluated*,
    which is what the cache holds; ``keys`` is one shorter than ``tokens`` while the last token waits for its
    evaluation or never gets one. ``prompt`` and ``header``: what was evaluated and what was in the cache, and ``cuts``:
    the batches of both; known when the first token comes. ``reason``: why the reply ended, None while it goes on.
    """

    def __init__(
        self,
        context: Context,
        spans: Sequence[Span],
        header: Sequence[int],
        steering: Callable[[], Steering],
        sampling: Sampling,
        cuts: Cuts | None,
        should_stop: Callable[[], bool] | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.tokens: list[int] = []
        self.keys: list[Hashable] = []
        self.chosen: list[Hashable] = []
        self.prompt = Evaluated(0, 0)
        self.header = Evaluated(0, 0)
        self.cuts: Cuts = ()
        self.reason: FinishReason | None = None
        self._wanted_cuts = cuts
        self._context = context
        self._steering = steering
        self._sampling = sampling
        self._should_stop = should_stop
        self._steps = self._run(tuple(spans), tuple(header), progress)

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return next(self._steps)

    def close(self) -> None:
        """End the reply here; the context stays usable."""
        self._steps.close()

    def _run(
        self, spans: tuple[Span, ...], header: tuple[int, ...], progress: Callable[[int, int], None] | None
    ) -> Generator[int, None, None]:
        try:
            steering = self._begin(spans, header, progress)
            with Sampler(self._sampling, self._context.model.n_vocab) as sampler:
                yield from self._write(sampler, steering)
        except Stopped:
            self.reason = "stopped"

    def _begin(
        self, spans: tuple[Span, ...], header: tuple[int, ...], progress: Callable[[int, int], None] | None
    ) -> Steering:
        """Evaluate the prompt, and then the header under what is in force by then."""
        context = self._context
        context.check_fits(sum(len(tokens) for tokens, _ in spans) + len(header))
        n_prompt = sum(len(tokens) for tokens, _ in spans)
        first = 0
        cuts = self._wanted_cuts
        if n_prompt and not (header and context.holds(spans, cuts)):
            first = context.evaluate(spans, cuts=cuts, should_stop=self._should_stop, progress=progress).evaluated
        steering = self._steering() if header else spans[-1][1]
        second = 0
        if header:
            whole = (*spans, (header, steering))
            second = context.evaluate(whole, cuts=cuts, should_stop=self._should_stop).evaluated
        self.cuts = context.cuts
        # A memory that cannot be cut evaluates the prompt again together with the header.
        in_header = min(second, len(header))
        in_prompt = max(first, second - in_header)
        self.prompt = Evaluated(in_prompt, n_prompt - in_prompt)
        self.header = Evaluated(in_header, len(header) - in_header)
        return steering

    def _write(self, sampler: Sampler, steering: Steering) -> Generator[int, None, None]:
        context, limit = self._context, self._sampling.max_tokens
        is_end, tokens = context.model.is_end, self.tokens
        while self.reason is None:
            if self._should_stop is not None and self._should_stop():
                raise Stopped
            if limit is not None and len(tokens) >= limit:
                self.reason = "length"
            elif context.used >= context.n_ctx:
                self.reason = "context"
            else:
                if len(self.keys) < len(tokens):
                    steering = self._steering()
                    context.append(tokens[-1], steering, self._should_stop)
                    self.keys.append(steering.key)
                token = context.sample(sampler)
                if is_end(token):
                    self.reason = "end"
                else:
                    self.chosen.append(steering.key)
                    tokens.append(token)
                    yield token
