"""``localsteer settings``, and settings given to other commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.library.settings import SCHEMA
from localsteer.tui.keymap import default_keys
from tests.cli.conftest import Run


def test_it_shows_every_setting_with_its_value_and_where_it_comes_from(
    localsteer: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "settings.toml").write_text("top_k = 7\n", encoding="utf-8")
    monkeypatch.setenv("LOCALSTEER_SEED", "5")
    said = localsteer("--set", "min_p=0.2", "settings", "--set", "top_p=0.5")
    lines = {line.split()[0]: line for line in said.out.splitlines() if line}
    assert set(SCHEMA) <= set(lines)
    for name, words in {
        "top_k": "7 file",
        "seed": "5 environment",
        "min_p": "0.2 command line",
        "top_p": "0.5 command line",
        "temperature": "0.8 default",
    }.items():
        assert words in " ".join(lines[name].split())
    document = localsteer("settings", "--json").document
    assert document["settings"]["top_k"] == {"value": 7, "from": "file"}


def test_path_makes_a_file_that_sets_nothing(localsteer: Run, home: Path) -> None:
    assert localsteer("settings", "path").out.strip() == str(home / "settings.toml")
    assert "# temperature = 0.8" in (home / "settings.toml").read_text(encoding="utf-8")
    assert "file  " not in localsteer("settings").out


def test_set_and_unset_change_the_file(localsteer: Run, home: Path) -> None:
    assert localsteer("settings", "set", "temperature", "0.5").out == "temperature = 0.5\n"
    assert localsteer("settings", "set", "keys.again", "Ctrl+B").status == 0
    assert localsteer("settings", "--json").document["settings"]["keys"]["value"] == {"again": ["ctrl+b"]}
    localsteer("settings", "unset", "temperature")
    assert localsteer("settings", "--json").document["settings"]["temperature"] == {"value": 0.8, "from": "default"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("settings", "set", "temprature", "1"), 'did you mean "temperature"?'),
        (("settings", "set", "temperature", "hot"), "a number from 0 to 100"),
        (("settings", "set", "keys.again", "ctrl+n"), "the key of new_chat"),
        (("settings", "set", "keys.agian", "f11"), 'did you mean "again"?'),
        (("settings", "unset", "colour"), 'no setting "colour"'),
        (("--set", "colour=red", "settings"), 'no setting "colour"'),
        (("say", "Hello", "--set", "top_p=2"), "top_p"),
        (("models", "list", "--set", "x"), "--set"),
    ],
)
def test_what_cannot_be_set_is_one_line_and_status_2(
    localsteer: Run, home: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = localsteer(*arguments)
    assert said.status == 2
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert not (home / "settings.toml").exists()


def test_a_broken_file_is_named_used_by_nobody_and_left_as_it_is(localsteer: Run, home: Path) -> None:
    broken = "top_k = 7\nseed = = 3\n"
    (home / "settings.toml").write_text(broken, encoding="utf-8")
    shown = localsteer("settings")
    assert shown.status == 0
    assert "line 2" in shown.err
    refused = localsteer("settings", "set", "seed", "3")
    assert refused.status == 2
    assert "line 2" in refused.err
    assert (home / "settings.toml").read_text(encoding="utf-8") == broken


def test_keys_lists_every_command_with_its_present_keys(localsteer: Run) -> None:
    localsteer("settings", "set", "keys.again", "ctrl+b")
    document = localsteer("settings", "keys", "--json").document
    assert set(document["keys"]) == set(default_keys())
    assert document["keys"]["again"] == ["ctrl+b"]
    assert document["changed"] == ["again"]
    assert "Ctrl+B" in localsteer("settings", "keys").out


def test_a_reply_is_drawn_as_the_settings_say_unless_the_command_says_otherwise(
    localsteer: Run, random_bpe_model: Path
) -> None:
    def reply(*more: str) -> tuple[int, int]:
        document = localsteer("say", "Hello", "--model", random_bpe_model, "--json", *more).document
        return len(document["tokens"]), document["seed"]

    localsteer("settings", "set", "max_tokens", "3")
    localsteer("settings", "set", "seed", "11")
    assert reply() == (3, 11)
    assert reply("--set", "max_tokens=2", "--seed", "12") == (2, 12)
