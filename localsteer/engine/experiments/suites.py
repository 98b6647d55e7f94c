"""Which experiment a command asks for, and how it begins and ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from localsteer.engine.desk import Desk, Say
from localsteer.engine.experiment_protocol import (
    BreakingExperiment,
    Experiment,
    ExperimentDone,
    LetterExperiment,
    PrincipalExperiment,
    SentimentExperiment,
    SeveralExperiment,
    TopicExperiment,
    Value,
)
from localsteer.engine.experiments import breaking, letters, principal, sentiment, several, topic
from localsteer.engine.experiments.bench import Bench


def run_experiment(desk: Desk, command: Experiment, stopped: Callable[[], bool], say: Say) -> None:
    """Say the rows of the experiment and at last ExperimentDone. Raises LocalsteerError, or Stopped."""
    began = time.perf_counter()
    bench = Bench(desk, command.request, command.seed, stopped, say)
    facts = _run(bench, command)
    bench.check_stop()
    say(
        ExperimentDone(
            command.request,
            model=bench.stamp.name,
            model_id=bench.stamp.model_id,
            seconds=time.perf_counter() - began,
            facts=tuple(facts.items()),
        )
    )


def _run(bench: Bench, command: Experiment) -> Mapping[str, Value]:
    match command:
        case LetterExperiment():
            return letters.run(bench, command)
        case TopicExperiment():
            return topic.run(bench, command)
        case SentimentExperiment():
            return sentiment.run(bench, command)
        case SeveralExperiment():
            return several.run(bench, command)
        case PrincipalExperiment():
            return principal.run(bench, command)
        case BreakingExperiment():
            return breaking.run(bench, command)
