"""``localsteer models``: the models on this disk, found without loading them, and those that can be fetched."""

from __future__ import annotations

import click

from localsteer.cli.model_table import fit_words, model_table, steering_words
from localsteer.cli.options import json_option
from localsteer.cli.output import echo, echo_styled, print_json, size, table
from localsteer.cli.pull import pull
from localsteer.cli.session import Home
from localsteer.gguf_header import GgufHeader, model_id, parts_of, read_header
from localsteer.library.memory_fit import MemoryFit
from localsteer.library.model_facts import read_facts
from localsteer.library.models import FoundModel, list_models


@click.group()
def models() -> None:
    """The models on this disk, and those that can be fetched."""


models.add_command(pull)


@models.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """List GGUF models: the practice model, your own folder, and what other programs have downloaded."""
    home = Home.find()
    found = list_models(home.places, more_folders=home.settings.model_folders)
    if as_json:
        print_json({"models": [_document(model, home.settings.n_ctx) for model in found]})
        return
    echo_styled(model_table(found, home.settings.n_ctx))
    echo(
        f"\nMore are found in {home.places.models} and in `model_folders` of {home.places.settings};\n"
        "`localsteer models pull` fetches one."
    )


@models.command()
@click.argument("model", metavar="M")
@json_option
def info(model: str, as_json: bool) -> None:
    """Show what the model M is and what it needs, without loading it."""
    home = Home.find()
    path = home.model_path(model)
    header = read_header(path)
    found = FoundModel(header.name or path.stem, path, "", facts=read_facts(path))
    fit = found.memory_fit(home.settings.n_ctx)
    document: dict[str, object] = {
        "name": found.name,
        "path": str(path),
        "architecture": header.architecture,
        "quantisation": header.quantisation,
        "size_bytes": found.size_bytes,
        "parts": len(parts_of(path)),
        "n_params": header.n_params,
        "n_layer": header.n_layer,
        "n_embd": header.n_embd,
        "context_length": header.context_length,
        "n_vocab": header.n_vocab,
        "vocabulary": header.vocabulary,
        "chat_template": header.chat_template is not None,
        "model_id": model_id(path, header),
        "steering": found.facts.steering,
        "memory": _memory(fit),
        "problem": found.problem or None,
    }
    if as_json:
        print_json(document)
    else:
        echo(table(_said(found, header, fit, str(document["model_id"])), ("", "")).strip("\n "))


def _document(model: FoundModel, n_ctx: int) -> dict[str, object]:
    return {
        "name": model.name,
        "path": str(model.path),
        "found_in": model.origin,
        "collection": model.collection,
        "size_bytes": model.size_bytes,
        "architecture": model.facts.architecture,
        "quantisation": model.facts.quantisation,
        "context_length": model.facts.context_length,
        "steering": model.facts.steering,
        "memory": _memory(model.memory_fit(n_ctx)),
        "problem": model.problem or None,
    }


def _memory(fit: MemoryFit) -> dict[str, object]:
    """Bytes, but for the verdict and the context (tokens)."""
    return {
        "verdict": fit.verdict,
        "n_ctx": fit.need.n_ctx,
        "needed": fit.need.total,
        "weights": fit.need.weights,
        "cache": fit.need.cache,
        "buffers": fit.need.buffers,
        "available": fit.available,
        "total": fit.total,
    }


def _said(found: FoundModel, header: GgufHeader, fit: MemoryFit, identity: str) -> list[tuple[str, str]]:
    parts = len(parts_of(found.path))
    template = "its own" if header.chat_template else "none: a plain User/Assistant form is used"
    in_parts = f" in {parts} files" if parts > 1 else ""
    trained = f"trained with {header.context_length:,} tokens" if header.context_length else "unknown"
    return [
        ("model", found.name),
        ("architecture", header.architecture or "unknown"),
        ("type", header.quantisation),
        ("size", f"{size(found.size_bytes)}{in_parts}, {_weights(header, parts)}"),
        ("layers", f"{header.n_layer} of width {header.n_embd}"),
        ("context", f"{trained}; loaded with {fit.need.n_ctx:,} (n_ctx in the settings changes it)"),
        ("vocabulary", f"{header.n_vocab:,} tokens, {header.vocabulary}" if header.n_vocab else "none"),
        ("chat template", template),
        ("can chat here", f"no: {found.problem}" if found.problem else "yes"),
        ("can be steered", steering_words(found)),
        ("memory", fit_words(fit)),
        (
            "",
            f"needed {size(fit.need.total)}: weights {size(fit.need.weights)}, cache of {fit.need.n_ctx:,} tokens "
            f"{size(fit.need.cache)}, buffers and program {size(fit.need.buffers)}",
        ),
        ("", f"free now {size(fit.available)} of {size(fit.total)}"),
        ("id", identity),
        ("file", str(found.path)),
    ]


def _weights(header: GgufHeader, parts: int) -> str:
    if not header.n_params:
        return "no weights"
    return f"{header.n_params / 1e6:,.1f} million weights{' in the first file' if parts > 1 else ''}"
