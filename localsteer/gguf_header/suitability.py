"""Whether a GGUF file is a model that can chat on this machine, found out before llama.cpp is asked to load it.

llama.cpp ends the whole process on some files that it does not like; what can be known beforehand is said here in one
sentence.
"""

from __future__ import annotations

import struct
from pathlib import Path

import psutil

from localsteer.errors import ModelError
from localsteer.gguf_header.reader import GgufHeader, damaged, read_header
from localsteer.gguf_header.soundness import check_figures, check_tensors
from localsteer.gguf_header.split import check_parts, part_named, parts_of, size_of_parts
from localsteer.gguf_header.vocabulary import check_vocabulary

_ENCODERS = {
    "bert",
    "clip",
    "deepseek2ocr",
    "eurobert",
    "gemma-embedding",
    "jina-bert-v2",
    "jina-bert-v3",
    "llama-embed",
    "modern-bert",
    "neo-bert",
    "nomic-bert",
    "nomic-bert-moe",
    "t5encoder",
    "wavtokenizer-dec",
}
_OTHER_FILES = {
    "controlvector": "a control vector, not a model; add it with 'localsteer vectors import'",
    "imatrix": "an importance matrix for quantising, not a model",
    "adapter": "a LoRA adapter, not a model",
}
_DIFFUSION = "a diffusion model, which writes all words at once; choose one that writes them one after the other"
_DRAFT = "a draft model, which only helps another one; choose a chat model"
_OTHER_WRITERS = {
    "dflash": _DRAFT,
    "dream": _DIFFUSION,
    "eagle3": _DRAFT,
    "gemma4-assistant": _DRAFT,
    "llada": _DIFFUSION,
    "llada-moe": _DIFFUSION,
    "rnd1": _DIFFUSION,
    "t5": "an encoder with a decoder (t5), which answers no chat; choose a chat model",
}
"""By architecture: what llama.cpp loads and does not write with token by token, or not by itself."""
_UINT16 = 2  # GGUF's number for the type
_MARGIN = 1.1
"""Beside the weights: KV cache, compute buffers and the program itself."""


def check_chat_model(path: Path, *, in_memory: bool = True) -> GgufHeader:
    """The header of ``path`` if it is a model that can chat here. Raises ModelError with one sentence otherwise:

    what :func:`check_kind` refuses, a part of a split model that is missing or damaged, too large for the memory.
    ``in_memory`` False: the weights go to a graphics card with a memory of its own, so the machine's need not hold
    them.
    """
    header = read_header(path)
    check_kind(path, header)
    check_parts(path)
    _check_later_parts(path)
    try:
        check_vocabulary(path, header)
    except (OSError, struct.error):  # it was there a moment ago
        raise ModelError(f"{path} was changed while it was read; try again.") from None
    if in_memory:
        _check_memory(path, size_of_parts(path))
    return header


def check_kind(path: Path, header: GgufHeader) -> None:
    """Raise ModelError if ``header`` is not that of a model that can write: vocabulary without weights, encoder,
    control vector, LoRA adapter, later part of a split model.
    """
    kind = _other_file(header)
    if kind is not None:
        raise ModelError(f"{path} is {kind}.")
    if header.number("split.no") > 0:
        count = header.number("split.count")
        raise ModelError(
            f"{path} is a later part of a model in {count} files; name the first one (-00001-of-{count:05})."
        )
    if header.number("split.count") > 1 and part_named(path.name) is None:
        raise ModelError(
            f"{path} is the first part of a model in {header.number('split.count')} files and was renamed; "
            f"give it back its name (NAME-00001-of-{header.number('split.count'):05}.gguf)."
        )
    if not header.tensors:
        raise ModelError(f"{path} holds a vocabulary and no weights; a complete model is needed to chat.")
    if not _is_causal(header):
        raise ModelError(f"{path} is an encoder ({header.architecture}), which cannot write; choose a chat model.")
    if header.n_layer < 1 or header.n_embd < 1:
        raise ModelError(f"{path} does not say how many layers it has ({header.architecture or 'no architecture'}).")
    check_tensors(path, header)
    check_figures(path, header)


def _check_later_parts(path: Path) -> None:
    """llama.cpp reads them as it reads the first one, and dies of the same."""
    for part in parts_of(path)[1:]:
        header = read_header(part)
        if header.types.get("split.no") != _UINT16:
            raise damaged(part, "it does not say which part of a model it is")
        check_tensors(part, header)


def _other_file(header: GgufHeader) -> str | None:
    if header.architecture == "controlvector":
        return _OTHER_FILES["controlvector"]
    kind = header.text("general.type") or ""
    if kind == "mmproj" or header.architecture == "clip":
        return "a vision projector that goes with a model, not a model"
    return _OTHER_FILES.get(kind) or _OTHER_WRITERS.get(header.architecture)


def _is_causal(header: GgufHeader) -> bool:
    return (
        header.architecture not in _ENCODERS
        and header.metadata.get(f"{header.architecture}.attention.causal") is not False
    )


def _check_memory(path: Path, nbytes: int) -> None:
    """Weights are mapped, so memory that other programs hold for the moment is no reason to refuse; memory that is
    not there is.
    """
    there = psutil.virtual_memory().total
    needed = int(nbytes * _MARGIN)
    if needed > there:
        raise ModelError(
            f"{path} is too large for this machine: it needs about {needed / 2**30:.1f} GiB of memory, "
            f"and the machine has {there / 2**30:.1f} GiB. Choose a smaller model or a smaller quantisation of it."
        )
