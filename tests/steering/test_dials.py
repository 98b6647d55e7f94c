"""Dials add up: linear, in any order, and nothing at all when off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.errors import DialError, VectorError
from localsteer.steering.dials import Dial, Scope, buffers
from tests.steering.vectors import N_EMBD, N_LAYER, make

strengths = st.floats(-8, 8)
layers = st.none() | st.sets(st.integers(1, N_LAYER - 1), min_size=1).map(tuple)
scopes = st.sampled_from(["reply", "everything"])
VECTORS = [make(name, seed) for seed, name in enumerate(("mood", "warmth", "register"))]
dials = st.lists(st.builds(Dial, st.sampled_from(VECTORS), strengths, layers, scopes, st.booleans()), max_size=5)


def dense(buffer: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32]:
    """float32[n_layer − 1, n_embd], zeros for None."""
    return np.zeros((N_LAYER - 1, N_EMBD), np.float32) if buffer is None else buffer.reshape(N_LAYER - 1, N_EMBD)


@given(strengths, layers)
def test_one_dial_adds_strength_times_direction_at_its_layers_alone(
    strength: float, chosen: tuple[int, ...] | None
) -> None:
    vector = VECTORS[0]
    reply = dense(buffers([Dial(vector, strength, chosen)], N_LAYER, N_EMBD).reply)
    for layer, direction in vector.directions.items():
        on = layer in (chosen or vector.default_layers)
        np.testing.assert_allclose(reply[layer - 1], strength * direction * on, rtol=1e-6, atol=1e-30)


@given(dials, dials)
def test_the_buffer_of_many_dials_is_the_sum_of_their_buffers(some: list[Dial], others: list[Dial]) -> None:
    together = buffers([*some, *others], N_LAYER, N_EMBD)
    apart = [buffers(part, N_LAYER, N_EMBD) for part in (some, others)]
    np.testing.assert_allclose(dense(together.reply), sum(dense(part.reply) for part in apart), atol=1e-4)
    np.testing.assert_allclose(dense(together.prompt), sum(dense(part.prompt) for part in apart), atol=1e-4)


@given(dials, st.randoms())
def test_the_order_of_dials_does_not_change_a_single_bit(some: list[Dial], random: Any) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    one, other = buffers(some, N_LAYER, N_EMBD), buffers(shuffled, N_LAYER, N_EMBD)
    np.testing.assert_array_equal(dense(one.reply), dense(other.reply))
    np.testing.assert_array_equal(dense(one.prompt), dense(other.prompt))


@given(dials)
def test_dials_that_are_off_or_at_zero_are_nothing_at_all(some: list[Dial]) -> None:
    silent = [replace(dial, on=False) for dial in some] + [replace(dial, strength=0.0, on=True) for dial in some]
    off = buffers(silent, N_LAYER, N_EMBD)
    assert off.reply is None
    assert off.prompt is None


def test_a_dial_and_its_opposite_are_nothing_at_all() -> None:
    both = buffers([Dial(VECTORS[0], 1.5), Dial(VECTORS[0], -1.5)], N_LAYER, N_EMBD)
    assert both.reply is None


def test_scope_reply_leaves_the_prompt_alone_and_scope_everything_counts_in_both() -> None:
    mood, warmth = Dial(VECTORS[0], 1.0, scope="reply"), Dial(VECTORS[1], 1.0, scope="everything")
    assert buffers([mood], N_LAYER, N_EMBD).prompt is None
    both = buffers([mood, warmth], N_LAYER, N_EMBD)
    np.testing.assert_array_equal(dense(both.prompt), dense(buffers([warmth], N_LAYER, N_EMBD).reply))
    np.testing.assert_array_equal(dense(both.reply), dense(both.prompt) + dense(buffers([mood], N_LAYER, N_EMBD).reply))


def test_a_buffer_has_the_full_length_that_llama_cpp_wants() -> None:
    reply = buffers([Dial(VECTORS[0], 1.0)], N_LAYER, N_EMBD).reply
    assert reply is not None
    assert reply.shape == ((N_LAYER - 1) * N_EMBD,)
    assert reply.dtype == np.float32
    assert reply.flags.c_contiguous


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), float("-inf")])
def test_a_strength_that_is_not_a_finite_number_is_refused(strength: float) -> None:
    with pytest.raises(DialError, match=r'strength of "mood" is .* must be a finite number'):
        Dial(VECTORS[0], strength)


def test_a_strength_too_large_for_float32_is_refused() -> None:
    with pytest.raises(DialError, match=r'1e\+40 of "mood" is too large'):
        buffers([Dial(VECTORS[0], 1e40), Dial(VECTORS[1], 1.0)], N_LAYER, N_EMBD)


def test_an_unknown_scope_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DialError, match='no scope "all"; scopes are reply, everything, prompt-start'):
        Dial(VECTORS[0], 1.0, scope=cast(Scope, "all"))


def test_a_vector_without_positions_cannot_act_at_the_front_of_a_prompt() -> None:
    with pytest.raises(DialError, match="use reply or everything, or make it from two texts"):
        buffers([Dial(VECTORS[0], 1.0, scope="prompt-start")], N_LAYER, N_EMBD)


def test_the_front_of_a_prompt_gets_each_position_s_own_directions_beside_what_acts_everywhere() -> None:
    rows = np.arange(3 * N_EMBD, dtype=np.float32).reshape(3, N_EMBD)
    fronted = replace(VECTORS[0], front={2: rows, 3: rows[:1]})
    other = Dial(VECTORS[1], 0.5, layers=(2,), scope="everything")
    mixed = buffers([Dial(fronted, 2.0, layers=(2, 3), scope="prompt-start"), other], N_LAYER, N_EMBD)
    assert len(mixed.front) == 3
    for position, buffer in enumerate(mixed.front):
        assert buffer is not None
        layers = buffer.reshape(N_LAYER - 1, N_EMBD)
        np.testing.assert_allclose(layers[1], 2 * rows[position] + 0.5 * VECTORS[1].directions[2], rtol=1e-6)
        np.testing.assert_allclose(layers[2], 2 * rows[0] if position == 0 else np.zeros(N_EMBD), rtol=1e-6)
    alone = buffers([other], N_LAYER, N_EMBD)
    np.testing.assert_array_equal(mixed.prompt, alone.prompt)
    np.testing.assert_array_equal(mixed.reply, alone.reply)


def test_a_layer_without_a_direction_is_refused() -> None:
    with pytest.raises(DialError, match='"mood" has no direction for layer 9; its layers are 1 to 7'):
        Dial(VECTORS[0], 1.0, layers=(3, 9))
    with pytest.raises(DialError, match="has no layers"):
        Dial(VECTORS[0], 1.0, layers=())


@pytest.mark.parametrize(("n_layer", "n_embd"), [(N_LAYER, 8), (4, N_EMBD)])
def test_a_vector_of_another_size_is_refused(n_layer: int, n_embd: int) -> None:
    with pytest.raises(VectorError, match="does not fit a model"):
        buffers([Dial(VECTORS[0], 1.0)], n_layer, n_embd)
