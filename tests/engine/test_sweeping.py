"""A sweep says each of its findings once, measures nothing that is known, and measures prompting beside steering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.findings import finding_in, setting_of
from localsteer.engine.protocol import (
    Event,
    Extract,
    Finding,
    Notice,
    Sweep,
    SweepControl,
    SweepPrompting,
    SweepRange,
    SweepRow,
    Swept,
)
from localsteer.evaluation.effect import EffectMeter
from tests.engine.conftest import stamp, write_vector

RECIPE = """
description = "Mood."
[poles]
positive = "happy"
negative = "sad"
[[personas]]
positive = ["be happy", "you are full of joy"]
negative = ["be sad", "you are full of grief"]
messages = ["the sea", "the day", "the people", "the word", "the time"]
"""
BEGINNINGS = RECIPE + 'system = ""\nuser = "{message}"\nreply = "{persona}"\nread = "reply"\n'
SMALL = {"pairs": 3, "answer_tokens": 8, "replies": 3, "reply_tokens": 8, "controls": 2}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "mood.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def vector(engine: Engine, tmp_path: Path) -> Path:
    assert engine.card is not None
    return write_vector(tmp_path / "mood.gguf", stamp(engine.card), size=2.0)


def swept(engine: Engine, recipe: Path, vector: Path, **options: object) -> list[Event]:
    values = {"strengths": (-1.0, 0.0, 1.0), **SMALL, **options}
    return list(engine.sweep(Sweep(0, str(recipe), str(vector), **values)))  # type: ignore[arg-type]


def findings(events: Sequence[Event]) -> list[Finding]:
    return [finding for event in events if (finding := finding_in(event)) is not None]


def test_each_finding_is_said_once_and_the_summary_is_that_of_the_findings(
    engine: Engine, recipe: Path, tmp_path: Path
) -> None:
    assert engine.card is not None
    write_vector(tmp_path / "two.gguf", stamp(engine.card), layer=2)
    events = swept(engine, recipe, tmp_path / "two.gguf", layers=((2,),))
    found = findings(events)
    assert len({setting_of(finding) for finding in found}) == len(found)
    controls = [one for one in found if isinstance(one, SweepControl)]
    assert [(one.number, one.strength) for one in controls] == [(0, -1.0), (0, 1.0), (1, -1.0), (1, 1.0)]
    assert all(one.perplexity_ratio > 0 for one in controls)
    end = events[-1]
    assert isinstance(end, Swept)
    effects = [one.effect for one in controls]
    assert (end.random_effect_low, end.random_effect_high) == (min(effects), max(effects))
    (safe,) = [one for one in found if isinstance(one, SweepRange)]
    assert (end.safe_low, end.safe_high) == (safe.low, safe.high)


def test_random_vectors_are_measured_in_each_window(engine: Engine, recipe: Path, tmp_path: Path) -> None:
    made = extracted(engine, recipe, tmp_path)
    controls = [
        one
        for one in findings(swept(engine, recipe, made, layers=((1,), (2,)), strengths=(1.0,)))
        if isinstance(one, SweepControl)
    ]
    assert [(one.layers, one.number) for one in controls] == [((1,), 0), ((1,), 1), ((2,), 0), ((2,), 1)]
    assert controls[0].effect != controls[2].effect


def extracted(engine: Engine, recipe: Path, folder: Path) -> Path:
    out = folder / "made.gguf"
    list(engine.extract(Extract(0, str(recipe), str(out), calibrate=False)))
    return out


def test_what_is_known_is_said_again_and_not_measured(
    engine: Engine, recipe: Path, vector: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = swept(engine, recipe, vector)
    known = findings(events)
    # Half of it known: the other half comes out as it would have.
    resumed = swept(engine, recipe, vector, known=tuple(known[::2]))
    assert findings(resumed) == known
    planted = tuple(replace(one, effect=42.0) if isinstance(one, SweepRow) else one for one in known)

    def fail(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(EffectMeter, "at", fail)
    again = swept(engine, recipe, vector, known=planted)
    assert findings(again) == list(planted)
    assert isinstance(again[-1], Swept)


def test_without_controls_there_is_no_effect_of_random_vectors(engine: Engine, recipe: Path, vector: Path) -> None:
    end = swept(engine, recipe, vector, controls=0, strengths=(1.0,))[-1]
    assert isinstance(end, Swept)
    assert (end.random_effect_low, end.random_effect_high) == (None, None)


def test_a_vector_of_another_family_of_the_same_size_is_warned_about(
    engine: Engine, recipe: Path, tmp_path: Path
) -> None:
    assert engine.card is not None
    other = replace(stamp(engine.card), architecture="qwen3", vocabulary="other", name="Qwen")
    vector = write_vector(tmp_path / "other.gguf", other)
    events = swept(engine, recipe, vector, strengths=(0.0,), controls=0)
    assert [event.text for event in events if isinstance(event, Notice) and "another family" in event.text]


@pytest.mark.parametrize(("forms", "has_prompts"), [(RECIPE, True), (BEGINNINGS, False)])
def test_plain_prompting_is_measured_where_the_contrasts_have_prompts(
    engine: Engine, tmp_path: Path, vector: Path, forms: str, has_prompts: bool
) -> None:
    (tmp_path / "mood.toml").write_text(forms)
    found = findings(swept(engine, tmp_path / "mood.toml", vector, strengths=(0.0,), controls=0))
    (prompting,) = [one for one in found if isinstance(one, SweepPrompting)]
    (row,) = [one for one in found if isinstance(one, SweepRow)]
    assert (prompting.positive is not None, prompting.negative is not None) == (has_prompts, has_prompts)
    if has_prompts:
        assert len({prompting.positive, prompting.negative, row.effect}) == 3
