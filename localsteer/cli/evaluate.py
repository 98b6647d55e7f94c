"""``localsteer eval``: the papers' own experiments, on any model; or one vector, beside its controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from localsteer.cli.contrasts import read_words
from localsteer.cli.experiment import Work, experiment_options, file_for_engine
from localsteer.cli.options import FiniteRange, read_layers
from localsteer.cli.sweep import read_grid, sweep
from localsteer.engine.experiment_protocol import (
    BreakingExperiment,
    Experiment,
    LetterExperiment,
    LetterSet,
    PrincipalExperiment,
    SentimentExperiment,
    SeveralExperiment,
    TopicExperiment,
)
from localsteer.errors import DialError, RecipeError
from localsteer.library.letter_sets import find_letter_set
from localsteer.library.places import Places
from localsteer.library.recipes import find_recipe
from localsteer.library.vectors import VectorLibrary

_WORDS_OR_VECTOR = 'Give two texts with --words "Love/Hate", or a vector with --vector NAME.'


class _Suites(click.Group):
    """A name that is no suite is a vector's, and is measured by ``sweep`` at −1, 0 and +1."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            grid = [] if any(arg.startswith("--strengths") for arg in args) else ["--strengths", "-1,0,1"]
            return "sweep", sweep, [*args, *grid]
        return super().resolve_command(ctx, args)


@click.group("eval", cls=_Suites, subcommand_metavar="SUITE|NAME ...")
def evaluate() -> None:
    """Repeat a paper's experiment on the loaded model, or measure the vector NAME at -1, 0 and +1.

    Random vectors of the same norms are measured beside every result. Ctrl+C keeps what is done.
    """


@evaluate.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--layers", metavar="A-B|A,B", help="Layers to try.  [default: all]")
@click.option(
    "--multiplier", default=1.0, type=FiniteRange(), metavar="X", help="How many mean differences.  [default: 1]"
)
@click.option("--knowledge", metavar="FILE", help="Two-choice questions of fact.  [default: forty easy ones]")
@experiment_options
def caa(files: tuple[str, ...], layers: str | None, multiplier: float, knowledge: str | None, **options: Any) -> None:
    """Two-choice questions (arXiv 2312.06681): how much likelier the matching letter becomes.

    FILE: questions in CAA's form, every fifth of which is held out; or a folder with generate_dataset.json and
    test_dataset_ab.json. A prompts.json beside them, {"positive": "You are …", "negative": "…"}, adds plain prompting.
    """
    work = Work(options)
    sets = tuple(
        LetterSet(found.name, str(found.train), str(found.test or ""), found.prompts)
        for found in map(find_letter_set, map(Path, files))
    )
    known = file_for_engine(knowledge)
    parts: list[Experiment] = [
        LetterExperiment(
            0,
            (one,),
            layers=read_layers(layers) or (),
            knowledge_path=known,
            multiplier=multiplier,
            controls=work.controls,
            seed=work.seed,
        )
        for one in sets
    ]
    used = [path for one in sets for path in (one.train_path, one.test_path)]
    with work.open() as session:
        work.do("caa", session, parts, [*used, known])


@evaluate.command("actadd-topic")
@click.option("--words", metavar="POS/NEG", help='Two texts that make the vector, like " weddings/ ".')
@click.option("--vector", metavar="NAME", help="A recipe or vector instead of two texts.")
@click.option("--topic", required=True, metavar="FILE", help="Texts about the topic.")
@click.option("--others", required=True, metavar="FILE", help="Texts about anything else.")
@click.option("--topic-words", required=True, metavar="A,B,…", help="Beginnings of words that count as the topic.")
@click.option("--layers", metavar="A-B|A,B", help="Layers to try.  [default: all]")
@click.option("--strengths", default="0.5,1,2", metavar="A:B:STEP|A,B", help="[default: 0.5,1,2]")
@click.option("--completions", default=60, type=click.IntRange(1, 1000), metavar="N", help="[default: 60]")
@click.option("--raw", is_flag=True, help="Without a chat template, for base models.")
@experiment_options
def actadd_topic(
    words: str | None,
    vector: str | None,
    topic: str,
    others: str,
    topic_words: str,
    layers: str | None,
    strengths: str,
    completions: int,
    raw: bool,
    **options: Any,
) -> None:
    """A topic vector (arXiv 2308.10248): perplexity of sentences of the topic and of others; how often it comes up.

    Texts are read as replies: one on each line, or a JSON list of texts or of {"prompt": …, "text": …}.
    """
    work = Work(options)
    pair = read_words(words, vector, _WORDS_OR_VECTOR)
    with work.open() as session:
        command = TopicExperiment(
            0,
            topic_path=file_for_engine(topic),
            others_path=file_for_engine(others),
            topic_words=_list(topic_words),
            vector_path=work.vector(vector, session),
            words=pair,
            layers=read_layers(layers) or (),
            strengths=read_grid(strengths),
            completions=completions,
            raw=raw,
            controls=work.controls,
            seed=work.seed,
        )
        work.do("actadd-topic", session, command, [command.topic_path, command.others_path, command.vector_path])


@evaluate.command("actadd-sentiment")
@click.argument("prompts", metavar="PROMPTS")
@click.option("--words", metavar="POS/NEG", help='Two texts that make the vector, like "Love/Hate".')
@click.option("--vector", metavar="NAME", help="A recipe or vector instead of two texts.")
@click.option("--positive-words", default="", metavar="A,B,…", help="[default: a list in the box]")
@click.option("--negative-words", default="", metavar="A,B,…", help="[default: a list in the box]")
@click.option("--layers", metavar="A-B|A,B", help="Layers to try.  [default: the vector's]")
@click.option("--strengths", default="0.5,1,2", metavar="A:B:STEP|A,B", help="[default: 0.5,1,2]")
@click.option("--raw", is_flag=True, help="Without a chat template, for base models.")
@experiment_options
def actadd_sentiment(
    prompts: str,
    words: str | None,
    vector: str | None,
    positive_words: str,
    negative_words: str,
    layers: str | None,
    strengths: str,
    raw: bool,
    **options: Any,
) -> None:
    """From negative to positive (arXiv 2308.10248): how many answers to PROMPTS turn, how fluent and relevant they are.

    PROMPTS: one on each line, or a JSON list. Sentiment is counted by words.
    """
    work = Work(options)
    pair = read_words(words, vector, _WORDS_OR_VECTOR)
    with work.open() as session:
        command = SentimentExperiment(
            0,
            prompts_path=file_for_engine(prompts),
            vector_path=work.vector(vector, session),
            words=pair,
            positive_words=_list(positive_words),
            negative_words=_list(negative_words),
            layers=read_layers(layers) or (),
            strengths=read_grid(strengths),
            raw=raw,
            controls=work.controls,
            seed=work.seed,
        )
        work.do("actadd-sentiment", session, command, [command.prompts_path, command.vector_path])


@evaluate.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME NAME...")
@click.option("--layers", metavar="A-B|A,B", help="Layers to share out.  [default: neighbours of the default one]")
@click.option("--strength", default=1.0, type=FiniteRange(), metavar="X", help="Of each vector.  [default: 1]")
@experiment_options
def several(names: tuple[str, ...], layers: str | None, strength: float, **options: Any) -> None:
    """Several vectors at once (arXiv 2403.05767): merged, at one layer, each at its own; what each keeps of its effect.

    NAME: recipes; every vector is measured on the contrasts of its recipe.
    """
    work = Work(options)
    if len(set(names)) < max(2, len(names)):
        raise DialError("Name at least two different recipes.")
    recipes = [_recipe(name, work.home.places) for name in names]
    with work.open() as session:
        paths = tuple(work.vector(name, session) for name in names)
        command = SeveralExperiment(
            0,
            vector_paths=paths,
            recipe_paths=tuple(map(str, recipes)),
            strength=strength,
            layers=read_layers(layers) or (),
            controls=work.controls,
            seed=work.seed,
        )
        work.do("several", session, command, [*paths, *map(str, recipes)])


@evaluate.command()
@click.argument("file", metavar="FILE")
@click.option("--components", default=5, type=click.IntRange(1, 50), metavar="N", help="[default: 5]")
@click.option("--layer", default=0, type=click.IntRange(min=0), metavar="N", help="[default: the middle one]")
@click.option("--raw", is_flag=True, help="Without a chat template, for base models.")
@click.option("--keep/--no-keep", default=True, help="Store each direction as a dial.  [default: keep]")
@experiment_options
def pca(file: str, components: int, layer: int, raw: bool, keep: bool, **options: Any) -> None:
    """The directions along which the texts in FILE differ most, without labels; each becomes a dial.

    FILE: one text on each line, or a JSON list of texts or of {"prompt": …, "text": …}.
    """
    work = Work(options)
    folder = VectorLibrary.at(work.home.places).path_for("any", work.model_id).parent if keep else None
    command = PrincipalExperiment(
        0,
        texts_path=file_for_engine(file),
        out_folder=str(folder or ""),
        components=components,
        layer=layer,
        raw=raw,
        seed=work.seed,
    )
    with work.open() as session:
        work.do("pca", session, command, [command.texts_path])


@evaluate.command()
@click.argument("name", metavar="NAME")
@click.option("--strengths", default="0.5,1,2,4,8", metavar="A:B:STEP|A,B", help="[default: 0.5,1,2,4,8]")
@experiment_options
def breaking(name: str, strengths: str, **options: Any) -> None:
    """Why a strong vector breaks a model: what it does at each layer, and to the next-token distribution."""
    work = Work(options)
    grid = read_grid(strengths)
    if not any(grid):
        raise DialError("Name at least one strength other than 0.")
    recipe = find_recipe(name, work.home.places)
    with work.open() as session:
        command = BreakingExperiment(
            0,
            vector_path=work.vector(name, session),
            recipe_path=str(recipe.path) if recipe is not None else "",
            strengths=grid,
            seed=work.seed,
        )
        work.do("breaking", session, command, [command.vector_path, command.recipe_path])


def _list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _recipe(name: str, places: Places) -> Path:
    recipe = find_recipe(name, places)
    if recipe is None:
        raise RecipeError(f'There is no recipe named "{name}" to measure on.')
    return recipe.path
