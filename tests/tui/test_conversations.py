"""The list of conversations: searched while typing, opened where something was found, kept in order."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input, OptionList

from localsteer.chat.conversation import ConversationSummary, SearchHit
from localsteer.chat.store import ConversationStore
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.engine.protocol import MakeTitle, TitleMade
from localsteer.errors import StorageError
from localsteer.library.places import Places
from localsteer.library.settings import Settings
from localsteer.tui.asides import Asides
from localsteer.tui.carrying import default_file, path_named
from localsteer.tui.dialogs.ask_line import AskLine
from localsteer.tui.dialogs.conversation_rows import when
from localsteer.tui.dialogs.conversations import Conversations
from localsteer.tui.naming import Naming
from localsteer.tui.talk import Talk, empty_old
from localsteer.tui.widgets.transcript import Transcript
from tests.tui.conftest import OpenApp, Running, remarks
from tests.tui.test_steady import at_once

TITLES = ("Canals", "Trains", "Soups")


@pytest.fixture
def store(places: Places) -> ConversationStore:
    """Three short conversations, the last one used last."""
    with ConversationStore(places.conversations) as store:
        for number, title in enumerate(TITLES):
            said = (f"Tell me about {title.lower()}.", f"Well, {title.lower()} are old friends.")
            store.add_tree(
                ConversationTree(
                    title=title,
                    titled_by="hand",
                    updated=float(number),
                    messages=(
                        TreeMessage(None, "user", said[0], float(number)),
                        TreeMessage(0, "assistant", said[1], float(number)),
                    ),
                )
            )
        return store


@asynccontextmanager
async def listed(open_app: OpenApp) -> AsyncIterator[tuple[Running, Conversations]]:
    """The app with the list open."""
    async with open_app(settings=replace(Settings(), max_tokens=3), size=(110, 32)) as app:
        await app.pilot.press("ctrl+o")
        await app.until(lambda: isinstance(app.app.screen, Conversations) and app.app.screen.is_mounted)
        dialog = app.app.screen
        assert isinstance(dialog, Conversations)
        await app.until(lambda: dialog._rows)
        yield app, dialog


def titles(dialog: Conversations) -> list[str]:
    return [row.title for row in dialog._rows]


@pytest.mark.usefixtures("store")
async def test_searching_while_typing_opens_at_the_message_that_was_found(open_app: OpenApp) -> None:
    async with listed(open_app) as (app, dialog):
        assert titles(dialog) == ["Soups", "Trains", "Canals"]
        await app.pilot.press(*"old tra")
        await app.until(lambda: titles(dialog) == ["Trains"])
        (hit,) = dialog._rows
        assert isinstance(hit, SearchHit)
        assert [text for text, wanted in hit.snippet if wanted] == ["tra", "old"]
        await app.until(lambda: "Well, trains are old friends." in app.text())
        await app.pilot.press("enter")
        await app.until(lambda: app.screen.query_one(Transcript).picked == hit.message_id)
        assert "Tell me about trains." in app.text()
        await app.until(lambda: app.screen.link.idle)
        await app.pilot.press("escape")
        await app.say("And boats?")
        await app.until(lambda: app.replies() and not app.screen.conversing.writing)
        assert app.screen.talk.messages[-2].parent_id == hit.message_id


@pytest.mark.usefixtures("store")
async def test_what_can_be_done_to_a_conversation_is_done_at_once(open_app: OpenApp) -> None:
    async with listed(open_app) as (app, dialog):
        await app.pilot.press("down", "down", "alt+p")
        await app.until(lambda: titles(dialog) == ["Canals", "Soups", "Trains"])
        assert "★ Canals" in app.text()
        assert dialog.query_one(OptionList).highlighted == 0
        await app.pilot.press("alt+p")
        await app.until(lambda: titles(dialog)[-1] == "Canals")
        await app.pilot.press("f2")
        await app.until(lambda: isinstance(app.app.screen, AskLine))
        app.app.screen.query_one(Input).value = "Locks and canals"
        await app.pilot.press("enter")
        await app.until(lambda: titles(dialog)[0] == "Locks and canals")
        await app.pilot.press("alt+a")
        await app.until(lambda: titles(dialog) == ["Soups", "Trains"])
        await app.pilot.press("alt+s")
        await app.until(lambda: titles(dialog) == ["Locks and canals"])
        assert "Archived conversations" in app.text()
        await app.pilot.press("alt+a", "alt+s")
        await app.until(lambda: titles(dialog) == ["Locks and canals", "Soups", "Trains"])
        await app.pilot.press("alt+w")
        await app.until(lambda: titles(dialog) == ["Soups", "Trains"])
        await app.until(lambda: "Ctrl+Z has it back" in remarks(app))
        await app.pilot.press("ctrl+z")
        await app.until(lambda: len(titles(dialog)) == 3)
        await app.pilot.press("ctrl+z")
        await app.until(lambda: "nothing to undo" in remarks(app))


@pytest.mark.usefixtures("store")
async def test_the_open_conversation_leaves_the_screen_when_it_is_deleted(open_app: OpenApp) -> None:
    async with listed(open_app) as (app, _):
        await app.pilot.press("enter")
        await app.until(lambda: "Tell me about soups." in app.text())
        await app.pilot.press("ctrl+o")
        await app.until(lambda: isinstance(app.app.screen, Conversations) and app.app.screen._rows)
        await app.pilot.press("alt+w", "escape")
        await app.until(lambda: app.screen.talk.conversation is None)
        await app.until(lambda: "Tell me about soups." not in app.text())


async def test_one_that_begins_while_the_list_opens_leaves_the_screen_when_it_is_deleted(open_app: OpenApp) -> None:
    async with open_app(settings=replace(Settings(), max_tokens=3), size=(110, 32)) as app:
        await app.loaded()
        at_once(app, *"hi", "enter", "ctrl+o")
        await app.replied()
        dialog = app.app.screen
        assert isinstance(dialog, Conversations)
        await app.until(lambda: dialog.query_one(OptionList).highlighted == 0)
        await app.pilot.press("alt+w")
        await app.until(lambda: "Deleted" in remarks(app))
        await app.pilot.press("escape")
        await app.until(lambda: not app.screen.talk.messages)
        assert app.questions() == []


@pytest.mark.usefixtures("store")
async def test_export_asks_before_it_overwrites_and_import_reads_it_again(open_app: OpenApp, tmp_path: Path) -> None:
    out = tmp_path / "soups.json"
    out.write_text("something of mine", encoding="utf-8")
    async with listed(open_app) as (app, dialog):

        async def answer(key: str, text: str) -> None:
            await app.pilot.press(key)
            await app.until(lambda: isinstance(app.app.screen, AskLine))
            app.app.screen.query_one(Input).value = text
            await app.pilot.press("enter")

        await answer("alt+e", str(out))
        await app.until(lambda: "exists already" in app.text())
        assert out.read_text(encoding="utf-8") == "something of mine"
        await app.pilot.press("enter")
        await app.until(lambda: "Written to" in remarks(app))
        await app.until(lambda: app.app.screen is dialog)
        await answer("alt+i", f'"{out}"')
        await app.until(lambda: titles(dialog).count("Soups") == 2)
        await answer("alt+i", str(tmp_path / "nothing.json"))
        await app.until(lambda: "cannot be read" in app.text())
        await app.pilot.press("escape")
        await app.until(lambda: app.app.screen is dialog)


async def test_the_model_is_asked_for_a_title_once_and_a_name_given_by_hand_stays(store: ConversationStore) -> None:
    from tests.tui.test_opening import CARD
    from tests.tui.test_talk import reply

    with ConversationStore(store.path) as again:
        talk = Talk(again)
        asked: list[object] = []

        class Listening(Asides):
            def __init__(self) -> None:
                pass

            def ask(self, command, take) -> None:  # type: ignore[no-untyped-def]
                asked.append(command(7, CARD))
                take(TitleMade(7, "Boats at night"))

        naming = Naming(talk, Listening())
        talk.say("Tell me about boats")
        naming.look(CARD)
        assert asked == []
        reply(talk, "They float.")
        naming.look(CARD)
        naming.look(CARD)
        assert len(asked) == 1
        assert isinstance(asked[0], MakeTitle)
        assert again.summaries()[0].title == "Boats at night"


def test_what_was_deleted_long_ago_is_emptied(store: ConversationStore) -> None:
    with ConversationStore(store.path) as again:
        first, second, _ = again.summaries()
        again.delete_conversation(first.id)
        again._connection.execute("UPDATE deletions SET deleted = deleted - 31 * 86400")
        again._connection.commit()
        again.delete_conversation(second.id)
    empty_old(store.path)
    with ConversationStore(store.path) as again:
        assert [gone.conversation_id for gone in again.deletions()] == [second.id]


def test_when_something_was_is_said_in_a_few_letters() -> None:
    now = 1_763_700_000.0
    assert ":" in when(now - 1, now)
    assert when(now - 40 * 86_400, now).split()[1].isalpha()
    assert when(now - 400 * 86_400, now).count("-") == 2
    assert when(float("inf"), now) == ""


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("key", ["alt+w", "alt+a"])
async def test_the_row_that_the_arrow_led_to_is_the_one_that_leaves_the_list(key: str, open_app: OpenApp) -> None:
    async with listed(open_app) as (app, dialog):
        at_once(app, "down", key)
        await app.until(lambda: len(dialog._rows) == 2)
        assert titles(dialog) == ["Soups", "Canals"]
        # The letter of a command is not searched for.
        app.app.post_message(events.Key("alt+p", "p"))
        await app.until(lambda: any(row.pinned for row in dialog._rows if isinstance(row, ConversationSummary)))
        assert dialog.query_one(Input).value == ""


@pytest.mark.usefixtures("store")
async def test_the_row_that_the_arrow_led_to_is_the_one_that_is_exported(open_app: OpenApp) -> None:
    async with listed(open_app) as (app, _):
        at_once(app, "down", "alt+e")
        await app.until(lambda: isinstance(app.app.screen, AskLine) and app.app.screen.query(Input))
        assert Path(app.app.screen.query_one(Input).value).name == "Trains.md"


@pytest.mark.usefixtures("store")
async def test_a_deletion_that_cannot_be_undone_now_can_be_undone_later(open_app: OpenApp) -> None:
    async with listed(open_app) as (app, dialog):
        await app.pilot.press("alt+w")
        await app.until(lambda: titles(dialog) == ["Trains", "Canals"])
        connection = dialog._store._connection
        connection.execute("PRAGMA query_only = ON")
        await app.pilot.press("ctrl+z")
        await app.until(lambda: "Not allowed to write" in remarks(app))
        assert titles(dialog) == ["Trains", "Canals"]
        connection.execute("PRAGMA query_only = OFF")
        await app.pilot.press("ctrl+z")
        await app.until(lambda: titles(dialog) == ["Soups", "Trains", "Canals"])


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps a folder that is in use")
def test_a_conversation_goes_home_where_the_folder_of_the_start_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert default_file("Soups") == tmp_path / "Soups.md"
    with pytest.raises(StorageError, match="no file of that name"):
        path_named("soups.md")
