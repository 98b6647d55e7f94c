"""Every screen as it looks: at 80×24 and 140×45, dark and light.

After a change that is meant: ``pytest tests/tui/test_snapshots.py --snapshot-update``, and read the difference.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input, TextArea

from localsteer.chat.conversation import ReplyRecord
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark, DialSetting, Finished, Sampling
from localsteer.library.places import Places
from localsteer.tui.dialogs.vector_card import VectorCardScreen
from localsteer.tui.theme import DARK, LIGHT
from localsteer.tui.widgets.transcript import Transcript
from tests.chat.conftest import CARD
from tests.plots.portraits import WHOLE
from tests.tui.conftest import OpenApp, Running
from tests.tui.pictures import picture
from tests.tui.test_vector_card import tokens

SIZES = ((80, 24), (140, 45))
THEMES = (DARK, LIGHT)

Arrange = Callable[[Running], Awaitable[None]]


async def nothing(_: Running) -> None:
    """The chat screen as it opens."""


def keys(*pressed: str) -> Arrange:
    async def press(running: Running) -> None:
        await running.pilot.press(*pressed)
        await running.until(lambda: running.app.screen is not running.screen)

    return press


async def vector_card(running: Running) -> None:
    running.app.push_screen(VectorCardScreen(WHOLE, tokens))
    await running.until(lambda: "Layers" in running.text())


SCREENS: dict[str, Arrange] = {
    "chat": nothing,
    "add_dial": keys("alt+a"),
    "keys": keys("f1"),
    "system_prompt": keys("ctrl+s"),
    "palette": keys("ctrl+p"),
    "vector_card": vector_card,
}


@pytest.fixture
def talk(places: Places) -> None:
    """A conversation whose last reply had a dial turned in its middle."""
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
            marks = (DialMark(0, (happy,)), DialMark(5, (sad,)))
            record = ReplyRecord.begun(CARD, system_prompt="", sampling=Sampling(), marks=marks)
            running = store.begin_reply(conversation.id, question.id, record)
            running.add(1, answered)
            above = running.finish(
                Finished(1, "end", answered, tuple(range(12)), marks, 7, 20, 0, 31.5, 60, CARD.n_ctx)
            ).id


@pytest.mark.usefixtures("heat_at_hand", "talk")
@pytest.mark.parametrize("name", SCREENS)
async def test_screen(name: str, open_app: OpenApp, snapshot: SnapshotAssertion) -> None:
    async with open_app(size=SIZES[0]) as running:
        await running.loaded()
        await running.screen.dialling.add("heat")
        await running.until(lambda: running.screen.dialling.rack.names() == ("heat",))
        await running.pilot.press("alt+right", "alt+right", "alt+right")
        await SCREENS[name](running)
        for theme in THEMES:
            for size in SIZES:
                running.app.take_theme(theme)
                await running.pilot.resize_terminal(*size)
                await settled(running)
                assert picture(running.app) == snapshot(name=f"{theme.removeprefix('localsteer-')} {size[0]}x{size[1]}")


async def settled(running: Running) -> None:
    """Painted, nothing moves any more, and remarks are gone."""
    running.app.clear_notifications()
    for screen in running.app.screen_stack:
        for typed in (*screen.query(Input), *screen.query(TextArea)):
            typed.cursor_blink = False
    running.screen.query_one(Transcript).scroll_end(animate=False)
    before = ""
    while (now := picture(running.app)) != before:
        before = now
        await running.pilot.pause(0.2)
