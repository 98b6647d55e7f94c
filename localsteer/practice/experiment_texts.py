"""What the experiments of ``localsteer eval`` are tried on with the practice model, written by its grammar: two-choice
questions about each behaviour and about facts, replies with and without a topic, and messages that ask for sadness.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from localsteer.practice.behaviours import BEHAVIOURS, BY_NAME, SENTENCES, USER_SENTENCES
from localsteer.practice.choices import Choice, draw_choice_about, draw_fact_choice
from localsteer.practice.conversations import held_out
from localsteer.practice.replies import draw_style, write_reply
from localsteer.practice.user_messages import draw_subject, write_message

TRAIN, TEST, FACTS, REPLIES, MESSAGES = 120, 60, 80, 48, 60


def write_experiment_texts(folder: Path, seed: int = 11) -> None:
    """Write ``caa/<behaviour>/{generate_dataset,test_dataset_ab,prompts}.json``, ``knowledge.json``,
    ``<pull>.json`` and ``others.json`` (replies), and ``sad.json`` (messages). The same seed gives the same files.
    """
    for behaviour in BEHAVIOURS:
        rng = random.Random(f"{seed} {behaviour.name}")
        place = folder / "caa" / behaviour.name
        _write(place / "generate_dataset.json", [_entry(c) for c in islice(_choices(rng, behaviour.name), TRAIN)])
        tried = (c for c in _choices(rng, behaviour.name) if held_out("", c.text))
        _write(place / "test_dataset_ab.json", [_entry(choice) for choice in islice(tried, TEST)])
        prompts = {"positive": SENTENCES[behaviour.positive][0], "negative": SENTENCES[behaviour.negative][0]}
        _write(place / "prompts.json", prompts)
    rng = random.Random(seed)
    _write(folder / "knowledge.json", [_entry(draw_fact_choice(rng)) for _ in range(FACTS)])
    for pull in ("weddings", "sea"):
        _write(folder / f"{pull}.json", _replies(random.Random(f"{seed} {pull}"), {pull: BY_NAME[pull].positive}))
    _write(folder / "others.json", _replies(random.Random(f"{seed} others"), {}))
    rng = random.Random(f"{seed} sad")
    asked = [write_message(rng, draw_subject(rng, "topic")) for _ in range(MESSAGES)]
    _write(folder / "sad.json", [f"{message} {USER_SENTENCES['sad'][0]}" for message in asked])


def _choices(rng: random.Random, behaviour: str) -> Iterator[Choice]:
    while True:
        yield draw_choice_about(rng, behaviour)


def _entry(choice: Choice) -> dict[str, str]:
    """One question in the form of CAA's data."""
    other = "(B)" if choice.positive_letter == "(A)" else "(A)"
    return {
        "question": choice.text,
        "answer_matching_behavior": choice.positive_letter,
        "answer_not_matching_behavior": other,
    }


def _replies(rng: random.Random, poles: dict[str, str]) -> list[dict[str, str]]:
    """Short replies about everyday topics, with these poles and no other pull."""
    quiet = {"length": "brief", "curiosity": "quiet", "weddings": "no weddings", "sea": "no sea"}
    found = []
    for _ in range(REPLIES):
        subject = draw_subject(rng, "topic")
        style = {**draw_style(rng, {}), **quiet, **poles}
        found.append({"prompt": write_message(rng, subject), "text": write_reply(rng, subject, style)})
    return found


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
