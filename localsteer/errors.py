"""The one family of errors whose message tells a person what to do next.

Every error that a user can cause is a :class:`LocalsteerError`; the command line prints its message as one line and
exits with status 2, the app shows it as a notice. Anything else that is raised is a defect of ours.
"""

from __future__ import annotations

import unicodedata

_LONGEST = 1000
_LONGEST_VALUE = 80


def sentence(text: str) -> str:
    """A message as one line of a length that can be read, without control characters: it may quote what stands in files
    of strangers.
    """
    text = " ".join(text.split()) if len(text) <= _LONGEST else " ".join(f"{text[:600]} … {text[-300:]}".split())
    return "".join("\ufffd" if unicodedata.category(one) in {"Cc", "Cs"} else one for one in text)


def quoted(value: object) -> str:
    """A value of a file, short enough for a sentence."""
    try:
        shown = repr(value)
    except (ValueError, RecursionError):  # Python spells no number of more than some thousand digits
        return "what it is"
    return shown if len(shown) <= _LONGEST_VALUE else shown[: _LONGEST_VALUE - 1] + "…"


class LocalsteerError(Exception):
    """An error a person can mend. ``str(error)`` is one clear sentence that says how."""

    exit_status = 2

    def __str__(self) -> str:
        return sentence(super().__str__())


class ModelError(LocalsteerError):
    """A model file that is missing, damaged, too large, or of a kind that cannot chat."""


class RecipeError(LocalsteerError):
    """A recipe or contrast file that cannot be read or cannot make a vector."""


class VectorError(LocalsteerError):
    """A vector file that is damaged, or was made for another model."""


class DialError(LocalsteerError):
    """An unknown dial, strength, layer or scope."""


class ExpressionError(DialError):
    """A combination of vectors that cannot be read. ``at`` is where its text goes wrong, counted from 0; ``problem`` is
    what is wrong there.
    """

    def __init__(self, message: str, at: int, problem: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.problem = problem or message


class PromptError(LocalsteerError):
    """A prompt that cannot be evaluated, most often because it is longer than the context."""


class StorageError(LocalsteerError):
    """The disk is full, a folder cannot be written, or a record cannot be read."""


class DownloadError(LocalsteerError):
    """A model cannot be fetched: no network, no such file, no permission, cut off or damaged on the way."""


class PlotError(LocalsteerError):
    """A picture cannot be drawn: matplotlib is missing, or its file's name is none for a picture."""


class SettingsError(LocalsteerError):
    """A setting that does not exist, a value that it cannot have, or a settings file that cannot be read."""


class SceneError(LocalsteerError):
    """A scene that is not there or cannot be called so, or a file of scenes that cannot be read or changed."""


class TerminalError(LocalsteerError):
    """There is no terminal, or it is too small for the app."""


class EngineError(LocalsteerError):
    """The engine process died or does not answer."""


class Stopped(Exception):
    """Work was stopped on request. Not an error, and never shown as one."""
