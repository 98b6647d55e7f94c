"""``localsteer chats``: everything that can be done with conversations without opening the app."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from localsteer.chat.store import ConversationStore
from tests.chat.conftest import finished, record
from tests.cli.conftest import Run


@pytest.fixture
def talk(home: Path) -> int:
    with ConversationStore(home / "conversations.sqlite3") as store:
        talk = store.new_conversation("Be kind.")
        asked = store.add_message(talk.id, "user", "Where do you live?", None)
        store.begin_reply(talk.id, asked.id, record()).finish(finished("In a lighthouse.\x1b[31m", (1, 2)))
    return talk.id


def test_a_home_without_conversations_is_told_and_stays_without(localsteer: Run, home: Path) -> None:
    assert localsteer("chats", "list").out == "There are none.\n"
    assert localsteer("chats", "list", "--search", "tea").out == "Nothing was found.\n"
    said = localsteer("chats", "show", "1")
    assert (said.status, said.err) == (2, "localsteer: There are no conversations yet; `localsteer` begins one.\n")
    assert not (home / "conversations.sqlite3").exists()


def test_lists_and_shows(localsteer: Run, talk: int) -> None:
    assert "Where do you live?" in localsteer("chats", "list").out
    (one,) = localsteer("chats", "list", "--json").document["conversations"]
    assert (one["id"], one["message_count"], one["pinned"]) == (talk, 2, False)
    shown = localsteer("chats", "show", talk).out
    assert shown.index("Be kind.") < shown.index("You\nWhere") < shown.index("Small\nIn a lighthouse.")
    assert "\x1b" not in shown


def test_searches(localsteer: Run, talk: int) -> None:
    assert "a *light*house" in localsteer("chats", "list", "--search", "light").out
    (hit,) = localsteer("chats", "list", "--search", "light", "--json").document["hits"]
    assert (hit["conversation_id"], hit["role"]) == (talk, "assistant")


def test_renames_pins_and_archives(localsteer: Run, talk: int) -> None:
    assert localsteer("chats", "rename", talk, "Home").status == 0
    assert localsteer("chats", "pin", talk).status == 0
    (one,) = localsteer("chats", "list", "--json").document["conversations"]
    assert (one["title"], one["titled_by"], one["pinned"]) == ("Home", "hand", True)
    localsteer("chats", "archive", talk)
    assert localsteer("chats", "list", "--json").document["conversations"] == []
    assert len(localsteer("chats", "list", "--archived", "--json").document["conversations"]) == 1
    localsteer("chats", "archive", talk, "--off")
    assert "Home" in localsteer("chats", "list").out


def test_what_is_removed_comes_back_until_it_is_emptied(localsteer: Run, talk: int) -> None:
    assert f"chats restore {talk}" in localsteer("chats", "remove", talk).out
    assert localsteer("chats", "show", talk).status == 2
    assert localsteer("chats", "restore", talk).status == 0
    assert localsteer("chats", "show", talk).status == 0
    localsteer("chats", "remove", talk)
    localsteer("chats", "purge", "--days", 1)
    assert localsteer("chats", "restore", talk).status == 0
    localsteer("chats", "remove", talk)
    localsteer("chats", "purge")
    said = localsteer("chats", "restore", talk)
    assert (said.status, said.err) == (
        2,
        f"localsteer: Nothing of conversation {talk} is deleted and could be restored.\n",
    )


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_exports_whole_files_and_overwrites_nothing(localsteer: Run, talk: int, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"talk.{form}"
    assert localsteer("chats", "export", talk, out).status == 0
    assert "In a lighthouse." in out.read_text(encoding="utf-8")
    again = localsteer("chats", "export", talk, out)
    assert (again.status, again.err.count("\n")) == (2, 1)
    assert "--force" in again.err
    assert localsteer("chats", "export", talk, out, "--force").status == 0


def test_an_export_without_a_form_names_the_forms(localsteer: Run, talk: int, tmp_path: Path) -> None:
    said = localsteer("chats", "export", talk, tmp_path / "talk.pdf")
    assert (said.status, ".md, .html or .json" in said.err) == (2, True)


def test_what_was_exported_is_imported_again(localsteer: Run, talk: int, tmp_path: Path) -> None:
    out, again = tmp_path / "talk.json", tmp_path / "again.json"
    localsteer("chats", "export", talk, out)
    assert "2 messages" in localsteer("chats", "import", out).out
    localsteer("chats", "export", talk + 1, again)
    assert again.read_bytes() == out.read_bytes()


def test_imports_others_messages_and_says_what_was_left_out(localsteer: Run, tmp_path: Path) -> None:
    file = tmp_path / "messages.json"
    file.write_text(json.dumps([{"role": "user", "content": "Tea?"}, {"role": "tool", "content": "1"}]))
    said = localsteer("chats", "import", file)
    assert (said.status, said.out) == (0, "Conversation 1: 1 messages, “Tea?”.\n")
    assert "1 of the role tool" in said.err


def test_a_bad_import_is_one_line_and_adds_nothing(localsteer: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "messages.json"
    file.write_text('[{"role": "user"}]')
    said = localsteer("chats", "import", file)
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "messages[0].content" in said.err
    assert localsteer("chats", "import", tmp_path / "nothing.json").status == 2
    assert localsteer("chats", "list").out == "There are none.\n"


def test_backs_up(localsteer: Run, talk: int, tmp_path: Path) -> None:
    out = tmp_path / "all.db"
    assert localsteer("chats", "backup", out).status == 0
    assert localsteer("chats", "backup", out).status == 2
    assert localsteer("chats", "backup", out, "--force").status == 0
    with ConversationStore(out) as copy:
        assert len(copy.open(talk).messages) == 2


def test_the_doctor_leads_from_damaged_conversations_to_rescued_ones_in_their_place(
    localsteer: Run, home: Path, tmp_path: Path
) -> None:
    path, out = home / "conversations.sqlite3", tmp_path / "out.sqlite3"
    with ConversationStore(tmp_path / "running.sqlite3") as store:
        for number in range(2):
            talk, last = store.new_conversation("", f"Talk {number}"), None
            for place in range(60):
                last = store.add_message(talk.id, "user", f"{place} of {number} " + "words " * 100, last).id
            if not number:
                store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # The power goes: what was said last lies beside the file, and a page of it is lost.
        for ending in ("", "-wal"):
            shutil.copyfile(tmp_path / f"running.sqlite3{ending}", home / f"conversations.sqlite3{ending}")
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(b"30 of 0 ") // 4096 * 4096)
        file.write(b"\xa5" * 4096)
    assert localsteer("doctor").out.count("localsteer chats rescue OUT") == 1
    rescued = localsteer("chats", "rescue", out)
    assert rescued.status == 0
    assert "120 messages" not in rescued.out
    count = re.search(r"with (\d+) messages", rescued.out)
    assert count is not None
    # To the letter, and nothing else.
    advice = re.search(r"move (\S+) away, (\S+) and (\S+) too .* put (\S+) in its place", rescued.err)
    assert advice is not None, rescued.err
    (tmp_path / "away").mkdir()
    for one in map(Path, advice.groups()[:3]):
        if one.exists():
            one.rename(tmp_path / "away" / one.name)
    Path(advice.group(4)).rename(advice.group(1))
    with ConversationStore(path) as store:
        assert store.damage() is None
        assert sum(one.message_count for one in store.summaries()) == int(count.group(1)) > 90
    assert "rescue" not in localsteer("doctor").out


def test_ids_and_names_that_nothing_can_have_are_one_line(localsteer: Run, talk: int, tmp_path: Path) -> None:
    for command in (
        ("show", "99999999999999999999999"),
        ("pin", str(2**63)),
        ("export", str(talk), "n" * 300 + ".md"),
        ("backup", tmp_path / ("n" * 300)),
        ("rescue", "n" * 300),
    ):
        said = localsteer("chats", *command)
        assert said.status == 2, command
        assert len(said.err.strip().splitlines()) <= 4
        assert "Traceback" not in said.err
