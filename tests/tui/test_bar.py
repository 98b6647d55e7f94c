"""The bar of a dial."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from localsteer.tui.bar import Cell, Reach, bar, value_at


def filled(cells: tuple[Cell, ...]) -> float:
    """How many characters of a bar are painted, fractions included."""
    eighths = " ▏▎▍▌▋▊▉█"
    total = 0
    for cell in cells:
        if cell.character not in eighths:
            continue
        part = eighths.index(cell.character)
        total += (
            part
            if cell.front in {"positive", "negative", "careful", "broken"}
            else (8 - part if cell.back != "track" else 0)
        )
    return total / 8


def plain_bar(value: float, width: int = 21) -> tuple[Cell, ...]:
    return bar(value, full=1.0, width=width)


def test_zero_paints_nothing_and_stands_in_the_middle() -> None:
    cells = plain_bar(0.0)
    assert filled(cells) == 0
    assert cells[10].front == "zero"


@given(st.floats(-1, 1), st.integers(3, 80))
def test_what_is_painted_is_proportional_to_an_eighth_of_a_character(value: float, width: int) -> None:
    half = (width - 1) // 2
    painted = filled(plain_bar(value, width))
    assert abs(painted - abs(value) * half) <= 1 / 8


@given(st.floats(-1, 1))
def test_the_negative_half_mirrors_the_positive_one(value: float) -> None:
    assert filled(plain_bar(value)) == filled(plain_bar(-value))


def test_however_small_a_strength_is_it_can_be_seen() -> None:
    assert filled(plain_bar(0.0001)) > 0
    assert filled(plain_bar(-0.0001)) > 0


def test_past_the_end_the_bar_is_full() -> None:
    assert filled(plain_bar(5.0)) == 10


def test_past_the_recommended_strength_the_colour_changes() -> None:
    half = Reach(recommended=0.5)
    cells = bar(1.0, full=1.0, low=half, high=half, width=21)
    assert [cell.front for cell in cells[11:]] == ["positive"] * 5 + ["careful"] * 5
    cells = bar(-1.0, full=1.0, low=half, high=half, width=21)
    assert [cell.front for cell in cells[:10]] == ["careful"] * 5 + ["negative"] * 5


def test_where_it_was_measured_the_colours_say_what_is_safe_careful_and_broken() -> None:
    cells = bar(1.0, full=1.0, high=Reach(recommended=0.2, safe=0.5, careful=0.8), width=21)
    assert [cell.front for cell in cells[11:]] == ["positive"] * 5 + ["careful"] * 3 + ["broken"] * 2
    cells = bar(-1.0, full=1.0, low=Reach(safe=0.5, careful=3.0), width=21)
    assert [cell.front for cell in cells[:10]] == ["careful"] * 5 + ["negative"] * 5


def test_recommended_strengths_are_marked_on_the_empty_track() -> None:
    marks = [
        column
        for column, cell in enumerate(bar(0, full=1.0, low=Reach(0.5), high=Reach(0.8), width=21))
        if cell.character in "▕▏"
    ]
    assert marks == [5, 18]


@given(st.floats(-1, 1), st.integers(5, 80))
def test_a_click_where_the_bar_ends_sets_about_that_value(value: float, width: int) -> None:
    half = (width - 1) // 2
    column = half + round(value * half)
    assert abs(value_at(column, full=1.0, width=width) - value) <= 0.5 / half + 1e-9


def test_a_drag_past_the_ends_stays_within_them() -> None:
    assert value_at(-40, full=2.0, width=21) == -2.0
    assert value_at(400, full=2.0, width=21) == 2.0
