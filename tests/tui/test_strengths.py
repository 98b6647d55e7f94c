"""Strengths in words."""

from __future__ import annotations

from localsteer.engine.protocol import DialMark, DialSetting
from localsteer.tui.strengths import courses, signed


def mark(start: int, **strengths: float) -> DialMark:
    return DialMark(start, tuple(DialSetting(name, "", strength) for name, strength in strengths.items()))


def words(*marks: DialMark) -> list[str]:
    return [f"{course.name} {course.words}" for course in courses(marks)]


def test_numbers_have_a_sign_and_no_needless_zeros() -> None:
    assert [signed(value) for value in (1.2, -0.5, 0.0, 0.75, 2.0, -0.001)] == ["+1.2", "−0.5", "0", "+0.75", "+2", "0"]
    assert signed(1.2, 2) == "+1.20"
    # What a scene or an imported conversation may say takes no more room than any other.
    assert [signed(value) for value in (999.0, 1e30, -1e300)] == ["+999", "+1e+30", "−1e+300"]


def test_a_reply_under_one_setting_names_it() -> None:
    assert words(mark(0, mood=1.2, register=-0.8)) == ["mood +1.2", "register −0.8"]


def test_an_unsteered_reply_names_nothing() -> None:
    assert words() == []
    assert words(mark(0)) == []


def test_a_turn_in_mid_reply_is_an_arrow() -> None:
    assert words(mark(0, mood=1.2), mark(9, mood=-0.5)) == ["mood +1.2 → −0.5"]


def test_a_dial_that_comes_and_goes_starts_and_ends_at_zero() -> None:
    assert words(mark(0), mark(5, mood=1.0), mark(9)) == ["mood 0 → +1 → 0"]


def test_a_setting_that_no_token_was_written_under_is_not_told() -> None:
    assert words(mark(0, mood=0.1), mark(0, mood=0.2), mark(7, mood=0.3), mark(7, mood=0.4)) == ["mood +0.2 → +0.4"]


def test_another_dials_turn_does_not_repeat_this_ones_strength() -> None:
    assert words(mark(0, mood=1.0), mark(3, mood=1.0, sea=2.0)) == ["mood +1", "sea 0 → +2"]


def test_a_long_course_keeps_its_ends() -> None:
    marks = [mark(index, mood=index / 10) for index in range(1, 10)]
    assert words(*marks) == ["mood +0.1 → … → +0.8 → +0.9"]
