"""How well a practice model has learnt its grammar: replies to held-out prompts, read by the grammar's own checker."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from localsteer.practice.checker import read_reply, shown_behaviours
from localsteer.practice.conversations import Conversation, held_out_conversations
from localsteer.practice.speaking import Speaker

SEED = 2024


@dataclass(slots=True)
class Tally:
    """Counts of what was tried and what was as it should be, under one name each."""

    good: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, good: bool) -> None:
        self.tried[what] += 1
        self.good[what] += good

    def share(self, what: str) -> float:
        """Share of good ones, 0..1; 1.0 where nothing was tried."""
        return self.good[what] / self.tried[what] if self.tried[what] else 1.0


@dataclass(slots=True)
class Quality:
    """``replies`` counts by kind of message whether a reply ended by itself, on topic and well-formed; ``cues`` by
    behaviour whether
    its cue was obeyed. "all" is their sum. ``problems``: some of the replies that failed."""

    replies: Tally = field(default_factory=Tally)
    cues: Tally = field(default_factory=Tally)
    problems: list[str] = field(default_factory=list)


def judge(conversation: Conversation, text: str, ended: bool, quality: Quality) -> None:
    """Add the reply ``text`` to the conversation's last message to ``quality``."""
    exchange = conversation.exchanges[-1]
    reading = read_reply(text, exchange.subject)
    good = ended and reading.well_formed and reading.on_topic
    kind = exchange.subject.kind
    quality.replies.add(kind, good)
    quality.replies.add("all", good)
    disobeyed = []
    if kind == "choice":
        wanted = {"two-choice": (exchange.answer, reading.poles.get("letter"))} if exchange.answer else {}
    else:
        shown = shown_behaviours(exchange.subject)
        wanted = {b: (pole, reading.poles.get(b)) for b, pole in exchange.cued.items() if b in shown}
    for behaviour, (pole, found) in wanted.items():
        quality.cues.add(behaviour, pole == found)
        quality.cues.add("all", pole == found)
        if pole != found:
            disobeyed.append(f"{behaviour}: {pole} cued, {found} found")
    if not good or disobeyed:
        why = reading.problem or ("" if ended else "did not end") or ("" if reading.on_topic else "off topic")
        reasons = "; ".join(reason for reason in (why, *disobeyed) if reason)
        quality.problems.append(f"[{kind}] {conversation.system!r} | {exchange.user!r} -> {text!r} ({reasons})")


def measure_quality(path: Path, prompts: int = 400, turns: int = 1, temperature: float = 0.8) -> Quality:
    """Let the model at ``path`` answer held-out prompts, each the end of a conversation of ``turns`` exchanges."""
    quality = Quality()
    with Speaker(path, temperature) as speaker:
        for seed, conversation in enumerate(itertools.islice(held_out_conversations(SEED, turns), prompts)):
            spoken = speaker.reply(conversation.messages()[:-1], seed)
            judge(conversation, spoken.text, spoken.reason == "end", quality)
    return quality


def quality_table(quality: Quality) -> str:
    """Both tallies as Markdown."""
    lines = ["| message | replies | ended, on topic, well-formed |", "| --- | ---: | ---: |"]
    lines += [f"| {k} | {n} | {quality.replies.share(k):.1%} |" for k, n in sorted(quality.replies.tried.items())]
    lines += ["", "| cue | replies | obeyed |", "| --- | ---: | ---: |"]
    lines += [f"| {k} | {n} | {quality.cues.share(k):.1%} |" for k, n in sorted(quality.cues.tried.items())]
    return "\n".join(lines)
