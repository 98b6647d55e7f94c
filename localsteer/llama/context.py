"""A conversation's place in memory: the KV cache, what stands in it, and the generation of replies.

For every cached position the context remembers the token and the steering it was evaluated under. What has both in
common with the new text is used again; the rest is evaluated. So a dial that is turned costs exactly the positions it
applies to. How each position was cut into a batch is remembered, too: who wants it again bit for bit gives the cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from localsteer.errors import DialError, ModelError, PromptError, Stopped
from localsteer.llama.closing import Closing
from localsteer.llama.cuts import Cut, Cuts, cuts_of, positions_of
from localsteer.llama.decoding import Decoder
from localsteer.llama.generation import Generation
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.sampling import Sampler, Sampling
from localsteer.llama.spans import Evaluated, Span
from localsteer.llama.steering import UNSTEERED, Steering


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
        self._tap = tap
        self._begin(n_threads)
        self.n_threads = self._decoder.n_threads

    def _begin(self, n_threads: int | None = None) -> None:
        """With nothing cached. Raises ModelError."""
        self._decoder = Decoder(self.model, n_ctx=self.n_ctx, n_threads=n_threads, n_batch=self._n_batch, tap=self._tap)
        self._tokens: list[int] = []
        self._keys: list[Hashable] = []
        self._cut_at: list[Cut] = []
        self._has_logits = False
        self._steered_left = False
        # As long as somebody else has them: each may be half a megabyte.
        self._steerings: WeakValueDictionary[Hashable, Steering] = WeakValueDictionary()

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return self._decoder.closed

    @property
    def used(self) -> int:
        """Tokens in the cache."""
        return len(self._tokens)

    @property
    def cuts(self) -> Cuts:
        """How what is cached was cut into batches."""
        return cuts_of(self._cut_at)

    def evaluate(
        self,
        spans: Sequence[Span],
        *,
        cuts: Cuts | None = None,
        logits: bool = True,
        should_stop: Callable[[], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Evaluated:
        """Make the cache hold exactly these spans, so that :meth:`logits` are those after the last token; ``logits``
        False: nobody asks for those.

        ``cuts``: how they are to be cut into batches (those of a longer text will do), None for as few as possible; see
        :meth:`can_cut`. What is cached is used where it was cut in the same way. ``progress`` gets the tokens evaluated
        so far and those to evaluate in all. Raises PromptError if they do not fit the context, Stopped if
        ``should_stop`` says so; what was evaluated until then stays cached.
        """
        evaluated = self._evaluate(spans, cuts, logits, should_stop, progress)
        if self._has_logits and self._is_spoiled():
            self.forget()
            evaluated = self._evaluate(spans, cuts, logits, should_stop, progress)
        return evaluated

    def _evaluate(
        self,
        spans: Sequence[Span],
        cuts: Cuts | None,
        logits: bool,
        should_stop: Callable[[], bool] | None,
        progress: Callable[[int, int], None] | None,
    ) -> Evaluated:
        tokens = [token for span, _ in spans for token in span]
        keys = [steering.key for span, steering in spans for _ in span]
        if not tokens:
            raise PromptError("There is nothing to evaluate: the prompt is empty.")
        self.check_fits(len(tokens))
        places = None if cuts is None else positions_of(cuts)[: len(tokens)]
        same = self._same(tokens, keys, places)
        reused = self._cut(self._usable(same, len(tokens), places, logits=logits))
        # Without them nobody sees that nothing has come of it.
        logits = logits or self._steered_left
        done, total = 0, len(tokens) - reused
        for begin, end, steering in self._batches(spans, reused, places):
            if should_stop is not None and should_stop():
                raise Stopped
            length = end - begin if places is None else places[begin][1]
            # What follows in a batch changes only its length.
            fill = [tokens[end - 1]] * (length - (end - begin))
            last = logits and end == len(tokens) and not fill
            with self._whole_or_not(steering):
                self._decoder.decode([*tokens[begin:end], *fill], begin, logits=last, should_stop=should_stop)
                self._steered_left |= bool(fill) and steering.key != UNSTEERED.key
                if fill and not self._decoder.cut(end):
                    raise RuntimeError("a memory that cannot be cut was asked to cut a batch")
            self._tokens.extend(tokens[begin:end])
            self._keys.extend(keys[begin:end])
            self._cut_at.extend([(begin, length)] * (end - begin))
            self._has_logits = last
            done += end - begin
            if progress is not None:
                progress(done, total)
        return Evaluated(total, reused)

    def can_cut(self, spans: Sequence[Span], cuts: Cuts) -> bool:
        """Whether ``spans`` can be evaluated in batches cut like this: no batch crosses a border between steerings, all
        of them fit, and there is one for every token.
        """
        keys = [steering.key for tokens, steering in spans for _ in tokens]
        begin = 0
        for kept, length, times in cuts:
            if not 0 < kept <= length <= self._decoder.n_batch or (kept < length and not self.model.rewinds):
                return False
            for _ in range(times):
                if begin + length > self.n_ctx or len(set(keys[begin : begin + kept])) > 1:
                    return False
                begin += kept
        return begin == len(keys)

    def check_fits(self, count: int) -> None:
        """Raise PromptError if ``count`` tokens are more than the context holds."""
        if count > self.n_ctx:
            raise PromptError(
                f"The prompt takes {count} tokens and the context holds {self.n_ctx}; "
                "shorten it or load the model with a larger context."
            )

    def _usable(self, same: int, length: int, places: Sequence[Cut] | None, *, logits: bool) -> int:
        """How much can be used of a cached beginning of ``same`` of ``length`` tokens. If the logits of the last token
        are gone, it is evaluated again, with all of its batch where it matters how that is cut.
        """
        if logits and same == length and not (self._has_logits and same == len(self._tokens)):
            same -= 1
        if places is not None and same < length:
            return min(same, places[same][0])
        return same

    def _same(self, tokens: Sequence[int], keys: Sequence[Hashable], places: Sequence[Cut] | None) -> int:
        cached = min(len(self._tokens), len(tokens))
        return next(
            (
                at
                for at in range(cached)
                if self._tokens[at] != tokens[at]
                or self._keys[at] != keys[at]
                or (places is not None and self._cut_at[at] != places[at])
            ),
            cached,
        )

    def _cut(self, length: int) -> int:
        """Keep the first ``length`` cached positions, or none where the memory cannot be cut; returns how many are
        kept.
        """
        if length < len(self._tokens):
            self._has_logits = False
            self._steered_left |= any(key != UNSTEERED.key for key in self._keys[length:])
            if not self._decoder.cut(length):
                length = 0
            del self._tokens[length:]
            del self._keys[length:]
            del self._cut_at[length:]
        return length

    @contextmanager
    def _whole_or_not(self, steering: Steering) -> Iterator[None]:
        """What is evaluated inside, under ``steering``, is cached whole or not at all."""
        self._decoder.steer(steering)
        self._steerings[steering.key] = steering
        self._has_logits = False
        try:
            yield
        except BaseException:
            self._steered_left |= steering.key != UNSTEERED.key
            if not self._decoder.cut(len(self._tokens)):
                self._tokens.clear()
                self._keys.clear()
                self._cut_at.clear()
            raise

    def _batches(
        self, spans: Sequence[Span], begin: int, places: Sequence[Cut] | None
    ) -> Iterator[tuple[int, int, Steering]]:
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
            first = start
            while first < end:
                kept = self._decoder.n_batch
                if places is not None:
                    kept = next((at for at in range(first, end) if places[at] != places[first]), end) - first
                yield first, min(first + kept, end), steering
                first += kept

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
        cuts: Cuts | None = None,
        should_stop: Callable[[], bool] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Generation:
        """Evaluate ``spans`` and then write a reply, token by token, as the result is iterated.

        ``header`` are the tokens that the open reply begins with; ``cuts`` those of the spans and the header together
        (see :meth:`evaluate`). ``steering`` is asked before every evaluation from the header on, so a dial that is
        turned after a token has come already changes the next one. ``should_stop`` is asked before every token.
        Nothing happens before the first token is asked for.
        """
        return Generation(self, spans, header, steering, sampling, cuts, should_stop, progress)

    def holds(self, spans: Sequence[Span], cuts: Cuts | None = None) -> bool:
        """Whether the cache begins with all of these spans, cut like this."""
        tokens = [token for span, _ in spans for token in span]
        keys = [steering.key for span, steering in spans for _ in span]
        places = None if cuts is None else positions_of(cuts)
        return self._same(tokens, keys, places) == len(tokens)

    def append(self, token: int, steering: Steering, should_stop: Callable[[], bool] | None = None) -> None:
        """Evaluate one more token under ``steering``. The context must have room for it.

        ``should_stop`` is asked only where all of the text has to be evaluated again; then this may raise Stopped.
        """
        with self._whole_or_not(steering):
            self._decoder.decode_one(token, len(self._tokens))
        self._cut_at.append((len(self._tokens), 1))
        self._tokens.append(token)
        self._keys.append(steering.key)
        self._has_logits = True
        if self._is_spoiled() and (spans := self._as_spans()) is not None:
            cuts = self.cuts
            self.forget()
            # Where it is the dials, all of the text need not be read again to see that.
            self._evaluate([([token], steering)], None, True, should_stop, None)
            if self._decoder.has_numbers():
                self.forget()
                self._evaluate(spans, cuts, True, should_stop, None)

    def _is_spoiled(self) -> bool:
        """Whether there are no numbers, and that may be for what steering has left behind in places that are unused by
        now: attention weighs it with nothing, which makes nothing of numbers only.
        """
        return self._steered_left and not self._decoder.has_numbers()

    def _as_spans(self) -> list[Span] | None:
        """What is cached; None where a steering is not known any more that some of it is under."""
        spans: list[Span] = []
        for key, run in groupby(zip(self._keys, self._tokens, strict=True), key=itemgetter(0)):
            steering = self._steerings.get(key)
            if steering is None:
                return None
            spans.append(([token for _, token in run], steering))
        return spans

    def _is_steered(self) -> bool:
        """Whether anything in the cache is."""
        return any(key != UNSTEERED.key for key in self._keys)

    def forget(self) -> None:
        """Empty the cache, also of what is no number."""
        self._cut(0)
        self._decoder.wipe()
        self._steered_left = False

    def sample(self, sampler: Sampler) -> int:
        """Draw a token from the present logits.

        Raises DialError if steering, this or an earlier one, has made them something else than numbers, and ModelError
        if the model has by itself; all that is cached is forgotten then.
        """
        if not self._decoder.has_numbers():
            steered = self._is_steered()
            self.forget()
            if not steered:
                raise ModelError(f"{self.model.name} computes no numbers, even without dials; get its file again.")
            raise DialError("The dials are turned so far that the model computes no numbers any more; turn them back.")
        return sampler.sample(self._decoder.handle)

    def saved(self) -> Any:
        """What is cached, as bytes (a ctypes array) that :class:`~localsteer.llama.many_sequences.ManySequences` can
        restore.
        """
        return self._decoder.saved()

    @contextmanager
    def keeping(self, texts: Sequence[Sequence[Span]]) -> Iterator[None]:
        """What is cached now is cached again after ``texts`` have been evaluated inside, one after the other; or there
        is only one and it begins with that, so that nothing was lost.
        """
        tokens, keys, cut_at = list(self._tokens), list(self._keys), list(self._cut_at)
        begins = len(texts) == 1 and self._begins(texts[0])
        data = None if begins or not tokens else self._decoder.saved()
        try:
            yield
        finally:
            if data is not None:
                self._cut(0)
                if self._decoder.restore(data):
                    self._tokens, self._keys, self._cut_at = tokens, keys, cut_at

    def _begins(self, spans: Sequence[Span]) -> bool:
        """Whether all that is cached is a beginning of ``spans``."""
        tokens = [token for span, _ in spans for token in span]
        keys = [steering.key for span, steering in spans for _ in span]
        return self._same(tokens, keys, None) == len(self._tokens)

    @contextmanager
    def with_threads(self, n_threads: int) -> Iterator[None]:
        """Inside, ``n_threads`` threads work: some kernels round differently with another number, so nothing cached is
        taken from one to the other. 0: no change.
        """
        if n_threads in (0, self.n_threads):
            yield
            return
        self._cut(0)
        self._decoder.use_threads(n_threads)
        try:
            yield
        finally:
            self._decoder.use_threads(self.n_threads)
            self._cut(0)

    def moved(self, tap: ResidualTap | None) -> Context:
        """A context with another tap, or none, that has cached what this one has; this one is closed.

        llama.cpp takes a callback only when it makes a context. Raises ModelError if there is not enough memory; this
        one is empty then, or closed where there is not even enough for it.
        """
        data = self._decoder.saved() if self._tokens else None
        # There is seldom room for two.
        self.close()
        try:
            moved = Context(self.model, n_ctx=self.n_ctx, n_threads=self.n_threads, n_batch=self._n_batch, tap=tap)
        except ModelError:
            self._begin()
            raise
        if data is not None and moved._decoder.restore(data):
            moved._tokens, moved._keys, moved._cut_at = self._tokens, self._keys, self._cut_at
            moved._steerings = self._steerings
        return moved

    def close(self) -> None:
        """Free the cache; calling it again does no harm."""
        self._decoder.close()
