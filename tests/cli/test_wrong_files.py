"""Files of a wrong kind: named by what they are, wherever another kind was expected, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localsteer.steering.fit import ModelStamp
from tests.cli.conftest import RECIPE, Run, write_vector
from tests.random_models import write_vocabulary_only

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 133\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"
PAGE = "<!DOCTYPE html>\n<html><title>Sign in</title></html>"


def refused(localsteer: Run, *arguments: object) -> str:
    """The one line that the command says before it ends with status 2."""
    said = localsteer(*arguments)
    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1), said
    return said.err


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "name"),
    [(PNG, "a PNG picture"), (LFS, "a Git LFS pointer"), (PAGE, "an HTML page"), (b"PK\x03\x04", "a ZIP archive")],
    ids=["png", "lfs", "html", "zip"],
)
class TestOtherKinds:
    @pytest.mark.parametrize("ending", ["toml", "json", "txt", "gguf", "csv"])
    def test_where_contrasts_are_expected(
        self, localsteer: Run, tmp_path: Path, content: bytes | str, name: str, ending: str
    ) -> None:
        file = written(tmp_path / f"x.{ending}", content)
        message = refused(localsteer, "extract", file, "-o", tmp_path / "out.gguf")
        assert f"is {name}" in message
        assert "not a recipe or contrast file" in message

    @pytest.mark.parametrize("command", [("say", "Hi", "--model"), ("models", "info"), ("vectors", "import")])
    def test_where_a_model_or_vector_is_expected(
        self, localsteer: Run, tmp_path: Path, content: bytes | str, name: str, command: tuple[str, ...]
    ) -> None:
        message = refused(localsteer, *command, written(tmp_path / "x.gguf", content))
        assert f"is {name}" in message
        assert "not a GGUF file" in message

    def test_where_stems_are_expected(self, localsteer: Run, tmp_path: Path, content: bytes | str, name: str) -> None:
        stems = written(tmp_path / "stems.json", content)
        assert f"is {name}" in refused(localsteer, "extract", "glad", "--stems", stems)


def test_a_vector_where_a_recipe_is_expected(localsteer: Run, tmp_path: Path) -> None:
    vector = write_vector(tmp_path / "mood.gguf", ModelStamp(n_embd=8))
    assert "is a steering vector (GGUF), not a recipe" in refused(localsteer, "extract", vector)
    renamed = vector.rename(tmp_path / "mood.toml")
    assert "is a steering vector (GGUF), not a recipe" in refused(localsteer, "extract", renamed)


def test_a_model_where_a_recipe_is_expected(localsteer: Run, random_bpe_model: Path) -> None:
    assert "is a GGUF model (llama), not a recipe" in refused(localsteer, "extract", random_bpe_model)
    sweep = ("sweep", "glad", "--recipe", random_bpe_model, "-m", random_bpe_model)
    assert "is a GGUF model (llama), not a recipe" in refused(localsteer, *sweep)


def test_a_recipe_where_a_vector_or_a_model_is_expected(
    localsteer: Run, tmp_path: Path, random_bpe_model: Path
) -> None:
    recipe = written(tmp_path / "mood.toml", RECIPE)
    assert "is a recipe (TOML), not a GGUF file; `localsteer extract`" in refused(
        localsteer, "vectors", "import", recipe
    )
    assert "is a recipe (TOML)" in refused(localsteer, "say", "Hi", "--model", recipe)
    assert "is a recipe (TOML)" in refused(localsteer, "say", "Hi", "-m", random_bpe_model, "--dial", f"{recipe}=1")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"model_type": "llama", "hidden_size": 64}, 'JSON with the keys "model_type", "hidden_size", but no contrast'),
        ({str(number): number for number in range(9)}, "and 5 more"),
        ([{"prompt": "a", "completion": "b"}], 'JSON with the keys "prompt", "completion" and no pair'),
        ([[1, 2]], "a JSON list of 2 and no pair"),
        (3, "a JSON number"),
        (None, "the JSON value null"),
    ],
    ids=["configuration", "many keys", "completions", "numbers", "number", "null"],
)
def test_json_of_another_shape(localsteer: Run, tmp_path: Path, document: object, says: str) -> None:
    assert says in refused(localsteer, "extract", written(tmp_path / "x.json", json.dumps(document)))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("mood.json", RECIPE, "give its name the ending .toml"),
        ("pairs.jsonl", '["I love", "I hate"]\n', "give its name the ending .json"),
        ("pairs", RECIPE, "give its name the ending .toml"),
        ("pairs.json", '["I love", "I hate"]\n["a", "b"]\n', "JSON Lines"),
        ("pairs.csv", "I love,I hate\n", "none of the contrast files"),
        ("essay.txt", "Title: Weddings\n\nThey are many.\n", "is a plain text of 2 lines without poles"),
        ("positive.txt", "\n", "is empty"),
    ],
)
def test_texts_in_the_wrong_form(localsteer: Run, tmp_path: Path, name: str, content: str, says: str) -> None:
    assert says in refused(localsteer, "extract", written(tmp_path / name, content))


def test_a_vocabulary_alone_is_described_as_what_it_is(localsteer: Run, tmp_path: Path) -> None:
    file = write_vocabulary_only(tmp_path / "vocabulary.gguf")
    said = localsteer("models", "info", file)
    assert said.status == 0
    assert "no weights" in said.out
    assert "found out by trying" not in said.out
    document = localsteer("models", "info", file, "--json").document
    assert "no weights" in document["problem"]
    assert document["n_vocab"] > 0
