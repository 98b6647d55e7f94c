"""Programs that are killed: each does one kind of work again and again and says on a line of JSON what is done.

Run as ``python -m tests.hardening.victims KIND HOME SEED [MORE]``. What a line says was done has to survive.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localsteer.chat.conversation import ReplyRecord
from localsteer.chat.store import ConversationStore
from localsteer.engine.protocol import DialMark, DialSetting, Sampling
from localsteer.library.places import Places, packaged_recipes, practice_model

RECORD = ReplyRecord("M", "/m.gguf", "id", "vocabulary", "", Sampling(0.5), 7, marks=(DialMark(0, ()),))


def places_of(home: Path) -> Places:
    """Everything in one folder."""
    return Places(data=home, config=home, logs=home / "logs")


def say(what: str, **more: Any) -> None:
    """Acknowledge."""
    print(json.dumps({"what": what, **more}), flush=True)


def visible(store: ConversationStore) -> list[Any]:
    """All that can be seen of all conversations: titles, chosen paths, alternatives."""
    return [
        [
            one.title,
            [[message.id, message.content, message.alternatives] for message in store.open(one.id, last=None).messages],
        ]
        for one in sorted(store.summaries(100), key=lambda one: one.id)
    ]


def editing(home: Path, seed: int) -> None:
    """Says, answers, edits, chooses, deletes and has it back; tells before and after each what is to be seen."""
    draw, deleted, number = random.Random(seed), [], 0
    with ConversationStore(places_of(home).conversations) as store:
        talk = store.latest() or store.new_conversation()
        say("ready", visible=visible(store))
        while True:
            number += 1
            messages = store.open(talk.id).messages
            last = messages[-1].id if messages else None
            picked = draw.choice(messages) if messages else None
            say("doing")
            match draw.randrange(8):
                case 0 | 1 | 2:
                    said = store.add_message(talk.id, "user", f"said {seed} {number}", last)
                    reply = store.begin_reply(talk.id, said.id, RECORD)
                    for token in range(draw.randrange(1, 20)):
                        reply.turned((DialSetting("mood", "/v.gguf", token / 10),))
                        reply.add(token, f"{token} ")
                        reply.save()
                    reply.break_off()
                case 3 if picked is not None and picked.role == "user":
                    store.edit(picked.id, f"edited {seed} {number}")
                case 4 if picked is not None:
                    store.step(picked.id, draw.choice((-1, 1)))
                case 5 if picked is not None:
                    deleted.append(store.delete_message(picked.id))
                case 6 if deleted:
                    store.undo(deleted.pop())
                case 7:
                    store.rename(talk.id, f"title {seed} {number}")
            say("done", visible=visible(store))


def migrating(home: Path, _: int) -> None:
    """Opens one database of an older version after the other."""
    say("ready")
    for path in sorted(home.glob("old*.sqlite3")):
        say("doing", path=path.name)
        with ConversationStore(path) as store:
            store.prepare_search()
        say("done", path=path.name)


def keeping(home: Path, seed: int) -> None:
    """Settings, scenes, what is remembered, what was sent, recipes, vectors, imports, backups, exports, journals."""
    import numpy as np

    from localsteer.library.drafts import Draft, save_draft
    from localsteer.library.files import append_line
    from localsteer.library.remembered import Remembered, write_remembered
    from localsteer.library.scenes import Scene
    from localsteer.library.scenes_file import save_scene
    from localsteer.library.sent_messages import remember_sent
    from localsteer.library.settings_file import set_in_file
    from localsteer.steering.fit import ModelStamp
    from localsteer.steering.vector import SteeringVector
    from localsteer.steering.vector_file import save_vector
    from localsteer.tui.carrying import export_to, import_from

    draw, places = random.Random(seed), places_of(home)
    (home / "import.json").write_text(json.dumps([{"role": "user", "content": "m" * 50}] * 200), encoding="utf-8")
    direction = np.ones(4096, dtype=np.float32)
    with ConversationStore(places.conversations) as store:
        talk = store.latest() or import_and_open(store, home)
        doings: dict[str, Callable[[int], object]] = {
            "settings": lambda value: set_in_file(places, "seed", str(value)),
            "scenes": lambda value: save_scene(places, Scene(f"s{value % 7}", system_prompt=str(value))),
            "remembered": lambda value: write_remembered(places, Remembered(last_model=f"m{value}" * 200)),
            "sent": lambda value: remember_sent(places, f"sent {value}"),
            "journal": lambda value: append_line(home / "journal.jsonl", json.dumps(value).encode()),
            "recipe": lambda value: save_draft(Draft("up", "down", ((f"I am {value}.", "No."),), "text"), "r", places),
            "vector": lambda value: save_vector(
                SteeringVector("v", "up", "down", {2: direction * value}, ModelStamp(n_layer=4, n_embd=4096)),
                home / "v.gguf",
            ),
            "import": lambda value: import_from(store, str(home / "import.json")),
            "export": lambda value: export_to(store, talk.id, str(home / "out.json"), overwrite=True),
            "backup": lambda value: store.backup(home / "backup.sqlite3", overwrite=True),
        }
        say("ready", conversations=len(store.summaries(100_000)))
        for value in range(seed * 100_000 + 1, seed * 100_000 + 100_000):
            kind = draw.choice(tuple(doings))
            say("doing", kind=kind, value=value)
            doings[kind](value)
            say("done", kind=kind, value=value)


def import_and_open(store: ConversationStore, home: Path) -> Any:
    """A conversation to export."""
    from localsteer.tui.carrying import import_from

    import_from(store, str(home / "import.json"))
    return store.latest()


def downloading(home: Path, _: int, models: str) -> None:
    """One model of the hub after the other; the environment says where the hub is."""
    from localsteer.library.downloads import download_model
    from localsteer.library.hub_names import HubName

    say("ready")
    for number in range(int(models)):
        name = f"model-{number}.gguf"
        say("doing", name=name)
        path = download_model(HubName("org/models", name), home=home)
        say("done", name=name, path=str(path))
    sys.stdin.read()


def extracting(home: Path, seed: int, phase: str) -> None:
    """Makes vectors, one after the other; ``phase``: what the engine is at when it has said so.

    An engine that dies is told of, and another one started.
    """
    from localsteer.engine.client import EngineClient
    from localsteer.engine.protocol import (
        Died,
        Extract,
        Extracted,
        ExtractProgress,
        Failed,
        Generate,
        Load,
        Loaded,
        TokenText,
        Turn,
    )

    draw = random.Random(seed)
    recipes = sorted(packaged_recipes().glob("*.toml"))
    with EngineClient(home / "engine.log") as client:
        say("engine", pid=client.pid)
        while True:
            client.send(Load(client.new_request(), str(practice_model()), n_threads=1))
            say("load")
            recipe = draw.choice(recipes)
            out = home / f"{recipe.stem}.gguf"
            told = ""
            alive = True
            while alive:
                client.wait(1.0)
                for event in client.drain():
                    match event:
                        case Died(reason=reason):
                            say("died", reason=reason)
                            client.start()
                            say("engine", pid=client.pid)
                            alive = False
                        case Failed(message=message):
                            say("failed", message=message)
                        case Loaded() if phase == "reply":
                            turns = (Turn("user", "Tell me about gardens."),)
                            client.send(Generate(client.new_request(), turns, pace=20.0))
                        case TokenText() if told != "reply":
                            told = "reply"
                            say("reply")
                        case Loaded() | Extracted():
                            if isinstance(event, Extracted):
                                say("done", path=str(out))
                            recipe = draw.choice(recipes)
                            out = home / f"{recipe.stem}.gguf"
                            measured = phase == "measuring"
                            client.send(Extract(client.new_request(), str(recipe), str(out), calibrate=measured))
                            say("extract", path=str(out))
                            told = ""
                        case ExtractProgress(stage=stage) if stage != told:
                            told = stage
                            say("stage", stage=stage)


if __name__ == "__main__":
    kind, folder, number, *others = sys.argv[1:]
    VICTIMS: dict[str, Callable[..., None]] = {
        "editing": editing,
        "migrating": migrating,
        "keeping": keeping,
        "downloading": downloading,
        "extracting": extracting,
    }
    VICTIMS[kind](Path(folder), int(number), *others)
