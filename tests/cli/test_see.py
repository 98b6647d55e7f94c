"""``localsteer vectors see``: a text coloured by how far each token leans."""

from __future__ import annotations

import html
import importlib.util
import re
import sys
from pathlib import Path

import pytest

from localsteer.cli.heat import Heat, Passage, as_terminal_text
from localsteer.cli.heat_page import as_html
from localsteer.engine.protocol import Reading
from tests.cli.conftest import Run, stamp, write_vector

TEXT = "the people find the word"


@pytest.fixture
def vector(random_bpe_model: Path, tmp_path: Path) -> Path:
    return write_vector(tmp_path / "mood.gguf", stamp(random_bpe_model))


def test_every_token_comes_with_its_reading(localsteer: Run, vector: Path, random_bpe_model: Path) -> None:
    said = localsteer("vectors", "see", vector, TEXT, "--reply", "of the day", "--model", random_bpe_model, "--json")
    document = said.document
    assert (document["layer"], document["positive"], document["negative"]) == (2, "happy", "sad")
    prompt, reply = document["passages"]
    assert (prompt["speaker"], reply["speaker"]) == ("prompt", "reply")
    assert "".join(token["text"] for token in prompt["tokens"]) == TEXT
    assert "".join(token["text"] for token in reply["tokens"]) == "of the day"
    values = [token["value"] for token in reply["tokens"]]
    assert reply["mean"] == pytest.approx(sum(values) / len(values), abs=1e-3)


def test_in_a_pipe_there_is_a_line_for_each_token_and_the_scale_is_said(
    localsteer: Run, vector: Path, random_bpe_model: Path
) -> None:
    said = localsteer("vectors", "see", vector, TEXT, "--raw", "--model", random_bpe_model)
    assert "mood at layer 2" in said.out
    # The vector of the test names no method, so its length says nothing.
    assert "two standard deviations" in said.out
    tokens = re.findall(r"^[+-]\d+\.\d\d\t'(.*)'$", said.out, re.MULTILINE)
    assert "".join(tokens) == TEXT


def test_the_page_is_escaped_and_needs_nothing_else(
    localsteer: Run, vector: Path, random_bpe_model: Path, tmp_path: Path
) -> None:
    page = tmp_path / "seen.html"
    prompt = "<script>the</script> & word"
    assert localsteer("vectors", "see", vector, prompt, "--model", random_bpe_model, "--html", page).status == 0
    written = page.read_text("utf-8")
    assert "<script" not in written
    assert not re.search(r"(src|href|url)\s*[=(]", written)
    assert prompt in html.unescape(re.sub(r"<[^<>]*>", "", written))


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="pictures are drawn by matplotlib")
def test_the_picture_is_a_png(localsteer: Run, vector: Path, random_bpe_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen.png"
    said = localsteer("vectors", "see", vector, "the $word$\n" * 3, "--model", random_bpe_model, "--png", out)
    assert (said.status, said.out) == (0, "")
    assert out.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_install_and_writes_nothing(
    localsteer: Run, vector: Path, random_bpe_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    page, picture = tmp_path / "seen.html", tmp_path / "seen.png"
    said = localsteer("vectors", "see", vector, TEXT, "--model", random_bpe_model, "--html", page, "--png", picture)
    assert said.status == 2
    assert "pip install matplotlib" in said.err
    assert not page.exists()
    assert not picture.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((" ",), "prompt is empty"),
        ((TEXT, "--layer", 3), "layers 1 to 2"),
        ((TEXT, "--layer", 1), "no direction at layer 1"),
        ((TEXT, "--raw", "--reply", "x"), "--raw reads one text"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_status_2(
    localsteer: Run, vector: Path, random_bpe_model: Path, arguments: tuple[object, ...], words: str
) -> None:
    said = localsteer("vectors", "see", vector, *arguments, "--model", random_bpe_model)
    assert (said.status, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1


def heat(*tokens: tuple[str, float]) -> Heat:
    return Heat("model", Reading("mood", "happy", "sad", 3, "poles", ()), (Passage("reply", tokens),))


def test_in_a_terminal_what_leans_is_coloured_and_nothing_commands_it() -> None:
    text = as_terminal_text(heat(("so", 0.05), (" happy\n", 1.4), ("\x1b]0;x\x07sad", -0.8)))
    assert "\x1b[38;5;16m\x1b[48;5;202m happy\x1b[0m\n" in text
    assert "so\x1b" in text
    assert "\x1b]" not in text
    assert re.search(r"48;5;117m\S*sad", text)


def test_the_page_colours_either_pole_in_its_own_colour() -> None:
    page = as_html(heat(("up", 1.5), ("down", -0.75)))
    assert 'title="+1.50" style="background:rgba(226, 96, 51, 0.7)">up' in page
    assert 'title="-0.75" style="background:rgba(31, 134, 186, 0.35)">down' in page
