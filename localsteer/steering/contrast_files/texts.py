"""Pairs of texts, templated or plain, and mere lists of texts, as forms of a recipe."""

from __future__ import annotations

from collections.abc import Sequence

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.contrast_files.options import ContrastOptions
from localsteer.steering.contrast_files.templated import messages_of
from localsteer.steering.recipe_forms import ExplicitPair, Form, Personas, Texts, fill


def explicit_pairs(pairs: Sequence[tuple[str, str]]) -> tuple[Form, ...]:
    """Each pair as chats where both texts are in a chat template, else as the plain texts that they are."""
    forms: list[Form] = []
    for positive, negative in pairs:
        chats = messages_of(positive), messages_of(negative)
        if chats[0] is not None and chats[1] is not None:
            forms.append(ExplicitPair(chats[0], chats[1]))
        else:
            forms.append(Texts((positive,), (negative,)))
    return tuple(forms)


def statements(texts: Sequence[str], complaint: str, options: ContrastOptions) -> tuple[Form, ...]:
    """Texts that say nothing of poles: each is begun by a persona of either pole in turn, as repeng does.

    In a text that is in a chat template the persona becomes the system message. Raises :class:`RecipeError`, beginning
    with ``complaint``, unless the options name both poles.
    """
    if not options.positive or not options.negative:
        raise RecipeError(
            f"{complaint} without poles, so no contrast set; name two personas to say each, like --poles happy/sad."
        )
    if "{pole}" not in options.persona:
        raise RecipeError(f'The persona "{options.persona}" lacks {{pole}}, so both poles would be the same.')
    personas = [fill(options.persona, {"pole": pole}) for pole in (options.positive, options.negative)]
    chats = [messages_of(text) for text in texts]
    plain = tuple(text for text, chat in zip(texts, chats, strict=True) if chat is None)
    forms: list[Form] = [
        ExplicitPair(_said_by(personas[0], chat), _said_by(personas[1], chat)) for chat in chats if chat is not None
    ]
    if plain:
        forms.append(
            Personas((personas[0],), (personas[1],), plain, system="", user="{persona}", reply="{message}", read="last")
        )
    return tuple(forms)


def _said_by(persona: str, chat: tuple[Message, ...]) -> tuple[Message, ...]:
    return (Message("system", persona), *(message for message in chat if message.role != "system"))
