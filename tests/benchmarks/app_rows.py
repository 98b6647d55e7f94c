"""How fast the running app is: beside its engine alone, from key to screen, in long replies, at launch, in memory.

    python -m tests.benchmarks.app_rows [--model-folder FOLDER] [--only launch speed ...] [--quick] [--json]

The app runs as a person runs it, in a pseudo-terminal (POSIX). Models are random weights in the shapes of real ones.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from localsteer.library.places import HOME_VARIABLE
from tests.benchmarks.app_at_work import App, alone, app, home
from tests.benchmarks.pseudo_terminal import Terminal, app_command
from tests.benchmarks.rows import Row, Target, report, tell
from tests.benchmarks.shapes import LARGE, SMALL, usual_folder
from tests.random_models import write_random_llama
from tests.terminal_screen import Screen

PARTS = ("speed", "keys", "cost", "launch", "memory")
SIZES = ((140, 45), (80, 24))
_TURN_UP, _TURN_DOWN = "\x1b[1;3C", "\x1b[1;3D"
_BACK = "\x7f"
_ENOUGH = 1500


# ---------------------------------------------------------------- speed


def speed(model: Path, what: str, bound: float, *, tokens: int, rounds: int) -> Iterator[Row]:
    """Tokens per second inside the app over those of its engine alone; they take turns, the same command each."""
    for columns, lines in SIZES:
        ratios: list[float] = []
        speeds: list[float] = []
        with (
            home(model, n_ctx=2048) as place,
            alone(place) as engine,
            app(place, f"max_tokens={tokens}", columns=columns, lines=lines) as running,
        ):
            engine.reply(32)
            for number in range(rounds):
                order = (0, 1) if number % 2 else (1, 0)
                found = {0: 0.0, 1: 0.0}
                for side in order:
                    if side:
                        running.new_chat()
                        running.ask()
                        found[1] = running.reply()[1]
                        running.settle()
                    else:
                        found[0] = engine.reply(tokens)[1]
                ratios.append(found[1] / found[0])
                speeds.append(found[0])
        remark = f"{tokens} tokens, four dials; alone {sorted(speeds)[len(speeds) // 2]:.0f} tokens/s"
        yield Row.of(
            f"tokens/s in the app ÷ engine alone, {what}, {columns}×{lines}", Target("≥", bound), ratios, "×", remark
        )


# ---------------------------------------------------------------- keys


def keys(model: Path, what: str, *, count: int) -> Iterator[Row]:
    """Milliseconds from a key to the bytes that show it, while a reply is written as fast as it goes."""
    draw = random.Random(1)
    for columns, lines in SIZES:
        with home(model, n_ctx=2048) as place, app(place, columns=columns, lines=lines) as running:
            typed = list(_typed(running, count, draw))
            turned = list(_turned(running, count, draw))
            running.stop()
        for name, taken in (("typed", typed), ("a dial turned", turned)):
            cut = quantiles(taken, n=100, method="inclusive")
            middle = f"{what}, {columns}×{lines}, {len(taken)} keys; median {cut[49]:.0f} ms"
            yield Row(f"key to screen, {name}, p95", Target("≤", 50), cut[94], min(taken), max(taken), "ms", middle)
            yield Row(f"key to screen, {name}, p99", Target("≤", 100), cut[98], min(taken), max(taken), "ms", middle)


def _typed(running: App, count: int, draw: random.Random) -> Iterator[float]:
    """Letters one by one, each taken back when it was seen."""
    terminal = running.terminal
    for number in range(count):
        _have_it_write(running)
        letter = "abcdefghijklmnopqrstuvwxyz"[number % 26]
        pressed = _press(terminal, letter, draw)
        yield _seen(terminal, pressed, lambda screen, one=letter: _input(screen).startswith(one))  # type: ignore[misc]
        terminal.send(_BACK)
        terminal.when(lambda screen: _input(screen).startswith("Say something"), timeout=5)


def _turned(running: App, count: int, draw: random.Random) -> Iterator[float]:
    """A dial up five times and down five times, and so on."""
    terminal = running.terminal
    for number in range(count):
        _have_it_write(running)
        before = _panel(terminal.screen())
        pressed = _press(terminal, _TURN_UP if number // 5 % 2 == 0 else _TURN_DOWN, draw)
        yield _seen(terminal, pressed, lambda screen, old=before: _panel(screen) != old)  # type: ignore[misc]


def _have_it_write(running: App) -> None:
    """There is a reply on its way, and some of its context is left."""
    tokens, ended = running.progress()
    if tokens and ended is None and tokens < _ENOUGH:
        return
    if tokens:
        running.stop()
        running.reply()
        running.new_chat()
    running.ask()
    _until(lambda: running.progress()[0] > 10)


def _press(terminal: Terminal, key: str, draw: random.Random) -> float:
    # At any moment between two paintings.
    time.sleep(0.2 + draw.random() * 0.15)
    terminal.screen()
    return terminal.send(key)


def _seen(terminal: Terminal, pressed: float, shown: Callable[[Screen], bool]) -> float:
    return 1000 * (terminal.when(shown, timeout=5) - pressed)


def _input(screen: Screen) -> str:
    """What stands in the input."""
    return screen.lines()[-3][2:].strip()


def _panel(screen: Screen) -> list[str]:
    """The column of dials."""
    lines = screen.lines()
    heading = next((line for line in lines if " Dials " in line), "")
    return [line[heading.rfind(" Dials ") :] for line in lines[1:-4]]


# ---------------------------------------------------------------- cost


def cost(folder: Path, *, tokens: int, rounds: int) -> Iterator[Row]:
    """Processor time of the app per token: late in a long reply, and below many messages, over that in an empty chat.

    The model has two wide layers, so that it is hardly slower with a long context, and where there are many messages
    the context is short: what is spent per second would otherwise be spent per fewer tokens.
    """
    model = write_random_llama(
        folder / "steady.gguf", n_layer=2, n_embd=2048, n_head=8, n_kv=2, n_ctx=8192, ends=False, name="Steady"
    )
    begin, end = 60, 360
    # Here the screen is full, and each new line moves all of it.
    full = (1000, 1300)
    late = (tokens - 150, tokens + 150)
    long: list[float] = []
    scrolling: list[float] = []
    with home(model, n_ctx=8192) as place, app(place, f"max_tokens={tokens + 200}") as running:
        for _ in range(rounds):
            running.new_chat()
            running.ask()
            first, filled, last = _costs(running, (begin, end), full, late)
            running.reply()
            running.settle()
            long.append(last / first)
            scrolling.append(filled / first)
    remark = f"{1000 * first:.2f} ms per token in an empty chat"
    yield Row.of(f"app's processor time per token, at {tokens:,} tokens ÷ empty", Target("≤", 1.3), long, "×", remark)
    yield Row.of("app's processor time per token, screen just full ÷ empty", None, scrolling, "×", remark)
    below: list[float] = []
    with home(model, n_ctx=1024, messages=300) as place, app(place, f"max_tokens={end + 40}") as running:
        for number in range(rounds):
            running.open_last(places=1 if number == 0 else 2)
            running.ask()
            (many,) = _costs(running, (begin, end))
            running.reply()
            running.settle()
            running.new_chat()
            running.ask()
            (none,) = _costs(running, (begin, end))
            running.reply()
            running.settle()
            below.append(many / none)
    yield Row.of("app's processor time per token, below 300 messages ÷ empty", Target("≤", 1.3), below, "×", remark)


def _costs(running: App, *spans: tuple[int, int]) -> list[float]:
    """Processor seconds per token between each pair of counts."""
    found = []
    for begin, end in spans:
        _until(lambda begin=begin: running.progress()[0] >= begin)  # type: ignore[misc]
        first, used = running.progress()[0], running.cpu()
        _until(lambda end=end: running.progress()[0] >= end)  # type: ignore[misc]
        last, now = running.progress()[0], running.cpu()
        found.append((now - used) / (last - first))
    return found


def _until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.1)


# ---------------------------------------------------------------- launch


def launch(*, rounds: int) -> Iterator[Row]:
    """Seconds from the start of the process to its first frame, and until the practice model is there to be asked.

    ``ready``: a letter that is typed shows, and the model has greeted.
    """
    first, ready = [], []
    with TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            with Terminal(app_command(), {HOME_VARIABLE: folder}) as terminal:
                framed = terminal.when(lambda screen: "Say something" in screen.text)
                terminal.send("x")
                greeted = terminal.when(
                    lambda screen: "This is the practice model" in screen.text and _input(screen).startswith("x")
                )
            if number:
                first.append(framed - terminal.began)
                ready.append(greeted - terminal.began)
    yield Row.of("launch to the first frame", Target("≤", 0.5), first, "s", f"{rounds} launches")
    yield Row.of("launch to ready, practice model", Target("≤", 1.0), ready, "s", f"{rounds} launches")


# ---------------------------------------------------------------- memory


def memory(model: Path, what: str) -> Iterator[Row]:
    """Megabytes of app and engine after a reply, above the size of the model's file.

    Where the system tells (Linux) it is the proportional set size (PSS), in which what both share, and what is mapped
    from the file, counts once; else the resident set size.
    """
    size = model.stat().st_size
    with home(model) as place, app(place, "max_tokens=64") as running:
        running.ask()
        running.reply()
        running.settle()
        parts, kind = [], "RSS"
        for process in (running.process, running.engine):
            info = process.memory_full_info()
            kind = "PSS" if hasattr(info, "pss") else "RSS"
            parts.append(getattr(info, "pss", info.rss) / 1e6)
    above = sum(parts) - size / 1e6
    remark = f"{kind}; app {parts[0]:.0f}, engine {parts[1]:.0f}, file {size / 1e6:.0f} MB; context 4,096"
    yield Row(f"memory above the model's file, {what}", Target("≤", 400), above, above, above, "MB", remark)


# ---------------------------------------------------------------- all


def rows(folder: Path, only: Sequence[str] = PARTS, *, quick: bool = False) -> Iterator[Row]:
    """Everything; models are written into ``folder`` unless they are there."""
    if "launch" in only:
        tell("launch")
        yield from launch(rounds=3 if quick else 9)
    if {"speed", "keys", "memory"} & set(only):
        small, large = SMALL.write(folder), LARGE.write(folder)
    if "speed" in only:
        tell("speed")
        yield from speed(small, "135M Q8_0", 0.93, tokens=300, rounds=3 if quick else 7)
        yield from speed(large, "1B Q4_0", 0.97, tokens=60, rounds=3 if quick else 7)
    if "keys" in only:
        tell("keys")
        yield from keys(small, "135M Q8_0", count=40 if quick else 100)
        yield from keys(large, "1B Q4_0", count=40 if quick else 100)
    if "cost" in only:
        tell("cost")
        yield from cost(folder, tokens=2000 if quick else 4000, rounds=1 if quick else 3)
    if "memory" in only:
        tell("memory")
        yield from memory(large, "1B Q4_0")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model-folder", type=Path, default=usual_folder(), help="keeps the models for next time")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if sys.platform == "win32":
        sys.exit("there are no pseudo-terminals here; run it on Linux or macOS")
    report(list(rows(asked.model_folder, asked.only, quick=asked.quick)), json_wanted=asked.json)


if __name__ == "__main__":
    main()
