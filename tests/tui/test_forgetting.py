"""What was closed is forgotten: no window, no widget and nothing painted stays in memory."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter, deque

import pytest
from textual._styles_cache import StylesCache
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastHolder

from tests.tui.conftest import OpenApp, Running

WINDOWS = (
    *("f1", "ctrl+p", "ctrl+o", "ctrl+l", "ctrl+g", "ctrl+s"),
    *("alt+a", "alt+c", "alt+h", "alt+i", "alt+l", "alt+q"),
)


def kept() -> Counter[str]:
    """What lives of closed windows: widgets that are on no screen, and what was painted of others."""
    gc.collect()
    widgets = [one for one in gc.get_objects() if isinstance(one, Widget)]
    owned = {id(widget._styles_cache) for widget in widgets}
    painted = [one for one in gc.get_objects() if isinstance(one, StylesCache) and id(one) not in owned]
    # The last remark stays in the layout of what shows them.
    closed = [one for one in widgets if not one.is_attached and not isinstance(one, Toast | ToastHolder)]
    return Counter(type(one).__name__ for one in (*closed, *painted))


async def open_and_close(running: Running, key: str) -> None:
    await running.pilot.press(key)
    await running.until(lambda: running.app.screen is not running.screen and running.app.screen.is_mounted)
    await running.pilot.pause()
    while running.app.screen is not running.screen:
        over = running.app.screen
        await running.pilot.press("escape")
        await running.until(lambda over=over: running.app.screen is not over)  # type: ignore[misc]


@pytest.mark.usefixtures("heat_at_hand", "alone")
async def test_a_window_that_was_closed_leaves_nothing(open_app: OpenApp) -> None:
    async with open_app() as running:
        await running.loaded()
        await running.screen.dialling.add("heat")
        await running.until(lambda: running.screen.dialling.rack.current)
        # Other apps of this process are nobody's concern.
        before, more = kept(), Counter[str]()
        for key in WINDOWS:
            await open_and_close(running, key)
            for _ in range(50):
                # The last things that are under way still hold a window that was closed a moment ago.
                more = kept() - before
                if not more:
                    break
                await asyncio.sleep(0.1)
            assert not more, f"{key}: {more}"


class _Old:
    """As a message that lives for a while: only the collector finds that it has been dropped."""

    def __init__(self) -> None:
        self.itself = self
        self.lines: list[list[str]] = [[] for _ in range(48)]


@pytest.mark.usefixtures("as_the_app_collects")
def test_what_is_dropped_when_it_is_old_does_not_pile_up() -> None:
    screen, most = deque[_Old](maxlen=1_000), 0
    for count in range(30_000):
        screen.append(_Old())
        if count % 500 == 0:
            most = max(most, len(gc.get_objects()))
    on_screen = len(screen) * 50
    assert most < 6 * on_screen, f"{most} objects for {on_screen} that are still there"
