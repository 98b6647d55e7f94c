"""Titles by the model: what is one, what is none, and that nobody waits for them."""

from __future__ import annotations

import pytest

from localsteer.engine import titles
from localsteer.engine.engine import Engine
from localsteer.engine.protocol import Event, Finished, Generate, MakeTitle, Sampling, Stopped, TitleMade, Turn
from localsteer.engine.titles import title_in
from localsteer.errors import PromptError

ASKED = (Turn("system", "You are happy."), Turn("user", "Tell me about gardens."))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Gardens in the rain", "Gardens in the rain"),
        ('"Gardens in the Rain."', "Gardens in the Rain"),
        ("**Title:** Gardens, in short", "Gardens, in short"),
        ("# A day by the sea\n", "A day by the sea"),
        ("title: “Why dogs?”", "Why dogs?"),
        ("", ""),
        ("...", ""),
        ("A title\nand an explanation of it", ""),
        ("I like gardens. I walk there.", ""),
        ("This is a very long answer to a short wish", ""),
        ("\x1b[31mred\x1b[0m", ""),
        ("Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle", ""),
    ],
)
def test_a_title_is_a_line_of_a_few_words(text: str, title: str) -> None:
    assert title_in(text) == title


def test_a_model_as_small_as_the_practice_model_gives_none(practice: Engine) -> None:
    assert list(practice.make_title(MakeTitle(3, ASKED))) == [TitleMade(3, "")]


def test_the_answer_to_the_wish_is_judged_and_the_chats_cache_is_untouched(
    practice: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(titles, "_TOO_SMALL", 0)
    list(practice.generate(Generate(1, ASKED, (), Sampling(max_tokens=4))))
    judged: list[str] = []
    monkeypatch.setattr(titles, "_TOKENS", 200)

    def judge(text: str) -> str:
        judged.append(text)
        return "A title"

    monkeypatch.setattr(titles, "title_in", judge)
    assert list(practice.make_title(MakeTitle(3, ASKED))) == [TitleMade(3, "A title")]
    assert len(judged[0].split()) > 1
    again = list(practice.generate(Generate(1, ASKED, (), Sampling(max_tokens=4))))[-1]
    assert isinstance(again, Finished)
    assert again.prompt_tokens_evaluated == 0


def test_an_answer_that_does_not_end_is_no_title(practice: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(titles, "_TOO_SMALL", 0)
    monkeypatch.setattr(titles, "_TOKENS", 2)
    assert list(practice.make_title(MakeTitle(3, ASKED))) == [TitleMade(3, "")]


def test_anything_else_goes_first(practice: Engine) -> None:
    said: list[Event] = []
    ticket = practice.control.ticket()
    practice.control.ticket()
    practice.carry_out(MakeTitle(7, ASKED), said.append, ticket)
    assert said == [Stopped(7)]


def test_of_nothing_there_is_no_title(practice: Engine) -> None:
    with pytest.raises(PromptError):
        list(practice.make_title(MakeTitle(3, ASKED[:1])))
