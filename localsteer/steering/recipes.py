"""Recipes: TOML files that describe a contrast set for any model. ``vectors/README.md`` describes the format."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localsteer.errors import ModelError, RecipeError
from localsteer.file_kinds import EMPTY, GGUF, JSON, LOOKED_AT, RECIPE, FileKind, kind_of
from localsteer.file_reading import is_folder, read_file
from localsteer.gguf_header import read_header
from localsteer.messages import Message, Role
from localsteer.steering import vector_keys
from localsteer.steering.contrast import LONGEST_LABEL, POSITIONS, ContrastSet, check_poles
from localsteer.steering.recipe_forms import ANSWER, QUESTION, ExplicitPair, Form, Personas, Question, Questions, Texts
from localsteer.steering.toml_table import TomlTable
from localsteer.toml_reading import parse_toml

MAX_PAIRS = 10_000
MAX_BYTES = 8 * 1024 * 1024
_ROLES: tuple[Role, ...] = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe as it is written: poles, one sentence of description, and contrasts in one or several forms.

    ``group``: under which heading lists may show it; empty for none.
    """

    name: str
    description: str
    positive: str
    negative: str
    forms: tuple[Form, ...]
    group: str = ""

    def contrast_set(self) -> ContrastSet:
        """All forms expanded into pairs. Raises :class:`RecipeError` for what cannot make a vector."""
        check_poles(self.name, self.positive, self.negative)
        if not self.forms:
            raise RecipeError(
                f'The recipe "{self.name}" is empty; give it [[personas]], [[pairs]], [[questions]] or [[texts]].'
            )
        counts: dict[type[Form], int] = {}
        for form in self.forms:
            counts[type(form)] = counts.get(type(form), 0) + 1
            try:
                form.check(f"[[{KEYS[type(form)]}]] {counts[type(form)]}")
            except RecipeError as error:
                raise RecipeError(f'Recipe "{self.name}": {error}') from None
        n_pairs = sum(len(form) for form in self.forms)
        if n_pairs > MAX_PAIRS:
            raise RecipeError(
                f'The recipe "{self.name}" makes {n_pairs:,} pairs; shorten its lists to at most {MAX_PAIRS:,} in all.'
            )
        pairs = tuple(pair for form in self.forms for pair in form.pairs())
        return ContrastSet(self.name, self.description, self.positive, self.negative, pairs)


KEYS: Mapping[type[Form], str] = {
    Personas: "personas",
    ExplicitPair: "pairs",
    Questions: "questions",
    Texts: "texts",
}


def read_recipe(path: Path) -> ContrastSet:
    """The contrast set of the recipe at ``path``; its name is the file's. Raises :class:`RecipeError`."""
    return read_recipe_source(path).contrast_set()


def read_recipe_source(path: Path) -> Recipe:
    """The recipe at ``path`` as it is written, for showing and editing. Raises :class:`RecipeError`."""
    return parse_recipe(read_text(path), path.stem)


def read_text(path: Path) -> str:
    """The text of a recipe or contrast file. Raises :class:`RecipeError` for whatever is not a readable text file."""
    try:
        if is_folder(path):
            raise RecipeError(f"{path} is a folder; name the recipe file itself.")
        content = read_file(path, MAX_BYTES)
    except FileNotFoundError:
        raise RecipeError(f"There is no recipe at {path}; check the name.") from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise RecipeError(
                f"{path} has more than {MAX_BYTES / 1e6:.0f} MB, too much for a recipe; is it the right file?"
            ) from None
        raise RecipeError(f"{path} cannot be read: {error.strerror or error}.") from None
    kind = kind_of(content[:LOOKED_AT])
    if kind is not None and kind not in (JSON, RECIPE, EMPTY):
        raise RecipeError(_gguf_kind(path, kind).instead_of(path, "a recipe or contrast file"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(f"{path} is not a text file in UTF-8; a recipe is a TOML text.") from None


def _gguf_kind(path: Path, kind: FileKind) -> FileKind:
    """A GGUF file by what is in it; every other kind as it is."""
    if kind is not GGUF:
        return kind
    try:
        architecture = read_header(path).architecture
    except ModelError:
        return kind
    if architecture == vector_keys.ARCHITECTURE:
        return FileKind("a steering vector (GGUF)", "vectors are used with --dial or stored with `vectors import`")
    return FileKind(f"a GGUF model ({architecture or 'unknown'})", "models are named with --model")


def parse_recipe(text: str, name: str) -> Recipe:
    """The recipe in the TOML ``text``. Raises :class:`RecipeError`, for a syntax error with its line."""
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise RecipeError(f'The recipe "{name}" has a syntax error: {str(error).rstrip(".")}.') from None
    top = TomlTable(values, f'The recipe "{name}"')
    try:
        return _recipe(top, values, name)
    except RecipeError as error:
        message = str(error)
        raise RecipeError(message if f'"{name}"' in message else f'Recipe "{name}": {message}') from None


def _recipe(top: TomlTable, values: Mapping[str, object], name: str) -> Recipe:
    description = top.text("description")
    group = top.text("group", "")
    poles = top.table("poles")
    positive, negative = poles.text("positive"), poles.text("negative")
    poles.close()
    labels = {"description": description, "group": group, "poles.positive": positive, "poles.negative": negative}
    for what, label in labels.items():
        if len(label) > LONGEST_LABEL:
            raise RecipeError(f'"{what}" has {len(label):,} characters; {LONGEST_LABEL:,} are the most.')
    read = {"personas": _personas, "pairs": _explicit_pair, "questions": _questions, "texts": _texts}
    forms: dict[str, list[Form]] = {}
    for key, read_form in read.items():
        forms[key] = []
        for number, table in enumerate(top.tables(key), start=1):
            form = TomlTable(table, f"[[{key}]] {number}")
            forms[key].append(read_form(form))
            form.close()
    top.close()
    in_file_order = [form for key in values if key in forms for form in forms[key]]
    return Recipe(name, description, positive, negative, tuple(in_file_order), group)


def _personas(table: TomlTable) -> Form:
    return Personas(
        positive=table.texts("positive", ()),
        negative=table.texts("negative", ()),
        messages=table.texts("messages"),
        beginnings=table.texts("beginnings", ("",)),
        system=table.text("system", "{persona}"),
        user=table.text("user", "{message}"),
        reply=table.text("reply", "{beginning}"),
        read=table.choice("read", POSITIONS, "last"),
    )


def _explicit_pair(table: TomlTable) -> Form:
    return ExplicitPair(
        positive=_conversation(table, "positive"),
        negative=_conversation(table, "negative"),
        read=table.choice("read", POSITIONS, "last"),
    )


def _conversation(table: TomlTable, key: str) -> tuple[Message, ...]:
    messages = []
    for written in table.tables(key):
        role = next((role for role in _ROLES if role in written), None)
        content = written.get(role) if role else None
        if role is None or len(written) != 1 or not isinstance(content, str):
            raise RecipeError(
                f'A message in "{key}" is not one of {{ system = "…" }}, {{ user = "…" }}, {{ assistant = "…" }}.'
            )
        messages.append(Message(role, content))
    return tuple(messages)


def _questions(table: TomlTable) -> Form:
    asked = []
    for number, written in enumerate(table.tables("ask"), start=1):
        question = TomlTable(written, f"Question {number}")
        asked.append(Question(question.text("question"), question.text("positive"), question.text("negative")))
        question.close()
    return Questions(
        ask=tuple(asked),
        system=table.text("system", ""),
        template=table.text("template", QUESTION),
        reply=table.text("reply", ANSWER),
        read=table.choice("read", POSITIONS, "letter"),
    )


def _texts(table: TomlTable) -> Form:
    return Texts(
        positive=table.texts("positive", ()),
        negative=table.texts("negative", ()),
        endings=table.texts("endings", ("",)),
        read=table.choice("read", ("last", "letter"), "last"),
    )
