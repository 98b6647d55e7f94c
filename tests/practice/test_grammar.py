"""The practice grammar: its checker reads back what it writes; what nothing cues is undecided."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter

import pytest

from localsteer.practice import phrases
from localsteer.practice.behaviours import ADJECTIVES, BEHAVIOURS, SENTENCES, USER_SENTENCES
from localsteer.practice.checker import read_reply, sentences, shown_behaviours
from localsteer.practice.choices import draw_choice
from localsteer.practice.conversations import (
    KINDS,
    draw_poles,
    held_out,
    held_out_conversations,
    training_conversations,
)
from localsteer.practice.replies import Kind, Subject, draw_style, write_reply
from localsteer.practice.topics import FACTS, TASKS, TOPICS
from localsteer.practice.user_messages import draw_subject, write_message

REPLY_KINDS: list[Kind] = [kind for kind in KINDS if kind != "choice"]


def topic_named(name: str) -> Subject:
    return Subject("topic", topic=next(topic for topic in TOPICS if topic.name == name))


@pytest.mark.parametrize("kind", REPLY_KINDS)
def test_the_checker_reads_back_every_pole_of_what_the_grammar_wrote(kind: Kind) -> None:
    rng = random.Random(kind)
    for _ in range(150):
        subject, style = draw_subject(rng, kind), draw_style(rng, {})
        reading = read_reply(write_reply(rng, subject, style), subject)
        assert reading.well_formed, reading.problem
        assert reading.on_topic
        for behaviour in shown_behaviours(subject):
            assert reading.poles[behaviour] == style[behaviour]


def test_a_cued_behaviour_is_obeyed_and_the_others_stay_undecided() -> None:
    rng = random.Random(1)
    found: Counter[tuple[str, str]] = Counter()
    for _ in range(600):
        style = draw_style(rng, {"mood": "happy"})
        assert style["mood"] == "happy"
        found.update(style.items())
    for behaviour in BEHAVIOURS:
        if behaviour.name != "mood":
            share = found[behaviour.name, behaviour.positive] / 600
            assert abs(share - behaviour.base_rate) < 0.08, behaviour.name


def test_conversations_are_the_same_for_the_same_seed() -> None:
    first, again, other = (
        [c.messages() for c in itertools.islice(training_conversations(seed), 20)] for seed in (5, 5, 6)
    )
    assert first == again
    assert first != other


def test_no_training_conversation_holds_a_held_out_pair() -> None:
    for conversation in itertools.islice(training_conversations(3), 500):
        assert not any(held_out(conversation.system, exchange.user) for exchange in conversation.exchanges)
    for conversation in itertools.islice(held_out_conversations(3, turns=2), 20):
        assert held_out(conversation.system, conversation.exchanges[-1].user)


def test_a_fair_share_of_pairs_is_held_out() -> None:
    rng = random.Random(2)
    pairs = [("", write_message(rng, draw_subject(rng, "topic"))) for _ in range(2000)]
    assert 0.02 < sum(held_out(*pair) for pair in pairs) / len(pairs) < 0.09


def test_the_small_world_is_as_large_as_promised() -> None:
    assert len({topic.name for topic in TOPICS}) >= 40
    assert len(FACTS) >= 50
    assert len(TASKS) >= 20
    assert len(BEHAVIOURS) >= 8
    for behaviour in BEHAVIOURS:
        for pole in (behaviour.positive, behaviour.negative):
            assert len(ADJECTIVES.get(pole, ())) + len(SENTENCES[pole]) >= 3
            assert USER_SENTENCES[pole]


def test_no_clause_stands_in_two_topics_or_two_moods() -> None:
    clauses = [clause for topic in TOPICS for clause in (*topic.joys, *topic.sorrows)]
    assert len(set(clauses)) == len(clauses)
    assert all(not re.search(r"[.!?,']", clause) for clause in clauses)


def test_formal_sentences_hold_no_contractions() -> None:
    for text, sentence in sentences().items():
        if sentence.poles.get("register") == "formal":
            assert "'" not in text, text


def test_every_sentence_ends_once() -> None:
    for text in sentences():
        assert re.fullmatch(r"[^.!?]*[.!?]", text), text


@pytest.mark.parametrize(
    "damage", ["no greeting", "two registers", "two moods", "unknown words", "twice", "other topic"]
)
def test_the_checker_rejects(damage: str) -> None:
    rng = random.Random(9)
    style = {**draw_style(rng, {}), "mood": "happy", "register": "formal", "length": "brief", "curiosity": "quiet"}
    gardens = topic_named("gardens")
    good = write_reply(rng, gardens, style)
    greeting, core = good.split(". ", 1)
    joys, sorrows = TOPICS[0].joys, TOPICS[0].sorrows
    casual = phrases.DETAIL["happy", "casual"][0].format(clause=joys[0])
    sad = phrases.DETAIL["sad", "formal"][0].format(clause=sorrows[0])
    other = phrases.DETAIL["happy", "formal"][0].format(clause=TOPICS[1].joys[0])
    bad = {
        "no greeting": core,
        "two registers": f"{good} {casual} {casual.replace(joys[0], joys[1])}",
        "two moods": f"{good} {sad} {sad.replace(sorrows[0], sorrows[1])}",
        "unknown words": good.replace("the", "teh", 1) if "the" in good else good + " Blah.",
        "twice": f"{greeting}. {greeting}. {core}",
        "other topic": f"{good} {other} {other.replace(TOPICS[1].joys[0], TOPICS[1].joys[1])}",
    }[damage]
    assert read_reply(good, gardens).well_formed
    reading = read_reply(bad, gardens)
    assert not reading.well_formed
    assert reading.problem


def test_a_reply_to_another_topic_is_off_topic() -> None:
    rng = random.Random(4)
    reading = read_reply(write_reply(rng, topic_named("bread"), draw_style(rng, {})), topic_named("gardens"))
    assert reading.well_formed
    assert not reading.on_topic


def test_candour_is_read_only_where_the_claim_is_false() -> None:
    fact = FACTS[0]
    for filler, shown in ((fact.truth, False), (fact.lies[0], True)):
        subject = Subject("claim", fact=fact, filler=filler)
        rng = random.Random(1)
        reading = read_reply(write_reply(rng, subject, draw_style(rng, {})), subject)
        assert ("candour" in reading.poles) is shown
        assert ("candour" in shown_behaviours(subject)) is shown


def test_two_choice_questions_name_the_letter_of_the_cued_pole() -> None:
    rng = random.Random(3)
    letters: Counter[str] = Counter()
    for _ in range(300):
        cued = draw_poles(rng, 2, tuple(b.name for b in BEHAVIOURS))
        choice = draw_choice(rng, cued)
        first = choice.text.split("(A) ", 1)[1].split("\n(B) ", 1)
        assert len(first) == 2
        assert first[0] != first[1]
        a, b = (choice.text[option.start : option.end] for option in choice.options)
        assert (a, b) == (first[0], first[1].split("\n\nAnswer with")[0])
        if choice.behaviour in cued or choice.behaviour == "truth":
            assert choice.letter in ("(A)", "(B)")
            letters[choice.letter] += 1
        else:
            assert choice.letter == ""
    assert 0.4 < letters["(A)"] / letters.total() < 0.6


def test_the_true_option_of_a_fact_question_is_the_answer() -> None:
    rng = random.Random(8)
    truths = {f"{f.subject} {f.relation} {f.truth}.".lower() for f in FACTS}
    seen = 0
    while seen < 40:
        choice = draw_choice(rng, {})
        if choice.behaviour != "truth":
            continue
        seen += 1
        options = re.findall(r"^\((A|B)\) (.*)$", choice.text, flags=re.MULTILINE)
        assert [f"({letter})" for letter, text in options if text.lower() in truths] == [choice.letter]
