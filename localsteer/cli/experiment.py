"""What the experiments of ``eval`` have in common: options, a model to work on, and how the results are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from localsteer.cli.dials import find_vectors, make_dials
from localsteer.cli.options import json_option, model_options
from localsteer.cli.output import note
from localsteer.cli.results import run, show
from localsteer.cli.session import Home, Session, identify
from localsteer.engine.experiment_protocol import Experiment
from localsteer.errors import RecipeError
from localsteer.file_reading import is_file, typed_path
from localsteer.plots.experiments import plot_experiment
from localsteer.plots.style import check_plotting

Command = TypeVar("Command", bound=Callable[..., Any])


def experiment_options(command: Command) -> Command:
    """What :class:`Work` is made of, and ``--controls`` and ``--seed``."""
    for option in (
        json_option,
        click.option("--plot", metavar="OUT.png", help="Draw a picture of it, too."),
        click.option("--fresh", is_flag=True, help="Measure again what was measured before."),
        click.option("--seed", default=0, type=click.IntRange(min=0), metavar="N", help="[default: 0]"),
        click.option(
            "--controls", default=5, type=click.IntRange(0, 100), metavar="N", help="Random vectors.  [default: 5]"
        ),
        model_options,
    ):
        command = option(command)
    return command


class Work:
    """One experiment from the command line: which model it is done with, and how its results are to be shown."""

    def __init__(self, options: dict[str, Any]) -> None:
        """``options``: the values of :func:`experiment_options`. Raises LocalsteerError, before any model is loaded."""
        self.home = Home.find()
        self.picture = None if options["plot"] is None else typed_path(options["plot"])
        if self.picture is not None:
            check_plotting(self.picture)
        self.path = self.home.model_path(options["model"])
        self.model_id = identify(self.path)
        self.seed: int = options["seed"]
        self.controls: int = options["controls"]
        self._as_json: bool = options["as_json"]
        self._options = options

    def open(self) -> Session:
        """The model, to be loaded."""
        options = self._options
        return Session(
            self.home,
            self.path,
            n_ctx=options["n_ctx"],
            threads=options["threads"],
            gpu_layers=options["gpu_layers"],
        )

    def vector(self, name: str | None, session: Session) -> str:
        """The path of the vector ``name``, made from its recipe where it is not there yet; "" for none."""
        if name is None:
            return ""
        (dial,) = make_dials(find_vectors({name: 1.0}, self.model_id, self.home.places), "reply", session)
        return dial.vector_path

    def do(self, suite: str, session: Session, parts: Experiment | list[Experiment], files: list[str]) -> None:
        """Do it, part by part, and show what came of it. Whatever writes vectors is done afresh."""
        kept = None if self._options["fresh"] or suite == "pca" else self.home.places.experiments
        parts = parts if isinstance(parts, list) else [parts]
        results = run(suite, session, self.model_id, parts, files, kept)
        if self.picture is not None:
            plot_experiment(suite, results.tables, self.picture, title=f"{suite} on {results.model}")
            note(f"drew {self.picture}")
        show(results, self.seed, as_json=self._as_json)


def file_for_engine(path: str | None) -> str:
    """A path that the engine process understands, too; "" for none. Raises RecipeError for a file that is not there."""
    if path is None:
        return ""
    found = typed_path(path).absolute()
    if not is_file(found):
        raise RecipeError(f"There is no file {path}; check the path.")
    return str(found)
