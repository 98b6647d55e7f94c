"""Expressions: what a text says, one way to write it, and where a wrong one goes wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.errors import ExpressionError
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.expressions import Expression, Named, Sum, Term, Without, scaled

MOOD, REGISTER, SEA = Named("mood"), Named("register"), Named("sea")

names = st.builds(
    Named, st.sampled_from(["mood", "register", "Love-Hate", "vectors/own.gguf", "without", "the sea", "3d", "Grüße"])
)
factors = st.floats(-1e6, 1e6).map(lambda number: round(number, 6))
terms: st.SearchStrategy[Term] = st.recursive(
    names,
    lambda inner: st.one_of(
        st.builds(scaled, factors, inner), st.builds(Sum, inner, inner), st.builds(Without, inner, inner)
    ),
    max_leaves=8,
)
layers = st.none() | st.sets(st.integers(1, 99), min_size=1).map(lambda numbers: tuple(sorted(numbers)))
scopes = st.sampled_from([None, "reply", "everything", "prompt-start"])


@given(st.builds(Expression, terms, layers, scopes))
def test_what_an_expression_is_written_as_says_the_same(expression: Expression) -> None:
    assert parse_expression(str(expression)) == expression


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mood", MOOD),
        ("mood*1.2 - 0.5*register", Sum(scaled(1.2, MOOD), scaled(-0.5, REGISTER))),
        ("mood×1.2 − 0.5×register", Sum(scaled(1.2, MOOD), scaled(-0.5, REGISTER))),
        ("-mood", scaled(-1, MOOD)),
        ("--mood", MOOD),
        ("-(2*-mood)", scaled(2, MOOD)),
        ("2*(1 + 0.5)*mood", scaled(3, MOOD)),
        ("mood + register + sea", Sum(Sum(MOOD, REGISTER), SEA)),
        ("mood without register", Without(MOOD, REGISTER)),
        ("mood + sea without register", Sum(MOOD, Without(SEA, REGISTER))),
        ("(mood + sea) without register", Without(Sum(MOOD, SEA), REGISTER)),
        ("2*mood without register", Without(scaled(2, MOOD), REGISTER)),
        ("'Love-Hate' + \"a b\"", Sum(Named("Love-Hate"), Named("a b"))),
        ("mood.gguf", Named("mood.gguf")),
    ],
)
def test_operators_bind_as_in_algebra_and_without_binds_like_a_product_of_products(text: str, said: Term) -> None:
    assert parse_expression(text) == Expression(said)


@pytest.mark.parametrize(
    ("text", "chosen_layers", "scope"),
    [
        ("mood @layers 7-9", (7, 8, 9), None),
        ("mood @layers 7, 9", (7, 9), None),
        ("mood @layers 7 @scope everything", (7,), "everything"),
        ("mood@scope prompt-start@layers 7", (7,), "prompt-start"),
    ],
)
def test_layers_and_scope_may_follow(text: str, chosen_layers: tuple[int, ...], scope: str | None) -> None:
    expression = parse_expression(text)
    assert (expression.layers, expression.scope) == (chosen_layers, scope)


def test_names_come_once_each_in_the_order_of_the_text() -> None:
    assert parse_expression("sea + 2*mood - (sea without register)").names == ("sea", "mood", "register")
    assert parse_expression(' "the sea" ').single_name == "the sea"
    assert parse_expression("mood @layers 3").single_name is None


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", 0, "at the end"),
        ("mood ** 2", 6, "at character 7 (* 2)"),
        ("mood -", 6, "at the end"),
        ("mood register", 5, "an operator is missing"),
        ("(mood + sea", 11, 'the ")" for the "(" at character 1'),
        ("mood)", 4, "an operator is missing"),
        ("mood + 2", 5, "a number and a vector cannot be added"),
        ("mood*register", 4, "two vectors cannot be multiplied"),
        ("mood without 2", 5, "between two vectors"),
        ("1 + 2", 0, "no vector"),
        ("1e999*mood", 0, "too large"),
        ("1e300*1e300*mood", 11, "too large"),
        ("2d + mood", 0, "in quotes"),
        ("mood / 2", 5, "no division"),
        ("mood ^ 2", 5, "^ means nothing"),
        ('mood + "sea', 7, "never closed"),
        ('mood + ""', 7, "a name is empty"),
        ("mood @layers x", 13, "names no layers"),
        ("mood @layers 9-7", 13, "runs backwards"),
        ("mood @scope all", 12, "reply, everything or prompt-start"),
        ("mood @layers 3 @layers 4", 15, "given twice"),
        ("mood @when 3", 5, "only @layers and @scope"),
        ("(" * 60 + "mood" + ")" * 60, 40, "too deeply"),
        ("mood+" * 500 + "mood", 0, "too long"),
    ],
)
def test_a_wrong_text_is_told_in_one_sentence_that_points_at_the_place(text: str, at: int, words: str) -> None:
    with pytest.raises(ExpressionError) as told:
        parse_expression(text)
    assert told.value.at == at
    assert words in str(told.value)
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)


@given(st.text(alphabet="ab12.-+*()\"'@ without", max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionError as error:
        assert 0 <= error.at <= len(text)  # noqa: PT017
    else:
        assert parse_expression(str(expression)) == expression
