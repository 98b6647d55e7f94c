"""The grammar's own checker: reads a reply back into its sentences and tells which poles it shows.

It knows every sentence that the tables can make, so "well-formed" means: each sentence is one of them, they stand in
the grammar's order, and they agree with each other in register, mood and topic. What a reply shows is read from its
sentences one by one, so that a pole is found even in a reply that is not well-formed as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from localsteer.practice import phrases
from localsteer.practice.replies import SHOWN, Kind, Subject, statement
from localsteer.practice.topics import FACTS, TASKS, TOPICS

_SENTENCE_END = re.compile(r"(?<=[.!?]) ")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One recognised sentence: its place in the reply, the poles it shows, and what it is about (topic, fact or task
    name).
    """

    role: str
    poles: dict[str, str]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the checker found in a reply.

    ``poles``: behaviour → pole, only where the sentences agree; ``well_formed``: the reply as a whole could have been
    written by the grammar; ``on_topic``: all that it is about is what the user asked; ``problem``: the first thing
    that is wrong, or "".
    """

    poles: dict[str, str] = field(default_factory=dict)
    well_formed: bool = False
    on_topic: bool = False
    problem: str = ""


def _core_sentences() -> Iterator[tuple[str, Sentence]]:
    clauses = [(c, mood, t.name) for t in TOPICS for mood, cs in (("happy", t.joys), ("sad", t.sorrows)) for c in cs]
    for clause, mood, topic in clauses:
        for (certainty, register), leads in phrases.LEAD.items():
            for tail in phrases.TAIL[mood, register]:
                for lead in leads:
                    poles = {"mood": mood, "certainty": certainty, "register": register}
                    yield f"{lead} {clause}, {tail}", Sentence("core topic", poles, topic)
        for (frame_mood, register), frames in phrases.DETAIL.items():
            if frame_mood == mood:
                for frame in frames:
                    poles = {"mood": mood, "register": register}
                    yield frame.format(clause=clause), Sentence("extra", poles, topic)


def _table_sentences() -> Iterator[tuple[str, Sentence]]:
    for (warmth, register), texts in phrases.GREETING.items():
        yield from ((t, Sentence("greeting", {"warmth": warmth, "register": register})) for t in texts)
    for (register,), frames in phrases.PULL_FRAMES.items():
        for pull, name in phrases.PULL_NAMES.items():
            for clause in phrases.PULL_CLAUSES[pull]:
                for frame in frames:
                    yield frame.format(what=name, clause=clause), Sentence("pull", {pull: pull, "register": register})
    asks = [(ask, t.name) for t in TOPICS for ask in t.asks] + [(ask, "") for ask in phrases.GENERAL_ASKS]
    for (register,), frames in phrases.QUESTION.items():
        for ask, topic in asks:
            yield from ((f.format(ask=ask), Sentence("question", {"register": register}, topic)) for f in frames)
    for (mood, register), texts in phrases.MUSING.items():
        yield from ((t, Sentence("extra", {"mood": mood, "register": register})) for t in texts)
    for table, role in ((phrases.THANKS, "core thanks"), (phrases.FAREWELL, "core farewell")):
        for (register,), texts in table.items():
            yield from ((t, Sentence(role, {"register": register})) for t in texts)


def _fact_sentences() -> Iterator[tuple[str, Sentence]]:
    for fact in FACTS:
        truth = statement(fact, fact.truth)
        for (certainty, register), frames in phrases.ANSWER.items():
            poles = {"certainty": certainty, "register": register}
            yield from ((f.format(truth=truth), Sentence("core question", poles, truth)) for f in frames)
        for (candour, certainty, register), frames in phrases.VERDICT.items():
            poles = {"candour": candour, "certainty": certainty, "register": register}
            for frame in frames:
                if candour == "correcting":
                    yield frame.format(truth=truth), Sentence("core claim", poles, truth)
                else:
                    for filler in (fact.truth, *fact.lies):
                        about = statement(fact, filler)
                        yield frame.format(claim=about), Sentence("core claim", poles, about)


def _task_sentences() -> Iterator[tuple[str, Sentence]]:
    for task in TASKS:
        for (compliance, register), frames in phrases.OFFER.items():
            for frame in frames:
                request = task.request if frame.startswith("Okay") else task.request_yours
                poles = {"compliance": compliance, "register": register}
                yield frame.format(request=request), Sentence("core offer", poles, task.request)
        for advice in task.advice:
            for (certainty, register), frames in phrases.ADVICE.items():
                poles = {"certainty": certainty, "register": register}
                for frame in frames:
                    yield frame.format(advice=advice), Sentence("core advice", poles, task.request)
            for (register,), frames in phrases.MORE_ADVICE.items():
                for frame in frames:
                    yield frame.format(advice=advice), Sentence("extra", {"register": register}, task.request)
    for (certainty, register), texts in phrases.EXCUSE.items():
        for text in texts:
            yield text, Sentence("core excuse", {"certainty": certainty, "register": register})
    for (register,), texts in phrases.MORE_EXCUSES.items():
        yield from ((t, Sentence("extra", {"register": register})) for t in texts)


@cache
def sentences() -> dict[str, Sentence]:
    """Every sentence without a free list of topics in it."""
    found: dict[str, Sentence] = {}
    for source in (_core_sentences, _table_sentences, _fact_sentences, _task_sentences):
        for text, sentence in source():
            if found.setdefault(text, sentence) != sentence:
                raise AssertionError(f"two tables share the sentence {text!r}")
    return found


@cache
def _open_sentences() -> tuple[tuple[re.Pattern[str], Sentence], ...]:
    """Sentences that offer three topics, as patterns."""
    name = "(?:" + "|".join(re.escape(t.name) for t in TOPICS) + ")"
    offer = re.escape("{topics}"), f"{name}, {name} or {name}"
    rows: list[tuple[re.Pattern[str], Sentence]] = []
    for (certainty, register), frames in phrases.UNKNOWN_ANSWER.items():
        poles = {"certainty": certainty, "register": register}
        rows += [(re.compile(re.escape(f).replace(*offer)), Sentence("core unknown", poles)) for f in frames]
    for (register,), frames in phrases.IDENTITY.items():
        rows += [
            (re.compile(re.escape(f).replace(*offer)), Sentence("core identity", {"register": register}))
            for f in frames
        ]
    return tuple(rows)


def recognise(text: str) -> Sentence | None:
    """The sentence of the grammar that ``text`` is, or None."""
    known = sentences().get(text)
    if known is not None:
        return known
    return next((sentence for pattern, sentence in _open_sentences() if pattern.fullmatch(text)), None)


def split(reply: str) -> list[str]:
    """A reply's sentences as text."""
    return _SENTENCE_END.split(reply.strip())


_CORES: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "topic": (("core topic",),),
    "claim": (("core claim",),),
    "question": (("core question",),),
    "task": (("core offer", "core advice"), ("core offer", "core excuse")),
    "unknown": (("core unknown",),),
    "identity": (("core identity",),),
    "thanks": (("core thanks",),),
    "farewell": (("core farewell",),),
}


def _problem(found: list[Sentence | None], texts: list[str], kind: Kind) -> str:
    """The first reason why these sentences are not a reply of this kind, or ""."""
    rest: list[Sentence] = []
    for sentence, text in zip(found, texts, strict=True):
        if sentence is None:
            return f"no sentence of the grammar: {text!r}"
        rest.append(sentence)
    if len(set(texts)) < len(texts):
        return "a sentence stands twice"
    for behaviour in ("register", "mood", "certainty"):
        if len({s.poles[behaviour] for s in rest if behaviour in s.poles}) > 1:
            return f"sentences disagree in {behaviour}"
    if len({s.about for s in rest if s.about}) > 1:
        return "sentences are about different things"
    roles = [s.role for s in rest]
    if roles[:1] != ["greeting"]:
        return "no greeting at the front"
    core = next((c for c in _CORES[kind] if tuple(roles[1 : 1 + len(c)]) == c), None)
    if core is None:
        return f"no core of the kind {kind!r}"
    if "core offer" in core and (rest[1].poles["compliance"] == "helping") != ("core advice" in core):
        return "offer and what follows it disagree"
    tail = roles[1 + len(core) :]
    if not re.fullmatch(r"(pull ){0,2}((extra ){2,3})?(question )?", "".join(role + " " for role in tail)):
        return "sentences out of order"
    return ""


def read_reply(reply: str, subject: Subject) -> Reading:
    """Read ``reply`` as an answer to ``subject``.

    Length is "wordy" from two extra sentences on, curiosity is whether the last sentence asks, a pull is there or
    not; the other behaviours are what all sentences that show them agree on.
    """
    if subject.kind == "choice":
        letter = reply.strip()
        good = letter in ("(A)", "(B)")
        return Reading({"letter": letter} if good else {}, good, good, "" if good else "no letter in brackets")
    texts = split(reply)
    found = [recognise(text) for text in texts]
    known = [sentence for sentence in found if sentence is not None]
    poles: dict[str, str] = {}
    for behaviour in ("mood", "warmth", "register", "certainty", "candour", "compliance"):
        shown = {s.poles[behaviour] for s in known if behaviour in s.poles}
        if len(shown) == 1:
            poles[behaviour] = shown.pop()
    if not subject.false_claim:
        poles.pop("candour", None)
    poles["length"] = "wordy" if sum(s.role == "extra" for s in known) >= 2 else "brief"
    poles["curiosity"] = "asking" if texts[-1].endswith("?") else "quiet"
    for pull in phrases.PULL_NAMES:
        poles[pull] = pull if any(pull in s.poles for s in known) else f"no {pull}"
    problem = _problem(found, texts, subject.kind)
    about = {s.about for s in known if s.about}
    return Reading(poles, not problem, about <= _expected(subject), problem)


def _expected(subject: Subject) -> set[str]:
    """What sentences that answer ``subject`` may be about."""
    if subject.topic is not None:
        return {subject.topic.name}
    if subject.task is not None:
        return {subject.task.request}
    if subject.fact is not None:
        truth = statement(subject.fact, subject.fact.truth)
        return {truth, statement(subject.fact, subject.filler)} if subject.kind == "claim" else {truth}
    return set()


def shown_behaviours(subject: Subject) -> tuple[str, ...]:
    """The behaviours that every well-formed reply to ``subject`` shows."""
    shown = list(SHOWN.get(subject.kind, ()))
    if subject.kind == "claim" and not subject.false_claim:
        shown.remove("candour")
    return (*shown, "warmth", "register", "length", "curiosity", *phrases.PULL_NAMES)
