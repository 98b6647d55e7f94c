"""The values of the sampling panel: their names for a person, their steps, and the way back to a Sampling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from localsteer.engine.protocol import Sampling
from localsteer.errors import LocalsteerError
from localsteer.library.places import Places
from localsteer.library.settings import SCHEMA
from localsteer.library.settings_file import set_in_file, unset_in_file
from localsteer.library.settings_sources import typed_value

Value: TypeAlias = float | int | None


@dataclass(frozen=True, slots=True)
class SamplingValue:
    """``name`` in the settings; ``step``: what one press changes; ``unset``: what None is called, empty where there
    is no such thing; ``first``: the value that a step leads to from there.
    """

    name: str
    title: str
    step: float
    unset: str = ""
    first: int = 0

    @property
    def says(self) -> str:
        """Its sentence."""
        return SCHEMA[self.name].says

    @property
    def default(self) -> Value:
        """What it is in a new installation."""
        value: Value = SCHEMA[self.name].default
        return value

    def of(self, sampling: Sampling) -> Value:
        """Its present value."""
        value: Value = getattr(sampling, self.name)
        return value

    def words(self, value: Value) -> str:
        """The value for a person."""
        if value is None:
            return self.unset
        return f"{value:g}" if isinstance(value, float) else str(value)

    def read(self, text: str) -> Value:
        """What was typed; nothing typed, or the word for None, is None or the default. Raises SettingsError."""
        if self.unset and text.strip().lower() in (self.unset, "none"):
            text = ""
        value: Value = typed_value(self.name, text)
        return value

    def stepped(self, value: Value, times: int) -> Value:
        """``times`` steps further, or the same value where that cannot be."""
        if value is None:
            return self.first if times > 0 else None
        if self.unset and value + times * self.step < self.first:
            return None
        wanted = value + times * self.step
        try:
            return self.read(f"{wanted:.6g}" if isinstance(value, float) else str(int(wanted)))
        except LocalsteerError:
            return value


SAMPLING_VALUES = (
    SamplingValue("temperature", "temperature", 0.1),
    SamplingValue("top_k", "top k", 5),
    SamplingValue("top_p", "top p", 0.05),
    SamplingValue("min_p", "min p", 0.01),
    SamplingValue("repeat_penalty", "repeat penalty", 0.05),
    SamplingValue("max_tokens", "most tokens", 64, "no limit", 64),
    SamplingValue("seed", "seed", 1, "random", 0),
)


def with_value(sampling: Sampling, name: str, value: Value) -> Sampling:
    """``sampling`` with one value changed."""
    return replace(sampling, **{name: value})  # type: ignore[arg-type]


def keep_as_defaults(places: Places, sampling: Sampling) -> None:
    """Write the values into the settings file; what is a default anyway is taken out. Raises LocalsteerError."""
    for one in SAMPLING_VALUES:
        value = one.of(sampling)
        if value == one.default:
            unset_in_file(places, one.name)
        else:
            set_in_file(places, one.name, str(value))
