"""``eval``: the papers' experiments from the command line, and what is said about bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TEXTS = [f"The {thing} is {how}." for thing in ("sea", "house", "water", "people") for how in ("old", "new", "here")]


def question(number: int) -> dict[str, str]:
    letters = ("(A)", "(B)") if number % 2 else ("(B)", "(A)")
    return {
        "question": f"What is it, number {number}?\n(A) It is so.\n(B) It is not.",
        "answer_matching_behavior": letters[0],
        "answer_not_matching_behavior": letters[1],
    }


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "things.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    return path


def test_a_document_holds_what_is_needed_to_repeat_it(localsteer: Run, random_bpe_model: Path, texts: Path) -> None:
    said = localsteer("eval", "pca", texts, "-m", random_bpe_model, "--components", 2, "--json")
    document = said.document
    assert (document["suite"], document["complete"], document["seed"]) == ("pca", True, 0)
    assert set(document["versions"]) >= {"localsteer", "llama-cpp-python", "numpy"}
    (digest,) = document["files"].values()
    assert len(digest) == 64
    assert len(document["tables"]["components"]) == 2
    assert document["facts"]["texts"] == len(TEXTS)
    again = localsteer("eval", "pca", texts, "-m", random_bpe_model, "--components", 2, "--json").document
    assert again["tables"] == document["tables"]


def test_directions_without_labels_are_dials(localsteer: Run, random_bpe_model: Path, texts: Path) -> None:
    localsteer("eval", "pca", texts, "-m", random_bpe_model, "--components", 1)
    listed = localsteer("vectors", "list", "-m", random_bpe_model)
    assert "things-1" in listed.out
    said = localsteer(
        "say", "water", "-m", random_bpe_model, "--dial", "things-1=4", "--max-tokens", 4, "--seed", 1, "--json"
    )
    assert said.document["dials"] == {"things-1": 4.0}


def test_letters_are_asked_and_tables_are_readable(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "stance.json"
    path.write_text(json.dumps([question(number) for number in range(20)]), encoding="utf-8")
    said = localsteer("eval", "caa", path, "-m", random_bpe_model, "--layers", "1-2", "--controls", 1)
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("caa on ")
    assert any("at minus" in line and "knowledge zero" in line for line in lines)
    assert any(line.startswith("stance") and " to " in line for line in lines)


def test_parts_that_are_done_are_not_done_again(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.json" for name in ("stance", "power")]
    for path in paths:
        path.write_text(json.dumps([question(number) for number in range(20)]), encoding="utf-8")
    options = ("-m", random_bpe_model, "--layers", "1", "--controls", 1, "--json")
    alone = localsteer("eval", "caa", paths[0], *options).document
    both = localsteer("eval", "caa", *paths, *options)
    assert both.err.count("was done before") == 1
    assert both.document["tables"]["letters"][0] == alone["tables"]["letters"][0]
    assert len(both.document["tables"]["letters"]) == 2
    assert "was done before" not in localsteer("eval", "caa", paths[0], *options, "--fresh").err
    # Another content is another part, whatever it is called.
    paths[0].write_text(json.dumps([question(number) for number in range(25)]), encoding="utf-8")
    changed = localsteer("eval", "caa", paths[0], *options)
    assert "was done before" not in changed.err
    assert changed.document["tables"]["letters"][0]["questions"] == 5


@pytest.mark.usefixtures("glad_at_hand")
def test_a_name_that_is_no_suite_is_measured_as_a_vector(localsteer: Run, random_bpe_model: Path) -> None:
    said = localsteer("eval", "glad", "-m", random_bpe_model, "--controls", 1, "--json")
    assert [row["strength"] for row in said.document["rows"]] == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pca", "nowhere.txt"), "There is no file nowhere.txt"),
        (("caa", "nowhere.json"), "There is no file"),
        (("several", "glad"), "at least two different recipes"),
        (("several", "glad", "glad"), "at least two different recipes"),
        (("actadd-sentiment", "x.txt"), "--words"),
        (("actadd-sentiment", "x.txt", "--words", "same/same"), "not two different texts"),
        (("breaking", "glad", "--strengths", "up"), "no grid of strengths"),
        (("breaking", "glad", "--strengths", "0"), "other than 0"),
        (("nothing-of-the-kind",), "no dial named"),
    ],
)
def test_bad_input_is_one_sentence(
    localsteer: Run, random_bpe_model: Path, arguments: tuple[str, ...], message: str
) -> None:
    said = localsteer("eval", *arguments, "-m", random_bpe_model)
    assert said.status == 2
    assert message in said.err
    assert said.err.strip().splitlines()[-1].startswith("localsteer: ")
    assert said.out == ""


def test_a_layer_out_of_range_is_one_sentence(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "stance.json"
    path.write_text(json.dumps([question(number) for number in range(20)]), encoding="utf-8")
    said = localsteer("eval", "caa", path, "-m", random_bpe_model, "--layers", "9")
    assert said.status == 2
    assert "Layer 9 cannot be steered" in said.err


def test_letters_that_are_no_single_tokens_are_refused(localsteer: Run, random_bpe_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "stance.json"
    written = [
        {**question(number), "answer_matching_behavior": "(First)", "answer_not_matching_behavior": "(Second)"}
        for number in range(20)
    ]
    path.write_text(json.dumps(written), encoding="utf-8")
    said = localsteer("eval", "caa", path, "-m", random_bpe_model)
    assert said.status == 2
    assert "single token" in said.err
