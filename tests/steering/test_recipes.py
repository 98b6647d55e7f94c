"""Recipes: what each form expands to, and one clear sentence for each way to get one wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.recipes import MAX_PAIRS, parse_recipe, read_recipe

HEAD = 'description = "Sad to happy."\n[poles]\npositive = "happy"\nnegative = "sad"\n'
PERSONAS = '[[personas]]\npositive = ["You are happy."]\nnegative = ["You are sad."]\nmessages = ["Hi"]\n'


def expand(text: str) -> ContrastSet:
    return parse_recipe(text, "mood").contrast_set()


def test_personas_are_multiplied_with_messages_and_beginnings_and_pairs_stay_matched() -> None:
    contrast = expand(
        HEAD
        + """
        [[personas]]
        positive = ["You are happy.", "Be merry."]
        negative = ["You are sad.", "Be gloomy."]
        messages = ["Hello", "How are you?", "Bye"]
        beginnings = ["", "I think"]
        """
    )
    assert len(contrast.pairs) == 2 * 3 * 2
    matched = {"You are happy.": "You are sad.", "Be merry.": "Be gloomy."}
    for pair in contrast.pairs:
        assert isinstance(pair.positive, tuple)
        assert isinstance(pair.negative, tuple)
        assert matched[pair.positive[0].content] == pair.negative[0].content
        assert pair.positive[1:] == pair.negative[1:]
        assert pair.position == "last"
    assert contrast.pairs[1].positive == (
        Message("system", "You are happy."),
        Message("user", "Hello"),
        Message("assistant", "I think"),
    )


def test_templates_say_where_the_wording_stands_and_other_braces_stay() -> None:
    contrast = expand(
        HEAD
        + """
        [[personas]]
        positive = ["happily {message}"]
        negative = ["sadly"]
        messages = ["What is {x} in {persona}?"]
        beginnings = ["Well"]
        system = ""
        user = "{message} Answer {persona}."
        reply = "{beginning}, {"
        """
    )
    assert contrast.pairs[0].positive == (
        Message("user", "What is {x} in {persona}? Answer happily {message}."),
        Message("assistant", "Well, {"),
    )


def test_an_empty_wording_is_a_prompt_without_a_persona() -> None:
    contrast = expand(HEAD + '[[personas]]\npositive = ["You love weddings."]\nnegative = [""]\nmessages = ["Hi"]\n')
    assert contrast.pairs[0].negative == (Message("user", "Hi"),)


def test_explicit_pairs_are_taken_as_they_are() -> None:
    contrast = expand(
        HEAD
        + """
        [[pairs]]
        positive = [{ user = "Hi" }, { assistant = "Hello!" }, { user = "How are you?" }, { assistant = "Great" }]
        negative = [{ user = "Hi" }, { assistant = "Hello!" }, { user = "How are you?" }, { assistant = "Awful" }]
        read = "reply"
        """
    )
    (pair,) = contrast.pairs
    assert pair.position == "reply"
    assert pair.negative[-1] == Message("assistant", "Awful")
    assert [message.role for message in pair.positive if isinstance(message, Message)] == ["user", "assistant"] * 2


def test_each_question_is_asked_with_the_positive_answer_as_a_and_as_b() -> None:
    contrast = expand(
        HEAD
        + """
        [[questions]]
        ask = [{ question = "Nice day?", positive = "Lovely.", negative = "Dreadful." }]
        """
    )
    first, second = contrast.pairs
    assert first.position == second.position == "letter"
    assert first.positive == (Message("user", "Nice day?\n\n(A) Lovely.\n(B) Dreadful."), Message("assistant", "(A"))
    assert first.negative == (Message("user", "Nice day?\n\n(A) Lovely.\n(B) Dreadful."), Message("assistant", "(B"))
    assert second.positive == (Message("user", "Nice day?\n\n(A) Dreadful.\n(B) Lovely."), Message("assistant", "(B"))


def test_plain_texts_are_matched_and_followed_by_each_ending() -> None:
    contrast = expand(
        HEAD + '[[texts]]\npositive = ["I love"]\nnegative = ["I hate"]\nendings = [" rain", " you because"]\n'
    )
    assert [(pair.positive, pair.negative) for pair in contrast.pairs] == [
        ("I love rain", "I hate rain"),
        ("I love you because", "I hate you because"),
    ]


def test_one_recipe_may_hold_several_sets_in_the_order_of_the_file() -> None:
    contrast = expand(
        HEAD + '[[texts]]\npositive = ["Joy"]\nnegative = ["Woe"]\n' + PERSONAS + PERSONAS.replace("Hi", "Bye")
    )
    assert [
        pair.positive if isinstance(pair.positive, str) else pair.positive[-1].content for pair in contrast.pairs
    ] == [
        "Joy",
        "Hi",
        "Bye",
    ]


def test_a_recipe_is_named_after_its_file_and_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "mood.toml"
    path.write_text("\ufeff" + HEAD + PERSONAS, encoding="utf-8")
    assert read_recipe(path).name == "mood"


def test_line_endings_do_not_change_the_digest(tmp_path: Path) -> None:
    text = HEAD + PERSONAS.replace('"Hi"', '"""Hi\nthere"""')
    unix, windows = tmp_path / "unix.toml", tmp_path / "windows.toml"
    unix.write_bytes(text.encode())
    windows.write_bytes(text.replace("\n", "\r\n").encode())
    assert read_recipe(unix).digest == read_recipe(windows).digest


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + "[[personas]\n", r"syntax error: .*line 5"),
        ("", 'has no "description"'),
        ('description = "x"\n' + PERSONAS, 'has no "poles"'),
        (HEAD, "is empty"),
        (HEAD.replace('"sad"', '"happy"') + PERSONAS, "two different ends"),
        (HEAD.replace('"sad"', '""') + PERSONAS, "has no name"),
        (HEAD.replace('"sad"', "3") + PERSONAS, '"negative" of .* must be a text'),
        (HEAD + PERSONAS.replace('["You are sad."]', "[]"), "one-sided; write something for the negative pole"),
        (HEAD + PERSONAS.replace('negative = ["You are sad."]', ""), "one-sided"),
        (HEAD + PERSONAS.replace('"You are happy."', "").replace('"You are sad."', ""), "is empty"),
        (HEAD + PERSONAS.replace("sad", "happy"), "for both poles"),
        (HEAD + PERSONAS.replace('"You are sad."', '"You are sad.", "Be sad."'), "1 positive but 2 negative"),
        (HEAD + PERSONAS.replace('["Hi"]', "[]"), "no user messages"),
        (HEAD + PERSONAS.replace('messages = ["Hi"]', ""), 'has no "messages"'),
        (HEAD + PERSONAS.replace('["Hi"]', "[1]"), "must be a list of texts"),
        (HEAD + PERSONAS + "beginnings = []\n", '"beginnings" of .* is empty'),
        (HEAD + PERSONAS + 'system = "Be nice."\n', "{persona}"),
        (HEAD + PERSONAS + 'user = "Hello"\n', "{message}"),
        (HEAD + PERSONAS + 'read = "middle"\n', "it can be last or letter or reply"),
        (HEAD + PERSONAS + 'read = "reply"\n', "no beginning of a reply"),
        (HEAD + PERSONAS.replace("messages", "mesages"), 'unknown key "mesages"; did you mean "messages"'),
        (HEAD + PERSONAS + 'colour = "red"\n', 'unknown key "colour"; it may hold'),
        ('colour = "red"\n' + HEAD + PERSONAS, 'unknown key "colour"'),
        (HEAD + 'colour = "red"\n' + PERSONAS, 'unknown key "colour"'),
        (HEAD + "[personas]\n", "list of tables"),
        (HEAD + '[[pairs]]\npositive = [{ user = "Hi" }]\n', "one-sided"),
        (HEAD + "[[pairs]]\n", "is empty"),
        (HEAD + '[[pairs]]\npositive = [{ robot = "Hi" }]\nnegative = []\n', "is not one of"),
        (HEAD + '[[pairs]]\npositive = [{ user = "Hi" }]\nnegative = [{ user = "Hi" }]\n', "are the same"),
        (HEAD + "[[questions]]\n", "asks nothing"),
        (HEAD + '[[questions]]\nask = [{ question = "?", positive = "a", negative = "a" }]\n', "the same"),
        (HEAD + '[[questions]]\nask = [{ question = "?", positive = "a" }]\n', 'Question 1 has no "negative"'),
        (
            HEAD
            + '[[questions]]\ntemplate = "{question}"\nask = [{ question = "?", positive = "a", negative = "b" }]\n',
            "lacks {a}",
        ),
        (
            HEAD + '[[questions]]\nreply = "("\nask = [{ question = "?", positive = "a", negative = "b" }]\n',
            "lacks {letter}",
        ),
        (HEAD + '[[texts]]\npositive = ["a"]\nnegative = ["b"]\nread = "reply"\n', "it can be last or letter"),
        (HEAD + '[[texts]]\npositive = ["a"]\nnegative = ["b"]\nendings = []\n', '"endings" of .* is empty'),
        (HEAD + "[[texts]]\n", "is empty"),
        pytest.param(HEAD + f"deep = {'[' * 5000}{']' * 5000}\n", "syntax error", id="too deep"),
    ],
)
def test_a_wrong_recipe_gets_one_sentence_that_names_it(text: str, complaint: str) -> None:
    with pytest.raises(RecipeError, match=complaint) as refused:
        expand(text)
    message = str(refused.value)
    assert '"mood"' in message
    assert "\n" not in message


def test_a_recipe_that_would_make_too_many_pairs_is_refused_before_it_makes_them() -> None:
    many = ", ".join(f'"{number}"' for number in range(300))
    text = HEAD + PERSONAS.replace('"Hi"', many) + f"beginnings = [{many}]\n"
    with pytest.raises(RecipeError, match=f"makes 90,000 pairs; .*at most {MAX_PAIRS:,}"):
        expand(text)


def test_a_missing_file_a_folder_and_a_binary_file_are_told_apart(tmp_path: Path) -> None:
    binary = tmp_path / "model.toml"
    binary.write_bytes(b"GGUF\xff\xfe\x00")
    for path, complaint in (
        (tmp_path / "no.toml", "no recipe at"),
        (tmp_path, "folder"),
        (binary, "is a GGUF file, a model or a vector, not a recipe"),
    ):
        with pytest.raises(RecipeError, match=complaint):
            read_recipe(path)


def test_a_file_far_too_large_for_a_recipe_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(RecipeError, match="more than 8 MB"):
        read_recipe(path)
