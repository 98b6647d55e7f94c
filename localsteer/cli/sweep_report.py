"""What a sweep found, for a person and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product

from localsteer.cli.output import signed, spoken_layers, table
from localsteer.engine.protocol import (
    Event,
    SweepBasis,
    SweepControl,
    SweepPrompting,
    SweepRange,
    SweepRow,
    Swept,
)

_HEADINGS = ("layers", "strength", "effect", "95 % interval", "perplexity ratio", "KL")


@dataclass(frozen=True, slots=True)
class SweepFacts:
    """What it takes to measure the same again. ``windows``: the layers that are steered together, each in turn."""

    vector: str
    vector_digest: str
    method: str
    poles: tuple[str, str]
    model: str
    model_id: str
    recipe: str
    recipe_digest: str
    seed: int
    strengths: tuple[float, ...]
    windows: tuple[tuple[int, ...], ...]
    controls: int
    versions: Mapping[str, str]


@dataclass(slots=True)
class SweepFindings:
    """All that has been said so far."""

    rows: list[SweepRow] = field(default_factory=list)
    controls: list[SweepControl] = field(default_factory=list)
    basis: SweepBasis | None = None
    prompting: SweepPrompting | None = None
    safe: SweepRange | None = None
    end: Swept | None = None

    def add(self, event: Event) -> None:
        """Take note of a finding; other events are none."""
        match event:
            case SweepRow():
                self.rows.append(event)
            case SweepControl():
                self.controls.append(event)
            case SweepBasis():
                self.basis = event
            case SweepPrompting():
                self.prompting = event
            case SweepRange():
                self.safe = event
            case Swept():
                self.end = event
            case _:
                pass

    def random(self, layers: tuple[int, ...], strength: float | None = None) -> list[SweepControl]:
        """The random vectors in one window, at one strength or at all."""
        return [one for one in self.controls if one.layers == layers and strength in (None, one.strength)]


def as_document(facts: SweepFacts, found: SweepFindings) -> dict[str, object]:
    """What ``--json`` prints. What was not measured is null."""
    basis, prompting, safe, end = found.basis, found.prompting, found.safe, found.end
    return {
        "vector": facts.vector,
        "vector_digest": facts.vector_digest,
        "method": facts.method,
        "model": facts.model,
        "model_id": facts.model_id,
        "recipe": facts.recipe,
        "recipe_digest": facts.recipe_digest,
        "seed": facts.seed,
        "strengths": list(facts.strengths),
        "layers": [list(window) for window in facts.windows],
        "controls": facts.controls,
        "pairs": basis and basis.pairs,
        "replies": basis and basis.replies,
        "reply_tokens": basis and basis.reply_tokens,
        "version": facts.versions["localsteer"],
        "versions": dict(facts.versions),
        "complete": end is not None,
        "rows": [_record(row) for row in found.rows],
        "random": [_record(control) for control in found.controls],
        "windows": [_window(layers, found.random(layers)) for layers in facts.windows],
        "random_effect_low": end and end.random_effect_low,
        "random_effect_high": end and end.random_effect_high,
        "prompting_effect_positive": prompting and prompting.positive,
        "prompting_effect_negative": prompting and prompting.negative,
        "safe_low": safe and safe.low,
        "safe_high": safe and safe.high,
        "safe_layers": safe and list(safe.layers),
        "safe_bounds": safe
        and {
            "perplexity_ratio": safe.perplexity_bound,
            "kl_95": safe.kl_95_bound,
            "addition": safe.addition_bound,
        },
    }


def as_text(facts: SweepFacts, found: SweepFindings) -> str:
    """The same for a person."""
    title = f"{facts.vector} on {facts.model}" + (f", by {facts.method}" if facts.method else "")
    rows = [*map(_row, found.rows), *_random_rows(facts, found)]
    return "\n".join([title, "", table(rows, _HEADINGS), "", *_remarks(facts, found)]).rstrip()


def _remarks(facts: SweepFacts, found: SweepFindings) -> Iterator[str]:
    if found.controls:
        yield f"random: {facts.controls} random vectors of the same norms, their mean, the least and the most"
    if found.prompting is not None and found.prompting.positive is not None:
        yield "plain prompting: " + ", ".join(
            f"{effect:+.3f}" + (f" ({pole})" if pole else "")
            for effect, pole in zip((found.prompting.positive, found.prompting.negative), facts.poles, strict=True)
            if effect is not None
        )
    if found.safe is not None:
        safe = found.safe
        where = f" at layers {spoken_layers(safe.layers)}" if len(facts.windows) > 1 else ""
        yield (
            f"safe from {signed(safe.low)} to {signed(safe.high)}{where}: perplexity ratio at most "
            f"{safe.perplexity_bound:g}, 95th percentile of KL at most {safe.kl_95_bound:g}, "
            f"addition at most {safe.addition_bound:g} of the residual norm"
        )
    if found.basis is not None:
        basis = found.basis
        yield f"effects on {basis.pairs} contrasts, costs on {basis.replies} replies of {basis.reply_tokens} tokens"


def _row(row: SweepRow) -> tuple[str, ...]:
    return (
        spoken_layers(row.layers),
        signed(row.strength),
        f"{row.effect:+.3f}",
        f"{row.effect_low:+.3f} to {row.effect_high:+.3f}",
        f"{row.perplexity_ratio:.2f}",
        f"{row.kl:.3f}",
    )


def _random_rows(facts: SweepFacts, found: SweepFindings) -> Iterator[tuple[str, ...]]:
    for layers, strength in product(facts.windows, sorted({one.strength for one in found.controls})):
        random = found.random(layers, strength)
        if random:
            effects, costs = _ends(one.effect for one in random), _ends(one.perplexity_ratio for one in random)
            yield (
                f"{spoken_layers(layers)} random",
                signed(strength),
                f"{sum(one.effect for one in random) / len(random):+.3f}",
                "–" if effects is None else f"{effects[0]:+.3f} to {effects[1]:+.3f}",
                "–" if costs is None else f"{costs[0]:.2f} to {costs[1]:.2f}",
                "",
            )


def _window(layers: tuple[int, ...], random: Sequence[SweepControl]) -> dict[str, object]:
    effects = _ends(one.effect for one in random) or (None, None)
    costs = _ends(one.perplexity_ratio for one in random) or (None, None)
    return {
        "layers": list(layers),
        "random_effect_low": effects[0],
        "random_effect_high": effects[1],
        "random_perplexity_ratio_low": costs[0],
        "random_perplexity_ratio_high": costs[1],
    }


def _ends(values: Iterable[float]) -> tuple[float, float] | None:
    """The least and the most of those that are numbers."""
    numbers = [value for value in values if not math.isnan(value)]
    return (min(numbers), max(numbers)) if numbers else None


def _record(finding: SweepRow | SweepControl) -> dict[str, object]:
    return {key: value for key, value in asdict(finding).items() if key != "request"}
