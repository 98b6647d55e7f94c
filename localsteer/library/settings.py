"""All that a person can set: one table that the file, the environment, the command line and the help are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from localsteer.engine.protocol import Sampling
from localsteer.library.setting_values import FOLDERS, KEYS, NAME, SWITCH, TEXT, Kind, number, whole

_SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set.

    ``says`` is its sentence; ``example`` stands in the commented file where the default is None; ``table``: it holds
    many values of its ``kind``, each with a name of its own.
    """

    name: str
    section: str
    default: Any
    kind: Kind
    says: str
    example: Any = None
    table: bool = False

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"LOCALSTEER_{self.name.upper()}"


def _setting(default: Any, kind: Kind, section: str, says: str, *, example: Any = None, table: bool = False) -> Any:
    metadata = {_SETTING: Setting("", section, default, kind, says, example, table)}
    return field(default_factory=dict, metadata=metadata) if table else field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """The values. ``None`` leaves the choice to the app; ``n_ctx`` and ``max_tokens`` in tokens, steps as parts of a
    dial's half bar.
    """

    theme: str | None = _setting(
        None, NAME, "Look", "Colours: dark, light, contrast, contrast-light or 16-colours.", example="light"
    )
    signs: bool = _setting(
        True, SWITCH, "Look", "Whether small signs in a reply show where dials were turned while it was written."
    )
    n_threads: int | None = _setting(
        None, whole(1, 1024), "Model", "Threads that the model computes on; left out: one per core.", example=4
    )
    gpu_layers: int | None = _setting(
        None, whole(0), "Model", "Layers that go onto the GPU; left out: all of them, where there is one.", example=0
    )
    n_ctx: int = _setting(0, whole(0), "Model", "Context in tokens; 0: the model's own, up to 8192.")
    model_folders: tuple[Path, ...] = _setting(
        (), FOLDERS, "Model", "Folders that are searched for GGUF models besides the usual ones."
    )
    system_prompt: str = _setting("", TEXT, "Talking", "What the model is told before a conversation.")
    remember_messages: bool = _setting(
        True, SWITCH, "Talking", "Whether messages that were sent can be fetched back into the input another day."
    )
    temperature: float = _setting(
        0.8, number(0, 100), "Sampling", "How freely words are drawn; 0 always takes the likeliest."
    )
    top_k: int = _setting(40, whole(0), "Sampling", "Draw among so many of the likeliest tokens; 0: among all.")
    top_p: float = _setting(
        0.95, number(0, 1, above=True), "Sampling", "Draw among the likeliest tokens that make up this probability."
    )
    min_p: float = _setting(
        0.05, number(0, 1), "Sampling", "Leave out tokens less likely than this part of the likeliest one."
    )
    repeat_penalty: float = _setting(
        1.0, number(0, 10, above=True), "Sampling", "Above 1 makes what the reply has just said less likely."
    )
    max_tokens: int | None = _setting(
        None, whole(1), "Sampling", "Replies end after so many tokens; left out: when the model ends them.", example=512
    )
    seed: int | None = _setting(
        None, whole(0, (1 << 32) - 1), "Sampling", "The same seed draws the same reply; left out: a new one.", example=1
    )
    coarse_step: float = _setting(
        0.1, number(0, 1, above=True), "Dials", "One turn of a dial, as a part of half its bar."
    )
    fine_step: float = _setting(0.02, number(0, 1, above=True), "Dials", "One fine turn, as a part of half its bar.")
    remember_dials: bool = _setting(True, SWITCH, "Dials", "Whether dials come back as they were left with each model.")
    needles: bool | None = _setting(
        None, SWITCH, "Dials", "Whether dials begin with their needles on; left out: as they were left.", example=True
    )
    keys: Mapping[str, tuple[str, ...]] = _setting(
        {}, KEYS, "Keys", "Keys for commands; `localsteer settings keys` names them all.", table=True
    )

    @property
    def sampling(self) -> Sampling:
        """How replies are drawn."""
        return Sampling(
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            min_p=self.min_p,
            repeat_penalty=self.repeat_penalty,
            seed=self.seed,
            max_tokens=self.max_tokens,
        )


SCHEMA: Mapping[str, Setting] = MappingProxyType(
    {one.name: replace(one.metadata[_SETTING], name=one.name) for one in fields(Settings)}
)
"""Every setting by its name, in the order of the file."""
