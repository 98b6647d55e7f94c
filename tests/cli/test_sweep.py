"""``sweep``: effect and cost at each strength, on the real backend."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import pytest

from localsteer import __version__
from localsteer.cli.sweep import read_grid
from localsteer.errors import DialError
from localsteer.gguf_header import model_id, read_header
from localsteer.library.vector_cards import read_vector_card
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector
from tests.cli.conftest import Run, ended, interrupt, stamp

Child = Callable[..., subprocess.Popen[bytes]]

ROW = {"strength", "layers", "effect", "effect_low", "effect_high", "perplexity_ratio", "kl"}


@pytest.fixture
def glad(random_bpe_model: Path, tmp_path: Path) -> Path:
    """A ready vector with the name of the recipe; making one would take longer than measuring it."""
    made_for = stamp(random_bpe_model)
    rows = np.random.default_rng(0).standard_normal((made_for.n_layer - 1, made_for.n_embd)).astype(np.float32)
    directions = dict(enumerate(rows, start=1))
    path = tmp_path / "glad.gguf"
    save_vector(SteeringVector("glad", "happy", "sad", directions, made_for, default_layers=(2,)), path)
    return path


@pytest.mark.usefixtures("glad_at_hand")
def test_a_sweep_reports_effect_and_cost_at_each_strength(localsteer: Run, random_bpe_model: Path) -> None:
    said = localsteer("sweep", "glad", "-m", random_bpe_model, "--strengths", "-1:1:0.5", "--controls", 2, "--json")
    document = said.document
    assert [row["strength"] for row in document["rows"]] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert all(set(row) == ROW for row in document["rows"])
    for row in document["rows"]:
        assert row["effect_low"] <= row["effect"] <= row["effect_high"]
    assert document["rows"][2]["perplexity_ratio"] == pytest.approx(1.0, abs=1e-6)
    assert document["rows"][2]["kl"] < 1e-3 < document["rows"][4]["kl"]
    assert document["random_effect_low"] <= document["random_effect_high"]
    assert document["safe_low"] < 0 < document["safe_high"]
    assert document["complete"] is True
    assert (document["vector"], document["seed"]) == ("glad", 0)


def test_the_same_sweep_gives_the_same_figures(localsteer: Run, random_bpe_model: Path, glad: Path) -> None:
    sweep = ("sweep", glad, "-m", random_bpe_model, "--strengths", "0,1", "--controls", 1, "--json")
    first, fresh = localsteer(*sweep), localsteer(*sweep, "--fresh")
    assert first.document == fresh.document
    assert "before" not in fresh.err


def test_the_document_says_what_it_takes_to_repeat_it(localsteer: Run, random_bpe_model: Path, home: Path) -> None:
    document = localsteer("sweep", "glad", "-m", random_bpe_model, "--strengths", "0,1", "--seed", 7, "--json").document
    header = read_header(random_bpe_model)
    vector = home / "vectors" / model_id(random_bpe_model, header) / "glad.gguf"
    assert document["model_id"] == model_id(random_bpe_model, header)
    assert document["vector_digest"] == hashlib.sha256(vector.read_bytes()).hexdigest()
    assert document["recipe_digest"] == read_vector_card(vector).recipe_digest
    assert document["versions"] == {
        "localsteer": __version__,
        "llama-cpp-python": version("llama-cpp-python"),
        "numpy": version("numpy"),
    }
    assert (document["method"], document["seed"], document["strengths"]) == ("mean-difference", 7, [0.0, 1.0])
    assert document["layers"] == [list(read_vector_card(vector).default_layers)]
    assert (document["pairs"], document["replies"], document["controls"]) == (1, 16, 5)
    assert document["safe_bounds"] == {"perplexity_ratio": 1.5, "kl_95": 1.0, "addition": 0.6}


def test_random_vectors_have_an_effect_and_a_cost_in_each_window(
    localsteer: Run, random_bpe_model: Path, glad: Path
) -> None:
    sweep = ("sweep", glad, "-m", random_bpe_model, "--strengths", "-1,2", "--layers", "each", "--controls", 2)
    document = localsteer(*sweep, "--json").document
    assert [window["layers"] for window in document["windows"]] == [[1], [2], [3]]
    for window in document["windows"]:
        here = [one for one in document["random"] if one["layers"] == window["layers"]]
        assert sorted((one["strength"], one["number"]) for one in here) == [(-1.0, 0), (-1.0, 1), (2.0, 0), (2.0, 1)]
        assert window["random_effect_low"] == min(one["effect"] for one in here)
        assert window["random_perplexity_ratio_high"] == max(one["perplexity_ratio"] for one in here)
    assert document["random_effect_low"] == min(window["random_effect_low"] for window in document["windows"])
    assert document["random_effect_high"] == max(window["random_effect_high"] for window in document["windows"])
    table = localsteer(*sweep).out
    assert [
        line.split()[:3] for line in table.splitlines() if " random " in line and not line.startswith("random")
    ] == [[layer, "random", strength] for layer in "123" for strength in ("-1.00", "+2.00")]
    plain = f"plain prompting: {document['prompting_effect_positive']:+.3f} (happy), "
    assert plain + f"{document['prompting_effect_negative']:+.3f} (sad)" in table


class TestStoppedHalfWay:
    """Measured settings outlive the command that measured them, however it ended."""

    GRID = ("--strengths", "0:2:0.1", "--controls", 1)
    N_ROWS = 21

    def begun(
        self, child: Child, vector: Path, model: Path, home: Path, *options: str
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """A sweep that has kept a few rows, and its journal."""
        running = child("sweep", vector, "-m", model, *self.GRID, *options)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert running.poll() is None, running.communicate()
            for journal in (home / "sweeps").glob("*.jsonl"):
                if journal.read_bytes().count(b'"row"') >= 3:
                    return running, journal
            time.sleep(0.01)
        raise AssertionError("nothing was kept")

    def settings(self, journal: Path) -> list[float]:
        """The strengths of the rows, in the order in which they were measured."""
        records = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
        return [record["strength"] for record in records if record["kind"] == "row"]

    @pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
    def test_ctrl_c_prints_what_there_is_and_the_same_command_goes_on(
        self, localsteer: Run, child: Child, random_bpe_model: Path, home: Path, glad: Path
    ) -> None:
        running, journal = self.begun(child, glad, random_bpe_model, home, "--json")
        interrupt(running)
        said = ended(running)
        assert said.status == 130
        assert "the same command goes on from there" in said.err
        document = json.loads(said.out)
        rows = [row["strength"] for row in document["rows"]]
        assert document["complete"] is False
        assert (document["safe_low"], document["random_effect_low"]) == (None, None)
        kept = self.settings(journal)
        assert 3 <= len(kept) < self.N_ROWS
        assert rows == kept
        again = localsteer("sweep", glad, "-m", random_bpe_model, *self.GRID, "--json")
        assert f"{len(kept)} settings were measured before" in again.err
        assert again.document["rows"][: len(rows)] == document["rows"]
        assert len(self.settings(journal)) == self.N_ROWS

    @pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
    def test_a_kill_loses_the_row_in_work_at_most(
        self, localsteer: Run, child: Child, random_bpe_model: Path, home: Path, glad: Path
    ) -> None:
        running, journal = self.begun(child, glad, random_bpe_model, home)
        engines = psutil.Process(running.pid).children(recursive=True)
        running.kill()
        running.communicate()
        assert not psutil.wait_procs(engines, timeout=10)[1]
        kept = self.settings(journal)
        assert 3 <= len(kept) < self.N_ROWS
        again = localsteer("sweep", glad, "-m", random_bpe_model, *self.GRID, "--json")
        assert f"{len(kept)} settings were measured before" in again.err
        measured = self.settings(journal)
        assert len(measured) == len(set(measured)) == self.N_ROWS

    def test_a_wider_grid_measures_what_is_new_in_it_only_and_another_seed_everything(
        self, localsteer: Run, random_bpe_model: Path, home: Path, glad: Path
    ) -> None:
        sweep = ("sweep", glad, "-m", random_bpe_model, "--controls", 0, "--strengths")
        assert localsteer(*sweep, "0,1").status == 0
        assert "2 settings were measured before" in localsteer(*sweep, "0,1,2").err
        (journal,) = (home / "sweeps").iterdir()
        assert self.settings(journal) == [0.0, 1.0, 2.0]
        assert "before" not in localsteer(*sweep, "0,1", "--seed", 1).err
        assert len(list((home / "sweeps").iterdir())) == 2

    def test_a_place_that_cannot_be_written_costs_the_journal_and_not_the_sweep(
        self, localsteer: Run, random_bpe_model: Path, home: Path, glad: Path
    ) -> None:
        (home / "sweeps").write_text("in the way")
        said = localsteer("sweep", glad, "-m", random_bpe_model, "--controls", 0, "--strengths", "1", "--json")
        assert said.err.count("cannot be taken up again") == 1
        assert len(said.document["rows"]) == 1


@pytest.mark.parametrize(
    ("grid", "strengths"),
    [
        ("-1:1:1", (-1.0, 0.0, 1.0)),
        ("0:0.3:0.1", (0.0, 0.1, 0.2, 0.3)),
        ("2", (2.0,)),
        ("-1,0.5", (-1.0, 0.5)),
        ("1,1.0,-0,0", (1.0, 0.0)),
    ],
)
def test_a_grid_holds_both_ends(grid: str, strengths: tuple[float, ...]) -> None:
    assert read_grid(grid) == strengths


@pytest.mark.parametrize(
    ("grid", "complaint"),
    [
        ("", "is no grid"),
        ("a:b:c", "is no grid"),
        ("1:2", "is no grid"),
        ("0:nan:1", "is no grid"),
        ("0:inf:1", "is no grid"),
        ("2:1:0.5", "does not go upwards"),
        ("0:1:0", "does not go upwards"),
        ("0:1:0.0001", "larger step"),
        (",".join(map(str, range(300))), "take fewer"),
    ],
)
def test_what_is_no_grid_is_refused(grid: str, complaint: str) -> None:
    with pytest.raises(DialError, match=complaint):
        read_grid(grid)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("glad", "--strengths", "x"), "is no grid"),
        (("glad", "--layers", "9"), "has layers 1 to 3"),
        (("glad", "--layers", "0"), "has layers 1 to 3"),
        (("glad", "--recipe", "missing.toml"), "no recipe at"),
        (("unheard-of",), 'no dial named "unheard-of"'),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_one_sentence(
    localsteer: Run, random_bpe_model: Path, options: tuple[str, ...], complaint: str
) -> None:
    said = localsteer("sweep", *options, "-m", random_bpe_model)
    assert said.status == 2
    assert complaint in said.err
