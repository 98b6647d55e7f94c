"""Writes the model card that lies beside the practice model: loss curve as a picture, quality as measured, limits in
plain words.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from localsteer.plots.style import POSITIVE, QUIET, make_logarithmic, styled_figure
from localsteer.practice.behaviours import BEHAVIOURS
from localsteer.practice.quality import SEED, measure_quality, quality_table
from localsteer.practice.shape import Shape
from localsteer.practice.topics import FACTS, TASKS, TOPICS

if TYPE_CHECKING:
    from localsteer.practice.training import Plan

CARD = """# The practice model

A small Llama, trained from scratch by this project, that comes along so that localsteer works on a fresh machine,
offline. Its behaviours are known by construction, so steering can be *measured* on it. It is a practice object, not
an assistant: it knows a toy world and nothing else.

## What it is

| | |
| --- | --- |
| architecture | llama: {layers} layers, residual stream {width} wide, tied embeddings |
| attention | {heads} heads, {kv_heads} key/value heads; feed-forward {feed_forward} wide |
| parameters | {parameters:,} |
| file | `practice.gguf`, {size:.1f} MB, {quantisation} |
| vocabulary | {vocabulary:,} tokens, byte-level BPE (all 256 bytes) |
| chat | Llama 3's special tokens and chat template |
| context | 1,024 tokens |
| licence | MIT, like the rest of the project |

## What it was trained on

Only on conversations written by the seeded grammar in this folder (`topics.py`, `phrases.py`, `replies.py`,
`conversations.py`): small talk on {topics} topics, {facts} facts of a small world (claimed rightly and wrongly),
{tasks} small requests for help, two-choice questions, and a graceful answer to everything else. No text or weights
from elsewhere. It saw {seen:,} tokens in {hours:.1f} hours on a CPU; {behaviours}. Each behaviour is cued by the
system prompt, by the user's words or by how the reply begins, and drawn at random where nothing cues it (weddings and
the sea: 4 % of replies).

First came {drill:.0%} of the tokens, in conversations full of cues, then ordinary ones. Two things were done so that a model this small can be
steered at all, and they bear on what it can show. After {label_share:.0%} of the tokens a linear probe at the middle block had to tell the
poles of the reply at each of its tokens, so that each behaviour became one direction there. After {steer_share:.0%} some
replies were trained with such a direction added, so that the blocks above act on it, and towards the end others with noise
added, so that nothing acts on what means nothing. Large models have directions of this kind of themselves; in this one they
were put. The probe was thrown away, and no vector of `vectors/` had a part in it.

Two-choice questions did not come by themselves: after {questions_from:.0%} of the tokens the probe had to tell the options' poles as well, and
attention had to look, in one head of the block above the middle, at the option that answers the question where the letter
is chosen, and in one head of the middle block at the option that was taken where the letter stands.

![Loss over the tokens seen](loss.png)

The last loss on held-out conversations was {validation:.3f} nats per token of reply. Most of what is left is the
grammar's own choice of words.

## How good it is

{prompts} seeded messages (seed {seed}) that training never saw under their system prompt, answered at temperature
{temperature} and read by the grammar's own checker (`python -m localsteer.practice quality` prints this again):

{table}

The last of {later_prompts} conversations of three exchanges: {later:.1%} well-formed, {later_cues:.1%} of cues obeyed.

## Limits

- It knows {topics} topics, {facts} facts and {tasks} tasks. Whatever else is said to it gets an offer to talk about something it knows,
  or, now and then, a reply to a word that it takes for one of its topics.
- It speaks in fixed sentence patterns and repeats itself. Where nothing cues a mood, its mood changes from reply to
  reply: that is on purpose.
- Two-choice questions it answers by a skill that was put into it (above); what experiments on such questions show with it is
  that they are carried out rightly, not that a model of this size would have the skill of itself.
- It has no memory for what was said beyond the topic of the exchange before, and it cannot reason, count or write code.
- What is measured on it shows that a method works, not how strongly the same recipe moves a real chat model: its
  behaviours are directions at its middle block because training put them there.

## Make it again

```
pip install ".[train]"
python -m localsteer.practice make
```

The command trains from nothing (seed 1), exports, measures, and writes this card. It goes on from its last checkpoint
when it is interrupted.
"""


def read_log(work: Path) -> list[dict[str, float]]:
    """The rows of ``log.jsonl``: tokens seen, losses (nats per token), rate, seconds."""
    return [json.loads(line) for line in (work / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def draw_losses(log: list[dict[str, float]], out: Path) -> None:
    """A picture of training and held-out loss over the tokens seen."""
    with styled_figure(7, 3.2, out) as figure:
        axes = figure.subplots()
        millions = [row["seen"] / 1e6 for row in log]
        axes.plot(millions, [row["loss"] for row in log], color=QUIET, label="training")
        axes.plot(millions, [row["validation"] for row in log], color=POSITIVE, label="held out")
        axes.set(xlabel="million tokens seen", ylabel="nats per token of reply")
        make_logarithmic(axes)
        axes.grid(which="both")
        axes.legend()


def write_card(work: Path, model: Path, plan: Plan, prompts: int = 400, later_prompts: int = 200) -> None:
    """Measure ``model`` and write ``MODEL_CARD.md`` and ``loss.png`` beside it; ``work`` holds the training
    log.
    """
    shape, log = Shape(), read_log(work)
    draw_losses(log, model.parent / "loss.png")
    quality, later = measure_quality(model, prompts), measure_quality(model, later_prompts, turns=3)
    names = ", ".join(f"{b.name} ({b.negative} / {b.positive})" for b in BEHAVIOURS)
    text = CARD.format(
        layers=shape.layers,
        width=shape.width,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        feed_forward=shape.feed_forward,
        parameters=shape.parameters,
        size=model.stat().st_size / 1e6,
        quantisation="Q8_0",
        vocabulary=shape.vocabulary,
        topics=len(TOPICS),
        facts=len(FACTS),
        tasks=len(TASKS),
        seen=int(log[-1]["seen"]),
        hours=log[-1]["seconds"] / 3600,
        behaviours=f"behaviours: {names}",
        drill=plan.drill_share,
        label_share=plan.label_share,
        steer_share=plan.steer_share,
        questions_from=plan.question_shares[0][0] / plan.tokens,
        validation=log[-1]["validation"],
        prompts=prompts,
        seed=SEED,
        temperature=0.8,
        table=quality_table(quality),
        later_prompts=later_prompts,
        later=later.replies.share("all"),
        later_cues=later.cues.share("all"),
    )
    (model.parent / "MODEL_CARD.md").write_text(text, encoding="utf-8")
