"""What the command palette finds by name besides commands: models on this disk, dials, and scenes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from textual.command import Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher
from textual.screen import Screen

from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.plain import plain

Entry = tuple[str, str, Callable[[], Awaitable[None]]]
"""What it is called, a word about it, and what choosing it does."""


class _Named(Provider):
    """Entries that are found on the disk when the palette opens."""

    _entries: tuple[Entry, ...] = ()

    async def startup(self) -> None:
        if isinstance(self.screen, ChatScreen):
            self._entries = tuple(await self.find(self.screen))

    async def find(self, screen: ChatScreen) -> list[Entry]:
        raise NotImplementedError

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for words, help, do in self._entries:
            if (score := matcher.match(words)) > 0:
                # Of a string Textual would read markup, and what stands in these comes from files.
                about: Any = Content(help)
                yield Hit(score, _highlighted(matcher, words), partial(_later, self.screen, do), words, about)


class ModelsByName(_Named):
    """Each model that can be loaded."""

    async def find(self, screen: ChatScreen) -> list[Entry]:
        offers = await asyncio.to_thread(screen.find_models)
        return [
            (f"Model: {plain(one.name)}", plain(" · ".join(one.facts)), partial(screen.switching.to, one.path))
            for one in offers
            if one.path is not None and not one.problem
        ]


class ScenesByName(_Named):
    """Each scene."""

    async def find(self, screen: ChatScreen) -> list[Entry]:
        from localsteer.library.scenes import read_scenes

        found = await asyncio.to_thread(read_scenes, screen.opening.places)
        return [
            (f"Scene: {plain(scene.name)}", plain(scene.model), partial(screen.recall_scene, scene))
            for scene in found.scenes
        ]


class DialsByName(_Named):
    """Each dial that can be put on the panel."""

    async def find(self, screen: ChatScreen) -> list[Entry]:
        from localsteer.tui.dial_shelf import choices

        card = screen.link.card
        if card is None or not card.steerable:
            return []
        found = await asyncio.to_thread(choices, screen.opening.places, card.model_id)
        return [
            (f"Dial: {plain(one.name)}", plain(one.description), partial(screen.dialling.add, one.name))
            for one in found
            if one.readiness != "broken"
        ]


def _highlighted(matcher: Matcher, words: str) -> Content:
    """As ``matcher.highlight``, which reads markup in ``words``."""
    content = Content(words)
    for place in matcher.fuzzy_search.match(matcher.query, words)[1]:
        if not words[place].isspace():
            content = content.stylize(matcher.match_style, place, place + 1)
    return content


def _later(screen: Screen[object], do: Callable[[], Awaitable[None]]) -> None:
    # Among what the screen hears, one after the other: the model could be another one before a dial of it is there.
    screen.call_later(do)
