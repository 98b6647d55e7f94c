"""The models that can be had, as lines of a list: those on this disk, and a few that can be downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from localsteer.errors import DownloadError
from localsteer.library.byte_words import size
from localsteer.library.curated_models import curated_models
from localsteer.library.hub import hub_endpoint, list_gguf_files
from localsteer.library.hub_names import HubName, read_hub_name
from localsteer.library.memory_fit import Verdict
from localsteer.library.models import FoundModel, list_models
from localsteer.library.places import Places

_STEERING = {"yes": "can be steered", "no": "cannot be steered", "unknown": "steering is found out by trying"}

Doing: TypeAlias = Literal["open", "fetch", "look"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A line of the list. ``facts``: what is known of it; ``problem``: why it cannot be had, a sentence.

    ``path`` is set for a model on this disk, ``hub`` for one that is to be downloaded; without a file's name it is a
    whole repository that can be looked at.
    """

    name: str
    facts: tuple[str, ...] = ()
    about: str = ""
    verdict: Verdict | None = None
    problem: str = ""
    path: Path | None = None
    hub: HubName | None = None

    @property
    def doing(self) -> Doing:
        """What choosing it does: open the model, fetch it, or look at what its repository has."""
        if self.hub is None:
            return "open"
        return "fetch" if self.hub.file else "look"

    @property
    def haystack(self) -> str:
        """Where a search looks."""
        return " ".join((self.name, *self.facts, self.about, str(self.hub or ""))).lower()


def offers_on_disk(places: Places, more_folders: Iterable[Path], n_ctx: int) -> tuple[Offer, ...]:
    """The models on this disk, those that cannot chat at the end. Looks at many files: not for the thread that paints.

    ``n_ctx`` in tokens, 0 for the default; it decides whether a model fits.
    """
    found = [_on_disk(model, n_ctx) for model in list_models(places, more_folders=more_folders)]
    return tuple(sorted(found, key=lambda offer: bool(offer.problem)))


def _on_disk(model: FoundModel, n_ctx: int) -> Offer:
    facts, problem = model.facts, model.problem
    verdict = None if problem else model.memory_fit(n_ctx).verdict
    shown = [
        size(model.size_bytes),
        facts.quantisation,
        f"{facts.context_length:,} tokens" if facts.context_length else "",
        verdict or "",
        "" if problem else _STEERING[facts.steering],
        model.origin,
    ]
    # The folder is long and the same for many; the name tells them apart.
    short = problem.replace(f"{model.path.parent}{os.sep}", "")
    return Offer(model.name, tuple(filter(None, shown)), "", verdict, short, model.path)


def offers_to_fetch(on_disk: Iterable[Offer]) -> tuple[Offer, ...]:
    """The short list of good small models, without those that are on this disk."""
    here = {offer.path.name.lower() for offer in on_disk if offer.path is not None}
    return tuple(
        Offer(
            model.name,
            (f"about {_about(model.size_mb)}", f"{model.weights} weights", model.licence),
            model.about,
            hub=model.hub_name,
        )
        for model in curated_models()
        if model.file.rsplit("/", 1)[-1].lower() not in here
    )


def _about(megabytes: int) -> str:
    return f"{megabytes} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def offer_typed(text: str) -> Offer | None:
    """What ``text`` names on the hub, None where it names nothing there."""
    if "/" not in text:
        return None
    try:
        name = read_hub_name(text)
    except DownloadError:
        return None
    about = "Downloads it." if name.file else "Asks the hub which GGUF files this repository has."
    return Offer(str(name), about=about, hub=name)


def offers_of(repository: HubName) -> tuple[Offer, ...]:
    """The GGUF files of a repository. Asks the hub: takes its time, and raises DownloadError."""
    files = list_gguf_files(repository.repo, hub_endpoint())
    if not files:
        raise DownloadError(f"{repository.repo} has no GGUF files; look for a repository whose name ends in -GGUF.")
    return tuple(
        Offer(one.file, (size(one.size_bytes),) if one.size_bytes else (), hub=HubName(one.repo, one.file))
        for one in files
    )
