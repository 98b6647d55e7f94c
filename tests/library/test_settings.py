"""Settings and memory: a broken file costs its contents, never the app."""

from __future__ import annotations

from pathlib import Path

from localsteer.library.places import Places
from localsteer.library.remembered import Remembered, RememberedDial, read_remembered, write_remembered
from localsteer.library.settings import Settings
from localsteer.library.settings_sources import read_settings


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
