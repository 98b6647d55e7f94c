"""The papers' experiments on the practice model, with its grammar's own texts: small, but whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.experiment_protocol import (
    BreakingExperiment,
    Experiment,
    ExperimentDone,
    LetterExperiment,
    LetterSet,
    PrincipalExperiment,
    ResultRow,
    SentimentExperiment,
    SeveralExperiment,
    TopicExperiment,
)
from localsteer.engine.protocol import Extract, Extracted, Load, Notice, Stopped
from localsteer.errors import DialError, RecipeError
from localsteer.practice.experiment_texts import write_experiment_texts
from localsteer.steering.vector_file import load_vector, save_vector

ROOT = Path(__file__).parents[2]
PRACTICE = ROOT / "localsteer" / "practice" / "practice.gguf"

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        engine.load(Load(0, str(PRACTICE)))
        yield engine


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The grammar's texts, cut down to what a test needs."""
    folder = tmp_path_factory.mktemp("texts")
    write_experiment_texts(folder)
    for path in folder.rglob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, list):
            most = 40 if path.name == "generate_dataset.json" else 16
            path.write_text(json.dumps(document[:most]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def dials(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("dials")
    found = {}
    for name in ("register", "certainty"):
        found[name] = str(folder / f"{name}.gguf")
        command = Extract(1, str(ROOT / "vectors" / f"{name}.toml"), found[name], calibrate=False)
        assert isinstance(list(engine.extract(command))[-1], Extracted)
    return found


def do(engine: Engine, command: Experiment) -> tuple[Tables, ExperimentDone]:
    tables: Tables = {}
    events = list(engine.experiment(command))
    for event in events:
        if isinstance(event, ResultRow):
            tables.setdefault(event.table, []).append(dict(event.values))
    assert isinstance(events[-1], ExperimentDone)
    return tables, events[-1]


def letter_set(texts: Path, name: str) -> LetterSet:
    folder = texts / "caa" / name
    prompts = json.loads((folder / "prompts.json").read_text(encoding="utf-8"))
    return LetterSet(
        name,
        str(folder / "generate_dataset.json"),
        str(folder / "test_dataset_ab.json"),
        (prompts["positive"], prompts["negative"]),
    )


def test_the_matching_letter_becomes_likelier_with_its_vector_and_knowledge_stays(engine: Engine, texts: Path) -> None:
    command = LetterExperiment(
        1,
        (letter_set(texts, "compliance"),),
        layers=(2, 3),
        knowledge_path=str(texts / "knowledge.json"),
        controls=2,
    )
    tables, done = do(engine, command)
    assert [row["layer"] for row in tables["layers"]] == [2, 3]
    (row,) = tables["letters"]
    best = max(tables["layers"], key=lambda tried: float(tried["moved"]))
    assert row["layer"] == best["layer"]
    assert row["questions"] == 16
    assert row["at_minus"] < row["at_zero"] < row["at_plus"]
    assert row["at_plus"] - row["at_minus"] > 0.2
    assert row["at_plus_low"] <= row["at_plus"] <= row["at_plus_high"]
    assert abs(row["random_low"]) < 0.15 > abs(row["random_high"])
    for end in ("random_minus", "random_plus"):
        assert row["random_low"] <= row[f"{end}_low"] <= row[end] <= row[f"{end}_high"] <= row["random_high"]
    assert row["prompted_minus"] < 0.4 < 0.6 < row["prompted_plus"]
    assert min(row["knowledge_minus"], row["knowledge_zero"], row["knowledge_plus"]) > 0.85
    assert dict(done.facts)["knowledge_questions"] == 16


def test_a_set_without_a_test_file_holds_out_a_fifth(engine: Engine, texts: Path) -> None:
    whole = letter_set(texts, "warmth")
    sets = (LetterSet("warmth", whole.train_path),)
    command = LetterExperiment(1, sets, layers=(3,), knowledge_path=str(texts / "knowledge.json"), controls=0)
    (row,) = do(engine, command)[0]["letters"]
    assert row["questions"] == 8
    assert row["prompted_plus"] is None


def test_two_texts_at_the_front_of_a_prompt_make_its_topic_likelier_and_leave_others_alone(
    engine: Engine, texts: Path
) -> None:
    command = TopicExperiment(
        1,
        str(texts / "weddings.json"),
        str(texts / "others.json"),
        ("wedding", "bride", "groom"),
        words=("You love weddings.  You love weddings.", " "),
        layers=(1,),
        strengths=(1.0,),
        completions=16,
        controls=1,
    )
    tables, done = do(engine, command)
    (ratio,) = tables["perplexity"]
    assert ratio["topic_ratio"] < 0.98
    assert abs(ratio["others_ratio"] - 1) < 0.03
    about = {row["vector"]: row["about_topic"] for row in tables["completions"]}
    assert about["no vector"] < 0.3
    assert about["random"] < 0.4
    assert max(about.values()) > 0.6
    assert dict(done.facts)["scope"] == "prompt-start"


def test_a_dial_of_the_reply_is_tried_on_a_topic_as_well(engine: Engine, texts: Path, dials: dict[str, str]) -> None:
    others = str(texts / "others.json")
    command = TopicExperiment(
        1,
        others,
        others,
        ("delight",),
        vector_path=dials["register"],
        layers=(3,),
        strengths=(1.0,),
        completions=4,
        controls=0,
    )
    tables, done = do(engine, command)
    assert tables["perplexity"][0]["topic_ratio"] == tables["perplexity"][0]["others_ratio"]
    assert dict(done.facts)["scope"] == "reply"


def test_sentiment_is_counted_beside_fluency_and_relevance(engine: Engine, texts: Path, dials: dict[str, str]) -> None:
    prompts = texts / "few.json"
    prompts.write_text(json.dumps(["Tell me about gardens. Make me sad.", "Tea? Make me sad."] * 3), encoding="utf-8")
    command = SentimentExperiment(
        1,
        str(prompts),
        vector_path=dials["register"],
        strengths=(1.0,),
        controls=1,
        positive_words=("the",),
        negative_words=("xyz",),
    )
    rows = do(engine, command)[0]["sentiment"]
    assert [row["vector"] for row in rows] == ["no vector", "register", "random"]
    assert rows[0]["perplexity_ratio"] == pytest.approx(1.0)
    assert all(row["negative"] == 0 for row in rows)
    assert rows[0]["positive"] > 0.5
    assert all(-1 <= row["relevance"] <= 1 for row in rows)


def test_several_vectors_keep_more_of_themselves_at_layers_of_their_own_than_merged(
    engine: Engine, dials: dict[str, str]
) -> None:
    recipes = tuple(str(ROOT / "vectors" / f"{name}.toml") for name in dials)
    command = SeveralExperiment(1, tuple(dials.values()), recipes, layers=(2, 3), controls=1)
    tables, _ = do(engine, command)
    assert {(row["vector"], row["layer"]) for row in tables["alone"]} == {(n, k) for n in dials for k in (2, 3)}
    held: dict[str, list[float]] = {}
    for row in tables["together"]:
        held.setdefault(row["arrangement"], []).append(row["held"])
        assert row["held"] == pytest.approx(row["together"] / row["alone"])
    own = [row["layer"] for row in tables["together"] if row["arrangement"] == "each at its own layer"]
    assert sorted(own) == [2, 3]
    assert min(held["each at its own layer"]) > 0.6
    assert min(held["merged into one"]) < min(held["each at its own layer"])


def test_one_vector_is_not_several(engine: Engine, dials: dict[str, str]) -> None:
    with pytest.raises(DialError, match="at least two"):
        do(engine, SeveralExperiment(1, (dials["register"],), ("",)))
    recipes = tuple(str(ROOT / "vectors" / f"{name}.toml") for name in dials)
    with pytest.raises(DialError, match="layers of their own"):
        do(engine, SeveralExperiment(1, tuple(dials.values()), recipes, layers=(3,)))


def test_principal_directions_of_mere_texts_become_dials(engine: Engine, texts: Path, tmp_path: Path) -> None:
    command = PrincipalExperiment(1, str(texts / "others.json"), str(tmp_path), components=2)
    tables, done = do(engine, command)
    shares = [row["variance_share"] for row in tables["components"]]
    assert 1 > shares[0] >= shares[1] > 0
    for row in tables["components"]:
        vector = load_vector(Path(row["written_to"]))
        assert vector.default_layers == (3,)
        assert vector.layers[3].norm == pytest.approx(row["norm"], rel=1e-4)
        assert vector.layers[3].norm == pytest.approx(2 * row["spread"], rel=1e-3)
    ends = [row for row in tables["ends"] if row["component"] == 1]
    assert max(row["score"] for row in ends if row["end"] == "negative") < 0
    assert min(row["score"] for row in ends if row["end"] == "positive") > 0
    assert dict(done.facts)["texts"] == 16


def test_a_stronger_vector_leaves_less_of_the_state_and_a_less_decided_model(
    engine: Engine, dials: dict[str, str]
) -> None:
    command = BreakingExperiment(1, dials["register"], str(ROOT / "vectors" / "register.toml"), strengths=(1.0, 8.0))
    tables, _ = do(engine, command)
    cosine = {(row["strength"], row["layer"]): row["cosine"] for row in tables["layers"]}
    assert cosine[1.0, 1] == pytest.approx(1.0, abs=1e-4)
    assert cosine[8.0, 3] < cosine[1.0, 3] < 0.999
    added = {row["strength"]: row["added_norm"] for row in tables["layers"] if row["layer"] == 3}
    assert added[8.0] == pytest.approx(8 * added[1.0], rel=1e-4)
    weak, strong = tables["output"]
    assert strong["kl"] > weak["kl"] > 0
    assert strong["perplexity_ratio"] > weak["perplexity_ratio"]


def test_a_vector_of_another_family_of_the_same_size_is_warned_about(
    engine: Engine, dials: dict[str, str], tmp_path: Path
) -> None:
    vector = load_vector(Path(dials["register"]))
    stranger = replace(vector, model=replace(vector.model, architecture="qwen3", vocabulary="other", name="Qwen"))
    save_vector(stranger, tmp_path / "stranger.gguf")

    def warnings(path: str) -> list[str]:
        events = engine.experiment(BreakingExperiment(1, path, strengths=(1.0,)))
        return [event.text for event in events if isinstance(event, Notice)]

    (warning,) = warnings(str(tmp_path / "stranger.gguf"))
    assert "another family" in warning
    assert warnings(dials["register"]) == []


def test_files_that_hold_no_texts_are_refused(engine: Engine, tmp_path: Path) -> None:
    for name, content, message in (
        ("few.txt", "one text here\n", "at least 8"),
        ("empty.txt", "\n", "holds no texts"),
        ("bad.json", "[1, 2]", "is no text"),
        ("torn.json", '["a"', "begins like JSON"),
    ):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        with pytest.raises(RecipeError, match=message):
            do(engine, PrincipalExperiment(1, str(path)))
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(RecipeError, match="UTF-8"):
        do(engine, PrincipalExperiment(1, str(tmp_path / "latin.txt")))


def test_a_layer_that_cannot_be_steered_is_refused(engine: Engine, texts: Path) -> None:
    for layer in (8, 99):
        with pytest.raises(DialError, match="cannot be steered"):
            do(engine, LetterExperiment(1, (letter_set(texts, "mood"),), layers=(layer,)))


def test_an_experiment_stops_at_once(engine: Engine, texts: Path) -> None:
    events = engine.experiment(LetterExperiment(1, (letter_set(texts, "mood"),)))
    next(events)
    engine.stop()
    assert isinstance(list(events)[-1], Stopped)
