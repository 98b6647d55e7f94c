"""``localsteer models``: the models on this disk, found without loading them."""

from __future__ import annotations

from pathlib import Path

import click

from localsteer.cli.options import json_option
from localsteer.cli.output import print_json, size, table
from localsteer.cli.session import Home
from localsteer.errors import ModelError
from localsteer.gguf_header import GgufHeader, check_chat_model, model_id, read_header
from localsteer.library.models import FoundModel, list_models


@click.group()
def models() -> None:
    """The models on this disk."""


@models.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """List GGUF models: the practice model, your own folder, and what other programs have downloaded."""
    home = Home.find()
    found = list_models(home.places, more_folders=home.settings.model_folders)
    described = [_Described(model) for model in found]
    if as_json:
        print_json({"models": [one.document() for one in described]})
        return
    rows = [
        (
            one.model.name,
            size(one.model.size_bytes),
            one.header.quantisation if one.header else "",
            str(one.header.context_length or "") if one.header else "",
            one.model.origin,
            one.problem or "",
        )
        for one in described
    ]
    click.echo(table(rows, ("MODEL", "SIZE", "TYPE", "CONTEXT", "FOUND IN", "")))
    click.echo(f"\nMore are found in {home.places.models} and in `model_folders` of {home.places.settings}.")


@models.command()
@click.argument("model", metavar="M")
@json_option
def info(model: str, as_json: bool) -> None:
    """Show what the model M is, without loading it."""
    home = Home.find()
    path = home.model_path(model)
    header = read_header(path)
    problem = _problem(path)
    document: dict[str, object] = {
        "name": header.name or path.stem,
        "path": str(path),
        "architecture": header.architecture,
        "quantisation": header.quantisation,
        "size_bytes": header.file_size,
        "n_params": header.n_params,
        "n_layer": header.n_layer,
        "n_embd": header.n_embd,
        "context_length": header.context_length,
        "n_vocab": header.n_vocab,
        "vocabulary": header.vocabulary,
        "chat_template": header.chat_template is not None,
        "model_id": model_id(path, header),
        "problem": problem,
    }
    if as_json:
        print_json(document)
    else:
        click.echo(table(_facts(header, document, problem), ("", "")).strip("\n "))


def _facts(header: GgufHeader, document: dict[str, object], problem: str | None) -> list[tuple[str, str]]:
    template = "its own" if header.chat_template else "none: a plain User/Assistant form is used"
    return [
        ("model", str(document["name"])),
        ("architecture", header.architecture or "unknown"),
        ("type", header.quantisation),
        ("size", f"{size(header.file_size)}, {_weights(header)}"),
        ("layers", f"{header.n_layer} of width {header.n_embd}"),
        ("context", f"{header.context_length} tokens" if header.context_length else "unknown"),
        ("vocabulary", f"{header.n_vocab:,} tokens, {header.vocabulary}" if header.n_vocab else "none"),
        ("chat template", template),
        ("can chat here", f"no: {problem}" if problem else "yes"),
        ("can be steered", "no" if problem else "found out by trying when it is loaded"),
        ("id", str(document["model_id"])),
        ("file", str(document["path"])),
    ]


def _weights(header: GgufHeader) -> str:
    return f"{header.n_params / 1e6:,.1f} million weights" if header.n_params else "no weights"


def _problem(path: Path) -> str | None:
    try:
        check_chat_model(path)
    except ModelError as error:
        return str(error)
    return None


class _Described:
    """A found model with its header, or with what is wrong with it."""

    def __init__(self, model: FoundModel) -> None:
        self.model = model
        self.problem = _problem(model.path)
        self.header: GgufHeader | None
        try:
            self.header = model.header()
        except ModelError:
            self.header = None

    def document(self) -> dict[str, object]:
        return {
            "name": self.model.name,
            "path": str(self.model.path),
            "found_in": self.model.origin,
            "collection": self.model.collection,
            "size_bytes": self.model.size_bytes,
            "architecture": self.header.architecture if self.header else "",
            "quantisation": self.header.quantisation if self.header else "",
            "context_length": self.header.context_length if self.header else 0,
            "problem": self.problem,
        }
