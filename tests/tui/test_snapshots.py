"""Every screen as it looks: at 80×24 and 140×45, dark and light.

After a change that is meant: ``pytest tests/tui/test_snapshots.py --snapshot-update``, and read the difference.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Awaitable, Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input, TabbedContent, TextArea

from localsteer.chat.conversation import ReplyRecord
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import (
    Compared,
    DialMark,
    DialSetting,
    Finished,
    Reading,
    ReadToken,
    Sampling,
    SideFinished,
    SideToken,
    Started,
    TokensRead,
    Turn,
)
from localsteer.library.places import Places
from localsteer.library.remembered import RememberedDial
from localsteer.library.scenes import Scene
from localsteer.library.scenes_file import save_scene
from localsteer.tui.dialogs.ask_line import AskLine
from localsteer.tui.dialogs.conversations import Conversations, Opened
from localsteer.tui.dialogs.token_view import TokenView
from localsteer.tui.lineup import strip
from localsteer.tui.side_by_side import SideBySide
from localsteer.tui.theme import DARK, LIGHT
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.workshop.screen import WorkshopScreen
from tests.chat.conftest import CARD
from tests.tui.conftest import OpenApp, Running
from tests.tui.pictures import picture
from tests.tui.test_vector_card import open_card

SIZES = ((140, 45), (80, 24))
LOOKS = ((DARK, SIZES[0]), (DARK, SIZES[1]), (LIGHT, SIZES[1]), (LIGHT, SIZES[0]))
WHEN = 1_700_000_000.0

Arrange = Callable[[Running], Awaitable[None]]


async def nothing(_: Running) -> None:
    """The chat screen as it opens."""


def keys(*pressed: str) -> Arrange:
    """Something over the chat screen."""

    async def press(running: Running) -> None:
        await running.pilot.press(*pressed)
        await running.until(lambda: running.app.screen is not running.screen)

    return press


async def talking(running: Running) -> None:
    """A conversation whose replies had a dial turned in their middle, the last question picked."""
    await running.screen.open_conversation(Opened(1, None))
    await running.until(lambda: len(running.replies()) == 2)
    await running.pilot.press("alt+u", "alt+u")


async def editing(running: Running) -> None:
    await talking(running)
    await running.pilot.press("alt+e")
    await running.until(lambda: running.screen.query_one(Composer).text == "And on Monday?")


async def slash(running: Running) -> None:
    await running.pilot.press("/", "s")
    await running.until(lambda: "/seed" in running.text())


async def slash_help(running: Running) -> None:
    await running.say("/help")
    await running.until(lambda: running.app.screen is not running.screen)


async def scenes(running: Running) -> None:
    scene = Scene("evening", (RememberedDial("mood", 1.5),), Sampling(temperature=0.5), "Be calm.", "Some model")
    save_scene(running.screen.opening.places, scene)
    await keys("alt+q")(running)


async def compare(running: Running) -> None:
    """Answers that came as the engine would have told them."""
    await talking(running)
    screen, count = running.screen, itertools.count()
    lineup = strip(screen.dialling.rack, 0, (-1.0, 0.0, 1.0))
    now = SideBySide(lineup, "", Sampling(), screen.talk.standing, clock=lambda: 0.1 * next(count))
    now.take(Started(1, 20, 0, 0, 7))
    for side, text in enumerate(("It snows on Monday.", "It rains on Monday.", "The sun shines on Monday.")):
        now.take(SideToken(1, side, 0, 5, text))
        marks = (DialMark(0, lineup.sides[side].dials),)
        now.take(SideFinished(1, side, Finished(1, "end", text, (5,), marks, 7, 20, 0, 31.5, 60, CARD.n_ctx)))
    now.take(Compared(1, 47.0))
    screen.comparing.now = now
    await keys("alt+c")(running)


async def tokens_seen(running: Running) -> None:
    """Two messages as if they had been read along a dial."""
    words = ("How", " was", " it?", "Oh", " it", " was", " wonderful!")
    turns = (Turn("user", "How was it?"), Turn("assistant", "Oh it was wonderful!"))
    read = tuple(ReadToken(word, int(place > 2)) for place, word in enumerate(words))
    reading = Reading("heat", "warm", "cold", 4, "poles", (0.0, -0.4, -1.2, 0.1, 0.3, 0.6, 1.5))
    view = TokenView(turns, 0, "reading…")
    await running.app.push_screen(view)
    await view.fill(TokensRead(1, read, (reading,), True, 0))


def workshop(way: int) -> Arrange:
    """One of its ways to make a dial."""

    async def open_way(running: Running) -> None:
        await keys("alt+h")(running)
        await running.pilot.press(f"alt+{way}")
        screen = running.app.screen
        assert isinstance(screen, WorkshopScreen)
        await running.until(lambda: running.app.focused in list(screen.way.query("Line, Lines")))

    return open_way


def card_page(page: str, words: str) -> Arrange:
    """A page of the card of a vector of which everything is known."""

    async def open_page(running: Running) -> None:
        await open_card(running)
        running.app.screen.query_one(TabbedContent).active = page
        await running.until(lambda: words in running.text())

    return open_page


def one_line(*pressed: str) -> Arrange:
    """A question asked in one line, over the list of conversations."""

    async def ask(running: Running) -> None:
        await running.pilot.press("ctrl+o")
        await running.until(lambda: isinstance(running.app.screen, Conversations) and "Tell me" in running.text())
        await running.pilot.press(*pressed)
        await running.until(lambda: isinstance(running.app.screen, AskLine))

    return ask


async def export(running: Running) -> None:
    await one_line("alt+e")(running)
    running.app.screen.query_one(Input).value = "talk.md"  # what is offered lies in a folder of this machine


async def refused(running: Running) -> None:
    """The same with an answer that cannot be taken."""
    await one_line("alt+i")(running)
    running.app.screen.query_one(Input).value = "/gone/talk.json"
    await running.pilot.press("enter")
    await running.until(lambda: "cannot be read" in running.text())


OVER_THE_CHAT: dict[str, Arrange] = {
    "chat": nothing,
    "slash": slash,
    "slash_help": slash_help,
    "system_prompt": keys("ctrl+s"),
    "sampling": keys("ctrl+g"),
    "models": keys("ctrl+l"),
    "add_dial": keys("alt+a"),
    "layers_and_scope": keys("alt+l"),
    "scenes": scenes,
    "token_view": tokens_seen,
    "keys": keys("f1"),
    "palette": keys("ctrl+p"),
}
CONVERSATIONS: dict[str, Arrange] = {
    "conversations": keys("ctrl+o"),
    "rename": one_line("f2"),
    "export": export,
    "import": one_line("alt+i"),
    "import_refused": refused,
}
IN_A_TALK: dict[str, Arrange] = {"talking": talking, "editing": editing, "compare": compare}
WORKSHOP: dict[str, Arrange] = {
    f"workshop_{name}": workshop(way) for way, name in enumerate(("word", "words", "personas", "pairs"), 1)
}
VECTOR_CARD: dict[str, Arrange] = {
    "vector_card": card_page("layers", "poles apart"),
    "vector_card_prompts": card_page("prompts", "Prompts at layer"),
    "vector_card_effect": card_page("effect", "Effect of layer"),
    "vector_card_tokens": card_page("tokens", "More likely"),
    "vector_card_likeness": card_page("likeness", "Cosine between its layers"),
}
OPENED_IN_THE_DARK = ("keys", "palette")
"""They keep some colours of the theme that they were opened in."""
SCREENS = (OVER_THE_CHAT, CONVERSATIONS, IN_A_TALK, WORKSHOP, VECTOR_CARD)


@pytest.fixture
def talk(places: Places) -> None:
    happy, sad = (DialSetting("mood", "/gone/mood.gguf", strength) for strength in (1.2, -0.5))
    texts = (
        ("Tell me about your weekend.", "Oh, it was **wonderful**! We walked along the shore, and then it rained."),
        ("And on Monday?", "On Monday there is:\n\n1. work\n2. more work\n\n```python\nsigh()\n```\n"),
    )
    with ConversationStore(places.conversations) as store:
        conversation = store.new_conversation("Answer like a diary.")
        above = None
        for asked, answered in texts:
            question = store.add_message(conversation.id, "user", asked, above)
            marks = (DialMark(0, (happy,)), DialMark(3, (sad,)))
            record = ReplyRecord.begun(CARD, system_prompt="", sampling=Sampling(), marks=marks)
            running = store.begin_reply(conversation.id, question.id, record)
            for token, word in enumerate(answered.split(" ")):
                running.add(token, f"{word} ")
            above = running.finish(
                Finished(1, "end", answered, tuple(range(12)), marks, 7, 20, 0, 31.5, 60, CARD.n_ctx)
            ).id
    with contextlib.closing(sqlite3.connect(places.conversations)) as database, database:
        database.execute("UPDATE conversations SET created = ?, updated = ?", (WHEN, WHEN))
        database.execute("UPDATE messages SET created = ?", (WHEN,))


@pytest.fixture
def steady_cursors(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Input, TextArea):
        monkeypatch.setattr(kind.__dict__["cursor_blink"], "_default", False)


@pytest.mark.usefixtures("heat_at_hand", "talk", "steady_cursors")
@pytest.mark.parametrize("screens", SCREENS, ids=["over the chat", "conversations", "talk", "workshop", "vector card"])
async def test_screens(screens: dict[str, Arrange], open_app: OpenApp, snapshot: SnapshotAssertion) -> None:
    async with open_app(size=SIZES[0]) as running:
        await running.loaded()
        await running.screen.dialling.add("heat")
        await running.until(lambda: "heat is on the panel" in running.remarks())
        running.app.clear_notifications()
        # A screen under a window is not painted anew.
        await running.until(lambda: "on the panel" not in running.text())
        await running.pilot.press("alt+right", "alt+right", "alt+right")
        for name, arrange in screens.items():
            if name in OPENED_IN_THE_DARK and running.app.theme != DARK:
                running.app.take_theme(DARK)
            # Forwards, or backwards from where the last screen ended: a change of the theme is what costs most.
            order = LOOKS if running.app.theme == DARK else LOOKS[::-1]
            await arrange(running)
            for theme, size in order:
                if running.app.theme != theme:
                    running.app.take_theme(theme)
                await running.pilot.resize_terminal(*size)
                shade = theme.removeprefix("localsteer-")
                assert await settled(running) == snapshot(name=f"{name} {shade} {size[0]}x{size[1]}")
            await back(running)


async def back(running: Running) -> None:
    """To the chat as it opened, in whatever theme."""
    while running.app.screen is not running.screen:
        over = running.app.screen
        await running.pilot.press("escape")
        await running.until(lambda over=over: running.app.screen is not over)  # type: ignore[misc]
    await running.pilot.press("escape")
    running.screen.query_one(Composer).text = ""


async def settled(running: Running) -> str:
    """What is painted when nothing moves any more, and remarks are gone."""
    running.app.clear_notifications()
    before = ""
    while (now := picture(running.app)) != before:
        before = now
        await running.pilot.pause(0.1)
    return now
