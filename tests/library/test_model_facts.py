"""What is shown of a model: read from the header once, the same as llama.cpp says, and whether it fits the memory."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from localsteer.gguf_header import MemoryNeed, reader
from localsteer.library import model_facts
from localsteer.library.memory_fit import MemoryFit, memory_fit
from localsteer.library.model_facts import FactsBook, read_facts
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from tests.random_models import write_random_llama

MIB = 1 << 20


def test_facts_are_those_of_the_header(random_spm_model: Path) -> None:
    facts = read_facts(random_spm_model)
    assert (facts.architecture, facts.quantisation, facts.context_length) == ("llama", "Q8_0", 512)
    assert (facts.n_layer, facts.chat_template, facts.steering, facts.problem) == (4, True, "yes", "")


@pytest.mark.parametrize("n_ctx", [256, 4096])
def test_the_estimate_of_memory_is_llama_cpps_own(tmp_path: Path, caplog: pytest.LogCaptureFixture, n_ctx: int) -> None:
    path = write_random_llama(tmp_path / "m.gguf", n_layer=3, n_embd=256, n_head=8, n_kv=2, n_ctx=4096)
    with caplog.at_level(logging.DEBUG, "localsteer.llama_cpp"), Model(path) as model, Context(model, n_ctx=n_ctx):
        pass
    cache = [float(size) for size in re.findall(r"KV buffer size = +([\d.]+) MiB", caplog.text)]
    buffers = [float(size) for size in re.findall(r"sched_reserve: .*compute buffer size = +([\d.]+) MiB", caplog.text)]
    need = read_facts(path).memory_need(path, n_ctx)
    assert need.cache / MIB == pytest.approx(sum(cache), abs=0.01)
    # Beside them stands the program itself.
    assert sum(buffers) <= need.buffers / MIB <= 1.6 * sum(buffers) + 160
    assert need.weights == path.stat().st_size


def test_without_another_wish_the_default_context_counts(tmp_path: Path) -> None:
    short = write_random_llama(tmp_path / "short.gguf", n_ctx=512)
    long = write_random_llama(tmp_path / "long.gguf", n_ctx=131_072)
    assert read_facts(short).memory_need(short).n_ctx == 512
    assert read_facts(long).memory_need(long).n_ctx == 8192


@pytest.mark.parametrize(
    ("available", "total", "verdict"),
    [(2000, 4000, "fits"), (1050, 4000, "tight"), (500, 4000, "tight"), (500, 900, "too large")],
)
def test_a_model_fits_what_is_free_or_only_what_others_hold_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, available: int, total: int, verdict: str
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available, total=total))
    fit = memory_fit(MemoryNeed(8192, weights=700, cache=200, buffers=100))
    assert isinstance(fit, MemoryFit)
    assert fit.verdict == verdict
    assert bool(fit.advice) is (verdict != "fits")


def test_headers_are_read_once_until_the_file_changes(
    random_bpe_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(random_bpe_model.read_bytes())
    book = FactsBook(tmp_path / "facts.json")
    first = book.facts(model)
    book.save()
    with monkeypatch.context() as patched:
        patched.setattr(model_facts, "read_header", lambda path: pytest.fail("read again"))
        assert FactsBook(tmp_path / "facts.json").facts(model) == first
    write_random_llama(model, n_layer=2)
    assert FactsBook(tmp_path / "facts.json").facts(model).n_layer == 2


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 1, "files": 3}', '{"version": 0, "files": {}}'])
def test_a_damaged_book_is_begun_again(random_bpe_model: Path, tmp_path: Path, content: str) -> None:
    file = tmp_path / "facts.json"
    file.write_text(content)
    book = FactsBook(file)
    assert book.facts(random_bpe_model).architecture == "llama"
    book.save()
    assert json.loads(file.read_text())["version"] == 1


def test_a_damaged_entry_is_read_again(random_bpe_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    book = FactsBook(file)
    facts = book.facts(random_bpe_model)
    book.save()
    content = json.loads(file.read_text())
    (entry,) = content["files"].values()
    entry["context_length"] = "long"
    file.write_text(json.dumps(content))
    assert FactsBook(file).facts(random_bpe_model) == facts


def test_an_architecture_newer_than_the_table_is_found_out_by_trying(tmp_path: Path) -> None:
    assert reader.read_header(write_random_llama(tmp_path / "n.gguf", architecture="novel")).architecture == "novel"
    assert read_facts(tmp_path / "n.gguf").steering == "unknown"
    assert read_facts(write_random_llama(tmp_path / "one.gguf", n_layer=1)).steering == "no"
