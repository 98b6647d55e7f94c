from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.sampling import Sampling
from localsteer.llama.steering import UNSTEERED
from tests.benchmarks.shapes import LARGE, SMALL, Kind, RandomModel
from tests.llama.vectors import steering
from tests.random_models import Shape

TINY = Shape(n_layer=3, n_embd=64, n_ff=96, n_head=4, n_kv=2, tied=True)


@pytest.mark.parametrize("kind", ["F32", "Q8_0", "Q4_0"])
def test_a_model_made_of_random_blocks_writes_for_ever_and_can_be_steered(kind: Kind, tmp_path: Path) -> None:
    path = RandomModel("tiny", TINY, 1_500, kind).write(tmp_path)
    with Model(path) as model, Context(model, n_ctx=256) as context:
        assert (model.n_vocab, model.n_layer, model.n_embd) == (1_500, 3, 64)
        prompt = model.tokenize("tell me about the sea", start=True)
        assert len(prompt) < 16
        context.evaluate([(prompt, UNSTEERED)])
        logits = context.logits().copy()
        assert np.isfinite(logits).all()
        assert 0.5 < logits.std() < 20
        context.evaluate([(prompt, steering(model, 0.25))])
        assert np.abs(context.logits() - logits).max() > 0.1
        written = context.generate([(prompt, UNSTEERED)], steering=lambda: UNSTEERED, sampling=Sampling(max_tokens=200))
        assert len(list(written)) == 200


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    model = RandomModel("tiny", TINY, 600, "Q8_0")
    path = model.write(tmp_path)
    before = path.stat()
    assert model.write(tmp_path) == path
    assert path.stat() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_shapes_are_as_large_as_their_names_say() -> None:
    assert round(SMALL.n_params / 1e6, 1) == 134.5
    assert round(LARGE.n_params / 1e6) == 1236
