"""Write a recipe as TOML, laid out for a person to edit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet
from localsteer.steering.recipe_forms import ANSWER, QUESTION, ExplicitPair, Form, Personas, Questions, Texts
from localsteer.steering.recipes import Recipe
from localsteer.steering.whole_file import write_whole


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write ``recipe`` to ``path``, whole or not at all.

    Raises :class:`RecipeError` for a recipe that could not be read back, :class:`StorageError` where the disk refuses.
    """
    recipe.contrast_set()
    try:
        content = format_recipe(recipe).encode("utf-8")
    except UnicodeEncodeError:
        raise RecipeError(
            f'The recipe "{recipe.name}" holds half a character and cannot be written as UTF-8.'
        ) from None
    with write_whole(path) as beside:
        beside.write_bytes(content)


def recipe_of(contrast: ContrastSet) -> Recipe:
    """A recipe that makes ``contrast``, its pairs written out."""
    forms = tuple(map(_written_out, contrast.pairs))
    return Recipe(contrast.name, contrast.description, contrast.positive, contrast.negative, forms)


def _written_out(pair: ContrastPair) -> Form:
    if isinstance(pair.positive, str) or isinstance(pair.negative, str):
        if pair.position == "reply":
            raise RecipeError("A plain text holds no reply to be read.")
        return Texts((str(pair.positive),), (str(pair.negative),), read=pair.position)
    return ExplicitPair(pair.positive, pair.negative, pair.position)


def format_recipe(recipe: Recipe) -> str:
    """``recipe`` as TOML text. Forms of one kind stand together, in their order."""
    lines = [
        f"description = {_quoted(recipe.description)}",
        *([f"group = {_quoted(recipe.group)}"] if recipe.group else []),
        "",
        "[poles]",
        f"positive = {_quoted(recipe.positive)}",
        f"negative = {_quoted(recipe.negative)}",
    ]
    for form in recipe.forms:
        lines += ["", *_form(form)]
    return "\n".join(lines) + "\n"


def _form(form: Form) -> Iterator[str]:
    match form:
        case Personas():
            yield "[[personas]]"
            yield from _list("positive", form.positive)
            yield from _list("negative", form.negative)
            yield from _list("messages", form.messages)
            if form.beginnings != ("",):
                yield from _list("beginnings", form.beginnings)
            yield from _differing(system=(form.system, "{persona}"), user=(form.user, "{message}"))
            yield from _differing(reply=(form.reply, "{beginning}"), read=(form.read, "last"))
        case ExplicitPair():
            yield "[[pairs]]"
            yield from _conversation("positive", form.positive)
            yield from _conversation("negative", form.negative)
            yield from _differing(read=(form.read, "last"))
        case Questions():
            yield "[[questions]]"
            yield from _differing(system=(form.system, ""), template=(form.template, QUESTION))
            yield from _differing(reply=(form.reply, ANSWER), read=(form.read, "letter"))
            yield "ask = ["
            for question in form.ask:
                texts = {"question": question.question, "positive": question.positive, "negative": question.negative}
                yield "  { " + ", ".join(f"{key} = {_quoted(text)}" for key, text in texts.items()) + " },"
            yield "]"
        case Texts():
            yield "[[texts]]"
            yield from _list("positive", form.positive)
            yield from _list("negative", form.negative)
            if form.endings != ("",):
                yield from _list("endings", form.endings)
            yield from _differing(read=(form.read, "last"))


def _list(key: str, texts: tuple[str, ...]) -> Iterator[str]:
    yield f"{key} = ["
    yield from (f"  {_quoted(text)}," for text in texts)
    yield "]"


def _conversation(key: str, messages: tuple[Message, ...]) -> Iterator[str]:
    yield f"{key} = ["
    yield from (f"  {{ {message.role} = {_quoted(message.content)} }}," for message in messages)
    yield "]"


def _differing(**values: tuple[str, str]) -> Iterator[str]:
    yield from (f"{key} = {_quoted(value)}" for key, (value, default) in values.items() if value != default)


def _quoted(text: str) -> str:
    # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
