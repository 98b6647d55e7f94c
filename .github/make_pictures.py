"""Makes the README's pictures: opens the real app on the practice model, uses it as a person would, paints what the
terminal shows.

    pip install ".[plot]" && python .github/make_pictures.py [FOLDER]

Matplotlib brings the painter (Pillow) and the font (DejaVu Sans Mono). Nothing of the person's own is read or changed.
Replies come from fixed seeds; how far one has come when a dial is turned differs a little from run to run.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
from PIL import Image, ImageDraw, ImageFont
from rich.style import Style
from rich.terminal_theme import MONOKAI
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from localsteer.library.models import PRACTICE
from localsteer.library.places import Places
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.chat_screen import ChatScreen
from localsteer.tui.dialogs.add_dial import AddDial
from localsteer.tui.dialogs.compare import CompareScreen
from localsteer.tui.dialogs.token_view import TokenView
from localsteer.tui.opening import open_with
from localsteer.tui.widgets.messages import NoteLine, ReplyView
from localsteer.tui.workshop.screen import WorkshopScreen
from localsteer.tui.workshop.tryout import TryOut

PATIENCE = 120.0
"""Seconds that anything may take."""


@dataclass
class Session:
    """The open app, and the person before it."""

    app: LocalsteerApp
    pilot: Pilot[None]

    @property
    def chat(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    @property
    def focus(self) -> str | None:
        """The id of what takes the keys."""
        return self.app.focused.id if self.app.focused is not None else None

    async def until(self, true: Callable[[], object]) -> None:
        """Go on as soon as ``true()`` is."""
        end = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > end:
                shown = "\n".join(strip.text for strip in self.app.screen._compositor.render_strips(self.app.size))
                raise TimeoutError(f"waited {PATIENCE:.0f} s in vain; the screen says:\n{shown}")
            await asyncio.sleep(0.01)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Type it and press Enter."""
        await self.press(*text, "enter")

    async def said(self, tokens: int) -> None:
        """The reply on its way has come so far."""
        await self.until(lambda: self.chat.conversing._replies and self.chat.conversing._replies[-1].tokens >= tokens)

    async def replied(self, count: int) -> None:
        """So many replies are whole, and it was measured how natural they are."""

        def feet() -> list[str]:
            return [str(view.query_one(".reply--foot", Static).content) for view in self.chat.query(ReplyView)]

        await self.until(lambda: len(feet()) == count and all("perplexity" in foot for foot in feet()))

    async def add(self, dial: str) -> None:
        """Alt+A, its name, Enter, and then its vector is made."""
        await self.press("alt+a")
        await self.until(lambda: isinstance(self.app.screen, AddDial) and self.focus == "search")
        await self.press(*dial)
        options = self.app.screen.query_one(OptionList)
        place = next(place for place, option in enumerate(options.options) if option.id == dial)
        await self.press(*["down"] * (place - (options.highlighted or 0)), "enter")
        await self.until(lambda: dial in self.chat.dialling.rack.names())

    async def paint(self, path: Path) -> None:
        """What the terminal shows, once it has been painted."""
        self.app.clear_notifications()
        await self.pilot.pause()
        await self.until(lambda: not self.app.screen.query("Toast"))
        await self.pilot.pause()
        paint(self.app, path)


@asynccontextmanager
async def opened(columns: int, rows: int, seed: int) -> AsyncIterator[Session]:
    """The app on the practice model, as somebody finds it who opens it for the first time."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        places = Places(data=home, config=home, logs=home / "logs")
        app = LocalsteerApp(open_with(PRACTICE, places, (f"seed={seed}",)))
        async with app.run_test(size=(columns, rows), notifications=True) as pilot:
            session = Session(app, pilot)
            await session.until(lambda: len(session.chat.query(NoteLine)) == 2)
            await pilot.pause()
            yield session


# ---------------------------------------------------------------- what the person does


async def chat(path: Path) -> None:
    """Three exchanges; the mood is turned in the middle of the second, and before the third goes past what is safe."""
    async with opened(110, 30, seed=4) as session:
        await session.press("alt+up")
        await session.write("Tell me about gardens.")
        await session.replied(1)
        await session.write("And what about rain?")
        await session.said(8)
        await session.press("alt+down", "alt+down")
        await session.replied(2)
        await session.add("register")
        await session.press("alt+down")
        await session.add("warmth")
        await session.press("alt+up")
        await session.press("alt+1", "alt+up", "alt+up", "alt+right", "alt+right")
        await session.write("What do you think about old friends?")
        await session.replied(3)
        await session.paint(path)


async def compare(path: Path) -> None:
    """One message at three strengths of the mood."""
    async with opened(110, 24, seed=1) as session:
        await session.write("Tell me about gardens.")
        await session.replied(1)
        await session.press("alt+c")
        await session.until(lambda: isinstance(session.app.screen, CompareScreen) and session.chat.comparing.now)
        await session.press("e")
        await session.until(lambda: isinstance(session.app.focused, Input))
        session.app.screen.query_one(Input).value = "-1 0 1"
        await session.press("enter")

        def measured() -> bool:
            now = session.chat.comparing.now
            return (
                now is not None
                and len(now.replies) == 3
                and not now.running
                and all(reply.perplexity is not None for reply in now.replies)
            )

        await session.until(measured)
        await session.press("3")
        await session.paint(path)


async def workshop(path: Path) -> None:
    """A dial from one word and its opposite, made and tried."""
    async with opened(132, 32, seed=10) as session:
        await session.press("alt+h")
        await session.until(lambda: isinstance(session.app.screen, WorkshopScreen) and session.focus == "word")
        await session.write("cheerful")
        await session.write("gloomy")
        await session.press("alt+m")
        shop = session.chat.workshop
        await session.until(lambda: shop.made is not None)
        trial = session.app.screen.query_one(TryOut)
        await session.until(lambda: session.focus == "try-message")
        await session.press("enter")
        await session.until(lambda: all(trial._texts) and not shop.busy)
        await session.paint(path)


async def tokens(path: Path) -> None:
    """Two replies of opposite moods, word by word."""
    async with opened(104, 26, seed=4) as session:
        await session.press("alt+up")
        await session.write("Tell me about gardens.")
        await session.replied(1)
        await session.press("alt+down", "alt+down")
        await session.write("And what about rain?")
        await session.replied(2)
        # Behind the view there would be the panel's edge.
        await session.press("alt+d", "alt+v")
        await session.until(
            lambda: (
                isinstance(session.app.screen, TokenView)
                and sum(bool(text.content) for text in session.app.screen.query(".seen--message").results(Static)) == 4
            )
        )
        await session.paint(path)


# ---------------------------------------------------------------- painting

CELL = (16, 32)
"""Pixels; twice what a README shows, for sharp screens."""
FONT_SIZE = 26.575
"""At which a character of this font is as wide as a cell."""
MARGIN, CORNER = 20, 24

_FACES = {(False, False): "", (True, False): "-Bold", (False, True): "-Oblique", (True, True): "-BoldOblique"}


def paint(app: LocalsteerApp, path: Path) -> None:
    """Every cell of the terminal as a PNG with round corners; blocks and lines fill their cells without a gap."""
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts = {kind: ImageFont.truetype(folder / f"DejaVuSansMono{face}.ttf", FONT_SIZE) for kind, face in _FACES.items()}
    width, height = CELL
    size = (app.size.width * width + 2 * MARGIN, app.size.height * height + 2 * MARGIN)
    around = _rgb(app.screen.styles.background.rgb)
    image = Image.new("RGB", size, around)
    draw = ImageDraw.Draw(image)
    for row, strip in enumerate(app.screen._compositor.render_strips(app.size)):
        column = 0
        for segment in strip:
            style = segment.style or Style()
            front, back = _colours(style)
            for character in segment.text:
                left, top = MARGIN + column * width, MARGIN + row * height
                draw.rectangle((left, top, left + width - 1, top + height - 1), fill=back)
                if not _block(draw, character, left, top, front):
                    font = fonts[bool(style.bold), bool(style.italic)]
                    draw.text((left, top + 25), character, font=font, fill=front, anchor="ls")
                if style.underline:
                    draw.rectangle((left, top + 28, left + width - 1, top + 29), fill=front)
                column += 1
    corners = Image.new("L", size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), CORNER, fill=255)
    image.putalpha(corners)
    image.save(path, optimize=True)


def _rgb(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    return colour[0], colour[1], colour[2]


def _colours(style: Style) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """What a cell is painted with and on."""
    front = style.color.get_truecolor(MONOKAI) if style.color else MONOKAI.foreground_color
    back = style.bgcolor.get_truecolor(MONOKAI, foreground=False) if style.bgcolor else MONOKAI.background_color
    if style.reverse:
        front, back = back, front
    if style.dim:
        front = tuple((over + under) // 2 for over, under in zip(front, back, strict=True))
    return tuple(front), tuple(back)


def _block(draw: ImageDraw.ImageDraw, character: str, left: int, top: int, colour: tuple[int, int, int]) -> bool:
    """Paints what must reach the cell's edge, and says whether it was that."""
    width, height = CELL
    right, bottom = left + width - 1, top + height - 1
    across, down = left + width // 2 - 1, top + height // 2 - 1
    code = ord(character)

    def fill(*box: int) -> None:
        draw.rectangle(box, fill=colour)

    match character:
        case " ":
            pass
        case "▀":
            fill(left, top, right, down)
        case "▔":
            fill(left, top, right, top + height // 8 - 1)
        case "▐":
            fill(across + 1, top, right, bottom)
        case "▕":
            fill(right - width // 8 + 1, top, right, bottom)
        case "─":
            fill(left, down, right, down + 1)
        case "━":
            fill(left, down - 1, right, down + 2)
        case "╸":
            fill(left, down - 1, across + 1, down + 2)
        case "╺":
            fill(across, down - 1, right, down + 2)
        case "│":
            fill(across, top, across + 1, bottom)
        case "╭" | "╮" | "╰" | "╯":
            _corner(draw, character, left, top, colour)
        case _ if 0x2581 <= code <= 0x2588:
            fill(left, bottom - height * (code - 0x2580) // 8 + 1, right, bottom)
        case _ if 0x2589 <= code <= 0x258F:
            fill(left, top, left + width * (0x2590 - code) // 8 - 1, bottom)
        case _:
            return False
    return True


def _corner(draw: ImageDraw.ImageDraw, character: str, left: int, top: int, colour: tuple[int, int, int]) -> None:
    width, height = CELL
    across, down = left + width // 2 - 1, top + height // 2 - 1
    radius = width // 2
    low, wide = character in "╭╮", character in "╭╰"
    middle = (across + radius if wide else across - radius + 1, down + radius if low else down - radius + 1)
    start = {"╭": 180, "╮": 270, "╰": 90, "╯": 0}[character]
    box = (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
    draw.arc(box, start, start + 90, fill=colour, width=2)
    if low:
        draw.rectangle((across, middle[1], across + 1, top + height - 1), fill=colour)
    else:
        draw.rectangle((across, top, across + 1, middle[1]), fill=colour)


async def main(folder: Path, wanted: set[str]) -> None:
    for make in (chat, compare, workshop, tokens):
        if not wanted or make.__name__ in wanted:
            await make(folder / f"{make.__name__}.png")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent, set(sys.argv[2:])))
