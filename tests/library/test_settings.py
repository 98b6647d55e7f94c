"""Settings and memory: a broken file costs its contents, never the app."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from localsteer.engine.protocol import Sampling
from localsteer.errors import SettingsError
from localsteer.library.places import Places
from localsteer.library.remembered import Remembered, RememberedDial, read_remembered, write_remembered
from localsteer.library.setting_values import plain_value
from localsteer.library.settings import SCHEMA, Setting, Settings
from localsteer.library.settings_file import (
    commented_file,
    make_settings_file,
    set_in_file,
    toml_text,
    unset_in_file,
)
from localsteer.library.settings_sources import find_settings, read_settings


def write_settings(places: Places, text: str) -> None:
    places.config.mkdir(parents=True, exist_ok=True)
    places.settings.write_text(text, encoding="utf-8")


def test_without_a_file_there_are_defaults_and_no_complaints(places: Places) -> None:
    assert read_settings(places) == (Settings(), ())


def test_settings_are_read(places: Places) -> None:
    write_settings(
        places, 'theme = "light"\nn_threads = 3\ngpu_layers = 0\nmodel_folders = ["/models"]\ntemperature = 1\n'
    )
    settings, problems = read_settings(places)
    assert settings == Settings(
        theme="light", n_threads=3, gpu_layers=0, temperature=1.0, model_folders=(Path("/models"),)
    )
    assert problems == ()


def test_a_broken_file_names_its_line_and_gives_defaults(places: Places) -> None:
    write_settings(places, 'theme = "light"\nn_threads = \n')
    settings, (problem,) = read_settings(places)
    assert settings == Settings()
    assert "line 2" in problem


def test_what_cannot_be_used_is_named_and_the_rest_counts(places: Places) -> None:
    write_settings(places, 'theme = "light"\nn_threads = "many"\ncolour = 3\ntemperature = nan\n')
    settings, problems = read_settings(places)
    assert settings == Settings(theme="light")
    assert [next(key for key in ("n_threads", "colour", "temperature") if f'"{key}"' in one) for one in problems] == [
        "n_threads",
        "colour",
        "temperature",
    ]


def test_a_file_that_is_no_text_names_its_line_too(places: Places) -> None:
    places.config.mkdir(parents=True)
    places.settings.write_bytes(b'theme = "light"\n\xff\xfe\n')
    settings, (problem,) = read_settings(places)
    assert settings == Settings()
    assert "line 2" in problem


def test_an_unknown_setting_is_named_with_its_line_and_the_nearest_known_one(places: Places) -> None:
    write_settings(places, "top_k = 3\ntemprature = 1\n")
    settings, (problem,) = read_settings(places)
    assert settings.top_k == 3
    assert "line 2" in problem
    assert 'did you mean "temperature"?' in problem


def test_a_file_of_another_program_is_one_complaint(places: Places) -> None:
    write_settings(places, "".join(f"[tool{number}]\nname = 1\n" for number in range(9)))
    settings, problems = read_settings(places)
    assert settings == Settings()
    assert len(problems) == 1
    assert "line 1" in problems[0]


def test_the_environment_goes_before_the_file_and_the_command_line_before_both(places: Places) -> None:
    write_settings(places, 'top_k = 1\nmin_p = 0.1\nseed = 1\n[keys]\nagain = "ctrl+b"\nstop = "f11"\n')
    environment = {"LOCALSTEER_MIN_P": "0.2", "LOCALSTEER_SEED": "2", "LOCALSTEER_KEYS": "again=ctrl+o,f11; mute="}
    found = find_settings(places, ("seed=3", "keys.stop=f12"), environment)
    assert (found.settings.top_k, found.settings.min_p, found.settings.seed) == (1, 0.2, 3)
    assert found.settings.keys == {"again": ("ctrl+o", "f11"), "stop": ("f12",), "mute": ()}
    assert [found.origins[name] for name in ("top_p", "top_k", "min_p", "seed")] == [
        "default",
        "file",
        "environment",
        "command line",
    ]
    assert found.problems == ()


def test_nothing_given_is_the_default_again(places: Places) -> None:
    write_settings(places, "max_tokens = 5\n")
    assert find_settings(places, ("max_tokens=",), {}).settings.max_tokens is None


def test_an_environment_that_cannot_be_used_is_passed_over_with_a_word(places: Places) -> None:
    found = find_settings(places, (), {"LOCALSTEER_TOP_K": "many", "LOCALSTEER_SEED": "4"})
    assert (found.settings.top_k, found.settings.seed) == (40, 4)
    assert ["LOCALSTEER_TOP_K" in problem for problem in found.problems] == [True]


@pytest.mark.parametrize("given", ["temprature=1", "temperature", "temperature=hot", "keys=ctrl+b", "top_k.x=1"])
def test_what_the_command_line_cannot_set_is_an_error(places: Places, given: str) -> None:
    with pytest.raises(SettingsError, match=given.partition("=")[0].partition(".")[0]):
        find_settings(places, (given,), {})


@pytest.mark.parametrize("setting", SCHEMA.values(), ids=SCHEMA)
def test_every_setting_has_a_sentence_a_default_that_may_be_set_and_a_line_in_the_file(setting: Setting) -> None:
    assert setting.says.endswith(".")
    shown = setting.example if setting.default is None else plain_value(setting.default)
    if setting.table:
        assert f"[{setting.name}]" in commented_file()
    else:
        setting.kind.check(shown)
        assert f"\n# {setting.name} = {toml_text(shown)}\n" in commented_file()


def test_a_new_file_sets_nothing(places: Places) -> None:
    assert make_settings_file(places)
    assert not make_settings_file(places)
    assert find_settings(places, (), {}).settings == Settings()
    assert find_settings(places, (), {}).problems == ()


def test_setting_keeps_the_persons_comments_and_order(places: Places) -> None:
    before = (
        "# mine\r\ntop_k = 3 # why\r\n\r\n# about folders\r\nmodel_folders = [\r\n  '/a', # first\r\n]\r\n"
        "[keys]\r\nagain = 'f11'\r\n"
    )
    places.config.mkdir(parents=True)
    places.settings.write_bytes(before.encode())
    set_in_file(places, "top_k", "5")
    assert places.settings.read_bytes().decode() == before.replace("top_k = 3", "top_k = 5")
    set_in_file(places, "seed", "9")
    set_in_file(places, "keys.mute", "alt+q,f12")
    found = find_settings(places, (), {}).settings
    assert (found.top_k, found.seed, found.model_folders) == (5, 9, (Path("/a"),))
    assert found.keys == {"again": ("f11",), "mute": ("alt+q", "f12")}
    assert all(comment in places.settings.read_text() for comment in ("# mine", "# why", "# about folders", "# first"))


def test_setting_takes_the_place_of_the_commented_line_and_unsetting_gives_it_back(places: Places) -> None:
    for key, value in (("temperature", "0.3"), ("model_folders", "/a"), ("keys.again", "ctrl+b")):
        set_in_file(places, key, value)
    assert places.settings.read_text().count("temperature = ") == 1
    for key in ("temperature", "model_folders", "keys.again"):
        assert unset_in_file(places, key)
        assert not unset_in_file(places, key)
    assert places.settings.read_text() == commented_file()


def test_a_line_inside_a_text_is_no_commented_setting(places: Places) -> None:
    write_settings(places, 'system_prompt = """\n# seed = 1\n"""\n')
    set_in_file(places, "seed", "4")
    settings = find_settings(places, (), {}).settings
    assert (settings.seed, settings.system_prompt) == (4, "# seed = 1\n")


@pytest.mark.parametrize("content", [b"theme = \n", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_a_file_that_cannot_be_read_is_never_written(places: Places, content: bytes) -> None:
    places.config.mkdir(parents=True)
    places.settings.write_bytes(content)
    for change in (lambda: set_in_file(places, "seed", "1"), lambda: unset_in_file(places, "seed")):
        with pytest.raises(SettingsError, match="mend"):
            change()
    assert not make_settings_file(places)
    assert places.settings.read_bytes() == content


@pytest.mark.skipif(os.name != "posix", reason="links take rights on Windows")
def test_a_file_that_lies_elsewhere_by_a_link_is_changed_there(places: Places, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles" / "settings.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("# mine\nseed = 1\n", encoding="utf-8")
    places.config.mkdir(parents=True, exist_ok=True)
    places.settings.symlink_to(elsewhere)
    set_in_file(places, "seed", "7")
    assert places.settings.is_symlink()
    assert elsewhere.read_text(encoding="utf-8").startswith("# mine\nseed = 7")


def test_the_sampling_is_that_of_the_settings() -> None:
    assert Settings().sampling == Sampling()
    assert Settings(top_k=3, seed=4, max_tokens=5).sampling == Sampling(top_k=3, seed=4, max_tokens=5)


def test_what_the_app_remembers_comes_back(places: Places) -> None:
    remembered = Remembered(
        last_model="practice",
        theme="dark",
        dials={"m1": (RememberedDial("mood", 1.5, on=False, layers=(3, 4), scope="everything"), RememberedDial("sea"))},
    )
    write_remembered(places, remembered)
    assert read_remembered(places) == remembered


def test_a_damaged_memory_is_an_empty_one(places: Places) -> None:
    assert read_remembered(places) == Remembered()
    places.data.mkdir(parents=True)
    for damage in ("", "{", "[1]", '{"dials": 3, "theme": 4}', '{"dials": {"m": [{"name": 1}, 3, {"strength": "x"}]}}'):
        places.remembered.write_text(damage)
        assert read_remembered(places).last_model is None
