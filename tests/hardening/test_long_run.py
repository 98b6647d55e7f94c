"""Two thousand turns: no memory is lost, nothing slows down unnoticed, and every reply comes again from its record."""

from __future__ import annotations

import random
import statistics
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from localsteer.chat.replay import differs_at, replay
from localsteer.chat.store import ConversationStore
from localsteer.engine.client import EngineClient
from localsteer.engine.protocol import (
    DialSetting,
    Extract,
    Extracted,
    Finished,
    Generate,
    Load,
    Loaded,
    ModelCard,
    RateReply,
    ReplyRated,
    Sampling,
    SetDials,
    Started,
    TokenText,
    Turn,
)
from localsteer.library.models import PRACTICE
from localsteer.library.places import Places, packaged_recipes, practice_model, practice_vectors
from localsteer.tui import conversing
from localsteer.tui.app import LocalsteerApp
from localsteer.tui.opening import open_with
from localsteer.tui.talk import Talk
from tests.hardening.coming_back import come_back, until
from tests.hardening.killing import check_database
from tests.hardening.monkey import Monkey

GROWTH = 0.05
"""Memory may grow by so much of what it was after the warm-up."""
WARM_UP = 0.3
SECONDS = 1500.0
"""The app has so long for its turns."""
LEFT = 20_000_000
"""Bytes; what imports and threads of a first reading take."""
ON_SCREEN = 150
"""Messages; the app has about so many on its screen, and leaves those before them to the record."""
ASKED = (
    "Tell me about gardens.",
    "And what about rain?",
    "What do you think about old friends?",
    "Why?",
    "Say something about the sea, please.",
    "How are you today?",
)


@dataclass
class Course:
    """What was measured, turn by turn. Memory in bytes."""

    engine: array[int] = field(default_factory=lambda: array("q"))
    own: array[int] = field(default_factory=lambda: array("q"))
    seconds_per_token: array[float] = field(default_factory=lambda: array("d"))
    dropped: int = 0
    turned: int = 0

    def measure(self, engine: int | None) -> None:
        if engine is not None:
            self.engine.append(psutil.Process(engine).memory_info().rss)
        self.own.append(psutil.Process().memory_info().rss)

    def check(self, what: str, more: str) -> None:
        """Print all, fail on memory only. To the error output: the other one of a test process of its own is lost."""
        tenth = max(1, len(self.seconds_per_token) // 10)
        second = statistics.median(self.seconds_per_token[tenth : 2 * tenth])
        last = statistics.median(self.seconds_per_token[-tenth:])
        growth = {"engine": grown(self.engine), "app": grown(self.own)}
        sys.stderr.write(
            f"\n{what}: {len(self.seconds_per_token)} turns, {self.turned} with dials turned meanwhile, "
            f"{self.dropped} with old turns left out, {more}\n"
            f"seconds per token, last tenth / second tenth: {last / second:.3f}\n"
            + "".join(f"memory of the {name}: {growth:+.2%}\n" for name, growth in growth.items())
        )
        for name, one in growth.items():
            assert one < GROWTH, f"the {name} has grown by {one:.1%}"


def grown(memory: Sequence[int]) -> float:
    """From the median of the tenth after the warm-up to that of the last tenth."""
    begin, tenth = int(len(memory) * WARM_UP), max(1, len(memory) // 10)
    before = statistics.median(memory[begin : begin + tenth])
    return statistics.median(memory[-tenth:]) / before - 1


def dials_for(client: EngineClient, folder: Path, *more: str) -> tuple[ModelCard, tuple[str, ...]]:
    """The practice model, loaded, and the vectors that turn it: the one that comes along, and ``more``, made here."""
    load = Load(client.new_request(), str(practice_model()), n_threads=1)
    client.send(load)
    loaded = list(client.events(load.request))[-1]
    assert isinstance(loaded, Loaded)
    paths = [str(practice_vectors() / "mood.gguf")]
    for name in more:
        path = folder / f"{name}.gguf"
        extract = Extract(client.new_request(), str(packaged_recipes() / f"{name}.toml"), str(path), calibrate=False)
        client.send(extract)
        assert isinstance(list(client.events(extract.request))[-1], Extracted)
        paths.append(str(path))
    return loaded.card, tuple(paths)


def drawn(draw: random.Random, paths: tuple[str, ...]) -> tuple[DialSetting, ...]:
    return tuple(
        DialSetting(Path(path).stem, path, round(draw.uniform(-1.5, 1.5), 2)) for path in paths if draw.random() < 0.7
    )


def one_turn(
    client: EngineClient, talk: Talk, card: ModelCard, paths: tuple[str, ...], draw: random.Random, course: Course
) -> None:
    """A message and its reply, saved as the app saves it; often a dial is turned in the middle."""
    talk.say(draw.choice(ASKED))
    talk.forget_before(talk.messages[-ON_SCREEN:][0].id)
    dials = drawn(draw, paths)
    running = talk.begin_reply(card, Sampling(temperature=0.8, max_tokens=16), dials)
    command = Generate(client.new_request(), talk.turns(card), dials, running.record.sampling)
    client.send(command)
    turn_at = draw.randrange(16) if draw.random() < 0.6 else None
    for event in client.events(command.request):
        match event:
            case Started(dropped=dropped):
                running.started(event)
                course.dropped += bool(dropped)
            case TokenText(token=token, text=text, index=index):
                running.add(token, text)
                running.save_if_due()
                if index == turn_at:
                    course.turned += 1
                    dials = drawn(draw, paths)
                    running.turned(dials)
                    client.send(SetDials(dials))
            case Finished():
                running.finish(event)
                talk.add_reply(running)
                if len(event.tokens) > 1:
                    course.seconds_per_token.append(1 / event.tokens_per_second)
    course.measure(client.pid)


def come_again(client: EngineClient, store: ConversationStore, card: ModelCard, replies: list[int]) -> int:
    """Have each of these written again from its record; every token has to be the same. Gives how many there were."""
    for reply_id in replies:
        message = store.message(reply_id)
        assert message.reply is not None
        command = replay(message.reply, store.turns_again(reply_id, card), card, client.new_request())
        client.send(command)
        finished = list(client.events(command.request))[-1]
        assert isinstance(finished, Finished), finished
        place = differs_at(message.reply, finished.tokens)
        assert place is None, f"reply {reply_id} differs at token {place}: {message.reply} and {finished}"
    return len(replies)


def answered(talk: Talk, before: int) -> bool:
    """Whether a reply that came after this message is the last one."""
    last = talk.messages[-1] if talk.messages else None
    return last is not None and last.role == "assistant" and last.id > before


def all_replies(store: ConversationStore) -> list[int]:
    return [
        message.id
        for one in store.summaries(1000)
        for message in store.open(one.id, last=None).messages
        if message.role == "assistant" and message.reply is not None and message.reply.tokens
    ]


@pytest.mark.parametrize(("seed", "turns"), [(4, 12), pytest.param(5, 2000, marks=pytest.mark.soak)])
def test_memory_stays_and_every_reply_can_be_had_again(seed: int, turns: int, tmp_path: Path) -> None:
    draw, course = random.Random(seed), Course()
    with EngineClient(tmp_path / "engine.log") as client, ConversationStore(tmp_path / "c.sqlite3") as store:
        card, paths = dials_for(client, tmp_path, *(["register"] if turns > 100 else []))
        talk = Talk(store)
        for _ in range(turns):
            one_turn(client, talk, card, paths, draw, course)
        replies = all_replies(store)
        count = come_again(client, store, card, replies)
        assert store.damage() is None
    check_database(tmp_path / "c.sqlite3")
    assert count >= turns * 9 // 10
    if turns > 100:
        assert course.dropped > turns // 2
        course.check("engine and store", f"all {count} replies written again exactly (seed {seed})")


def test_reading_replies_again_leaves_no_memory_behind() -> None:
    """Each is read in a context of its own, and conversations are of all lengths."""
    exchange = (Turn("user", "Tell me about gardens."), Turn("assistant", "I like them, they are green and quiet."))
    with EngineClient() as client:
        dials_for(client, Path())
        before = psutil.Process(client.pid).memory_info().rss
        for length in (3, 50, 20, 60, 8, 40, 30, 55, 13, 45, 25, 35):
            rate = RateReply(client.new_request(), exchange * length)
            client.send(rate)
            assert isinstance(list(client.events(rate.request))[-1], ReplyRated)
        left = psutil.Process(client.pid).memory_info().rss - before
    assert left < LEFT, f"{left} bytes are left of twelve readings"


@pytest.mark.soak
@pytest.mark.usefixtures("as_the_app_collects")
async def test_the_app_itself_keeps_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversing, "pace_of", lambda card: 0.0)
    home = tmp_path / "home"
    places = Places(data=home, config=home, logs=home / "logs")
    draw, course = random.Random(6), Course()
    app = LocalsteerApp(open_with(PRACTICE, places, ("max_tokens=16", "seed=6")))
    end = time.monotonic() + SECONDS
    async with app.run_test(size=(100, 30), notifications=True):
        monkey = Monkey(app, 6)
        await until(monkey, lambda: monkey.chat.link.card is not None and monkey.chat.dialling.rack.current)
        talk, chat = monkey.chat.talk, monkey.chat
        while len(course.own) < 2000 and time.monotonic() < end:
            before = talk.messages[-1].id if talk.messages else 0
            monkey.write(draw.choice(ASKED), "enter")
            for _ in range(draw.randrange(6)):
                monkey.key(draw.choice(("alt+right", "alt+left", "alt+up", "alt+down", "alt+m", "alt+p")))
                course.turned += 1
                await monkey.settle()
            await until(monkey, lambda: answered(talk, before) and not chat.conversing.writing)  # noqa: B023
            record = talk.messages[-1].reply
            assert record is not None
            if record.tokens_per_second:
                course.seconds_per_token.append(1 / record.tokens_per_second)
            course.dropped += record.course is not None and bool(record.course.dropped)
            course.measure(chat.link.client.pid)
        await come_back(monkey)
    check_database(places.conversations)
    with EngineClient(tmp_path / "engine.log") as client, ConversationStore(places.conversations) as store:
        card, _ = dials_for(client, tmp_path)
        replies = all_replies(store)
        count = come_again(client, store, card, sorted(draw.sample(replies, min(300, len(replies)))))
    assert course.dropped
    course.check("the app", f"{count} of {len(replies)} replies written again exactly (drawn by seed 6)")
