"""``localsteer models pull``: fetch a model from the Hugging Face hub. The one command that uses the network."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from localsteer.cli.options import json_option
from localsteer.cli.output import bar, clear_progress, echo, note, print_json, show_progress, size, table
from localsteer.cli.session import Home
from localsteer.errors import DownloadError
from localsteer.file_reading import real_path
from localsteer.gguf_header import size_of_parts
from localsteer.library.curated_models import CuratedModel, curated_models, read_wanted
from localsteer.library.downloads import DownloadProgress, download_model
from localsteer.library.hub import HubFile, hub_endpoint, list_gguf_files
from localsteer.library.hub_names import HubName
from localsteer.library.models import list_models


@click.command()
@click.argument("model", metavar="[NAME|ORG/REPO[:FILE]]", required=False)
@json_option
def pull(model: str | None, as_json: bool) -> None:
    """Fetch a model from the Hugging Face hub; without a name, show a short list of good ones.

    NAME is one of that list. ORG/REPO alone lists the GGUF files of a repository; FILE is one of them or a
    quantisation such as Q4_K_M. A download that was stopped goes on where it was. It goes to the hub's cache, where
    other programs find it too.
    """
    if model is None:
        _show_list(curated_models(), as_json)
        return
    wanted = read_wanted(model)
    if not wanted.file:
        _ask_for_a_file(wanted)
    try:
        path = download_model(wanted, progress=_show)
    except KeyboardInterrupt:
        clear_progress()
        note("Stopped. What has come is kept: the same command goes on from there.")
        raise
    finally:
        clear_progress()
    name = _name_of(path)
    if as_json:
        print_json({"name": name, "path": str(path), "size_bytes": size_of_parts(path)})
    else:
        echo(f"{path}\n\nChat with it: localsteer chat --model {shlex.quote(name)}")


def _name_of(path: Path) -> str:
    """What `--model` takes for it from now on."""
    home = Home.find()
    found = list_models(home.places, more_folders=home.settings.model_folders)
    return next((model.name for model in found if real_path(model.path) == real_path(path)), str(path))


def _show_list(models: tuple[CuratedModel, ...], as_json: bool) -> None:
    if as_json:
        keys = ("name", "repo", "file", "size_mb", "weights", "licence", "about")
        print_json({"models": [{key: getattr(model, key) for key in keys} for model in models]})
        return
    width = max(len(model.name) for model in models)
    for model in models:
        there = f"{model.size_mb} MB" if model.size_mb < 1000 else f"{model.size_mb / 1000:.1f} GB"
        echo(f"{model.name:{width}}  about {there}, {model.weights} weights, {model.licence}")
        echo(f"{'':{width}}  {model.about}")
    echo(
        "\nFetch one with `localsteer models pull NAME`, or any GGUF file of the Hugging Face hub with\n"
        "`localsteer models pull ORG/REPO:FILE`."
    )


def _ask_for_a_file(wanted: HubName) -> None:
    """Show what the repository has, on stderr, and raise DownloadError that asks to name one."""
    files = list_gguf_files(wanted.repo, hub_endpoint())
    if not files:
        raise DownloadError(f"{wanted.repo} has no GGUF files; look for a repository whose name ends in -GGUF.")
    echo(table([(one.file, _size(one)) for one in files], ("FILE", "SIZE")) + "\n", err=True)
    usual = next((one for one in files if "q4_k_m" in one.file.lower()), files[0])
    example = HubName(wanted.repo, usual.file)
    raise DownloadError(f"{wanted.repo} has {len(files)} GGUF files; name one: `localsteer models pull {example}`.")


def _size(file: HubFile) -> str:
    return size(file.size_bytes) if file.size_bytes else ""


def _show(progress: DownloadProgress) -> None:
    there = f"{size(progress.done)} of {size(progress.total)}"
    line = f"{bar(progress.done / max(1, progress.total))}  {there}"
    match progress.stage:
        case "fetching":
            rate = f"  {size(progress.bytes_per_second)}/s" if progress.bytes_per_second else ""
            left = "" if progress.seconds_left is None else f"  {_time(progress.seconds_left)} left"
            show_progress(f"fetching {line}{rate}{left}")
        case "checking":
            show_progress(f"checking {line}")
        case _:
            show_progress(f"the connection broke, trying again  {there}")


def _time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 90 else f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
