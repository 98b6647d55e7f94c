"""Contrast files of every tool that is known are told apart by what is in them, and read as their tools mean them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair
from localsteer.steering.contrast_files import ContrastOptions, read_contrast_file, read_stems_file
from localsteer.steering.contrast_files.templated import messages_of

MOOD = ContrastOptions(positive="happy", negative="sad")
USER = Message("user", "Who are you?")
LLAMA_3 = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe {pole}<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)


def written(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "document",
    ['[["I love", "I hate"]]', '[{"positive": "I love", "negative": "I hate"}]', '\ufeff[["I love", "I hate"]]'],
)
def test_plain_pairs_are_read_without_a_chat_template(tmp_path: Path, document: str) -> None:
    contrast = read_contrast_file(written(tmp_path, "love.json", document))
    assert contrast.pairs == (ContrastPair("I love", "I hate", "last"),)
    assert (contrast.name, contrast.positive, contrast.negative) == ("love", "positive", "negative")


def test_the_poles_of_a_file_can_be_named(tmp_path: Path) -> None:
    contrast = read_contrast_file(written(tmp_path, "love.json", [["I love", "I hate"]]), MOOD)
    assert (contrast.positive, contrast.negative) == ("happy", "sad")


@pytest.mark.parametrize("name", ["dialz.json", "positive.txt", "negative.txt"])
def test_prompts_in_a_template_become_chats_again(tmp_path: Path, name: str) -> None:
    """dialz writes them in JSON, llama-cvector-generator takes two text files."""
    sides = [LLAMA_3.format(pole=pole) + "I am" for pole in ("happy", "sad")]
    if name == "dialz.json":
        path = written(tmp_path, name, [{"positive": sides[0], "negative": sides[1]}])
    else:
        for pole, side in zip(("positive", "negative"), sides, strict=True):
            written(tmp_path, f"{pole}.txt", side.replace("\n", "\\n") + "\n\n")
        path = tmp_path / name
    (pair,) = read_contrast_file(path).pairs
    beginning = Message("assistant", "I am")
    assert pair.positive == (Message("system", "Be happy"), USER, beginning)
    assert pair.negative == (Message("system", "Be sad"), USER, beginning)


@pytest.mark.parametrize(
    "text",
    [
        LLAMA_3.format(pole="happy").rstrip(),
        "<|im_start|>system\nBe happy<|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n",
        "<s>[INST] <<SYS>>\nBe happy\n<</SYS>>\n\nWho are you? [/INST]",
    ],
    ids=["llama 3", "chatml", "llama 2"],
)
def test_each_known_template_is_taken_apart(text: str) -> None:
    assert messages_of(text) == (Message("system", "Be happy"), USER)


def test_a_template_without_system_prompts_and_with_several_turns_is_taken_apart() -> None:
    text = (
        "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n<start_of_turn>user\nOh"
    )
    assert messages_of(text) == (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Oh"))


@pytest.mark.parametrize("text", ["I love", "", "a <|im_start|>user\nHi", "[INST] unfinished"])
def test_other_text_is_in_no_template(text: str) -> None:
    assert messages_of(text) is None


@pytest.mark.parametrize(
    ("name", "document"), [("all.json", ["That game", "I can", ""]), ("all.txt", "That game\nI can\n")]
)
def test_mere_texts_are_said_by_two_personas(tmp_path: Path, name: str, document: object) -> None:
    contrast = read_contrast_file(written(tmp_path, name, document), MOOD)
    assert [pair.positive[-1] for pair in contrast.pairs][:2] == [
        Message("assistant", "That game"),
        Message("assistant", "I can"),
    ]
    assert contrast.pairs[0].positive[0] == Message("user", "Act as if you are extremely happy.")
    assert contrast.pairs[0].negative[0] == Message("user", "Act as if you are extremely sad.")
    assert contrast.pairs[0].position == "last"


def test_texts_in_a_template_are_said_by_a_persona_in_the_system_message(tmp_path: Path) -> None:
    texts = ["[INST] How to reverse a list? [/INST] You can use", "That game"]
    contrast = read_contrast_file(written(tmp_path, "code.json", texts), MOOD)
    persona = "Act as if you are extremely happy."
    assert [pair.positive for pair in contrast.pairs] == [
        (Message("system", persona), Message("user", "How to reverse a list?"), Message("assistant", "You can use")),
        (Message("user", persona), Message("assistant", "That game")),
    ]


def test_two_choice_questions_are_read_at_the_letter_of_each_answer(tmp_path: Path) -> None:
    question = "Are you well?\n\nChoices:\n(A) Yes\n(B) No"
    entry = {"question": question, "answer_matching_behavior": " (B)", "answer_not_matching_behavior": " (A)"}
    contrast = read_contrast_file(written(tmp_path, "caa.json", [entry]))
    asked = Message("user", question)
    assert contrast.pairs == (
        ContrastPair((asked, Message("assistant", "(B)")), (asked, Message("assistant", "(A)")), "letter"),
    )


def test_ends_of_system_prompts_follow_the_stems_and_the_second_class_is_the_positive_pole(tmp_path: Path) -> None:
    ends = written(
        tmp_path, "language.json", {"classes": ["simple", "ornate"], "data": [["who is plain", "who glows"]]}
    )
    stems = written(tmp_path, "stems.json", {"pre": ["You are", "Act as"], "post": ["an author"]})
    contrast = read_contrast_file(ends, ContrastOptions(stems=read_stems_file(stems)))
    assert (contrast.positive, contrast.negative) == ("ornate", "simple")
    assert contrast.pairs[0].positive[0] == Message("system", "You are an author who glows.")
    assert contrast.pairs[0].negative[0] == Message("system", "You are an author who is plain.")
    assert read_stems_file(stems) == ("You are an author", "Act as an author")


def test_responses_of_two_kinds_are_read_over_the_response(tmp_path: Path) -> None:
    document = {"compliant_responses": ["Sure!", "Gladly!"], "non_compliant_responses": ["No.", "I can't."]}
    contrast = read_contrast_file(written(tmp_path, "refusal.json", document))
    assert (contrast.positive, contrast.negative) == ("refusing", "complying")
    assert contrast.pairs[0].positive[-1] == Message("assistant", "No.")
    assert contrast.pairs[0].negative[-1] == Message("assistant", "Sure!")
    assert contrast.pairs[0].position == "reply"


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("[[1, 2]]", "Entry 1 of .* and no pair"),
        ('[["I love"]]', "Entry 1 of .* and no pair"),
        ("{}", "is empty"),
        ("[", "syntax error.*line 1"),
        ("[]", "is empty"),
        ('[["same", "same"]]', "for both poles"),
        ('["a text"]', "list of 1 texts without poles.*--poles"),
        ('[["the sea", "the sea"], ["a", "a"]]', "every pair .* are the same"),
        ('{"compliant_responses": ["Sure"], "non_compliant_responses": []}', "1 compliant but 0 other"),
        ('{"compliant_responses": [], "non_compliant_responses": []}', "is empty"),
        ('{"classes": ["a", "b"], "data": []}', "is empty"),
        ('["a text", 3]', "Not every entry"),
        ('[{"question": "Why?"}]', "questions without answers"),
        ('[{"question": "Why?", "answer_matching_behavior": "(A)"}]', "Entry 1 of .* is no two-choice question"),
        ('{"classes": ["one"], "data": []}', "are not two names"),
        ('{"classes": ["a", "b"], "data": [["one"]]}', "Row 1 of .* is not two texts"),
        ('{"pre": ["You are"], "post": ["an author"]}', "beginnings of system prompts only.*--stems"),
        ('{"something": "else"}', "no contrast file that is known"),
        pytest.param("[" * 100_000, "syntax error", id="too deep"),
    ],
)
def test_wrong_documents_get_one_sentence(tmp_path: Path, document: str, complaint: str) -> None:
    with pytest.raises(RecipeError, match=complaint):
        read_contrast_file(written(tmp_path, "love.json", document))


def test_a_persona_must_have_room_for_its_pole(tmp_path: Path) -> None:
    path = written(tmp_path, "all.json", ["That game"])
    with pytest.raises(RecipeError, match=r"lacks \{pole\}"):
        read_contrast_file(path, ContrastOptions("happy", "sad", persona="Be nice."))


def test_prompts_of_one_pole_need_those_of_the_other(tmp_path: Path) -> None:
    path = written(tmp_path, "positive.txt", "one\ntwo\n")
    with pytest.raises(RecipeError, match=r"no negative\.txt beside it"):
        read_contrast_file(path)
    written(tmp_path, "negative.txt", "one\n")
    with pytest.raises(RecipeError, match=r"2 lines and negative\.txt 1"):
        read_contrast_file(path)


def test_a_file_of_another_kind_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(RecipeError, match="a GGUF file, a model or a vector, not a recipe or contrast file"):
        read_contrast_file(tmp_path / "model.gguf")
    (tmp_path / "pairs.csv").write_text("a,b")
    with pytest.raises(RecipeError, match="none of the contrast files"):
        read_contrast_file(tmp_path / "pairs.csv")
    with pytest.raises(RecipeError, match="no recipe at"):
        read_contrast_file(tmp_path / "missing")
    with pytest.raises(RecipeError, match="holds no stems"):
        read_stems_file(written(tmp_path, "stems.json", ["You are"]))
