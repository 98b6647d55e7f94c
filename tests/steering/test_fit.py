"""A vector for a model of another size is refused, for another family of the same size warned about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localsteer.errors import VectorError
from localsteer.steering.vector import ModelStamp, SteeringVector
from tests.steering.vectors import N_EMBD, STAMP, directions, make


def test_the_model_it_was_made_for_fits() -> None:
    assert make().check_fits(STAMP) is None


def test_another_quantisation_or_fine_tune_of_the_family_fits() -> None:
    assert make().check_fits(replace(STAMP, name="Tiny Llama Q4_K_M", model_id="file-2")) is None


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (replace(STAMP, name="Big", n_embd=32), "is 16 wide and Big is 32 wide: it was made for Tiny Llama"),
        (replace(STAMP, n_layer=16), "made for 8 layers and Tiny Llama has 16"),
        (replace(STAMP, n_layer=4), "made for 8 layers and Tiny Llama has 4"),
    ],
)
def test_a_model_of_another_size_is_refused(model: ModelStamp, complaint: str) -> None:
    with pytest.raises(VectorError, match=complaint) as refused:
        make().check_fits(model)
    assert "Make it again for" in str(refused.value)


@pytest.mark.parametrize("other", [replace(STAMP, architecture="qwen2"), replace(STAMP, vocabulary="vocabulary-2")])
def test_another_family_of_the_same_size_is_warned_about(other: ModelStamp) -> None:
    warning = make().check_fits(other)
    assert warning is not None
    assert "another family of the same size" in warning


def test_a_vector_that_does_not_say_where_it_comes_from_is_warned_about_and_must_not_reach_past_the_last_layer() -> (
    None
):
    stranger = SteeringVector("stranger", "", "", directions(0), ModelStamp(n_embd=N_EMBD))
    warning = stranger.check_fits(STAMP)
    assert warning is not None
    assert "does not say which model" in warning
    with pytest.raises(VectorError, match="steers layer 7, but the last layer of Tiny Llama is 5"):
        stranger.check_fits(replace(STAMP, n_layer=6))
