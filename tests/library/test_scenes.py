"""Scenes in their file: read, saved, renamed, removed and restored; what a person wrote stays."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localsteer.engine.protocol import SCOPES, Sampling
from localsteer.errors import SceneError
from localsteer.library.places import Places
from localsteer.library.remembered import RememberedDial
from localsteer.library.scenes import Scene, read_scenes
from localsteer.library.scenes_file import remove_scene, rename_scene, restore_scene, save_scene

POET = Scene(
    "bright poet",
    dials=(
        RememberedDial("mood", 1.2, True, (4, 5), "reply"),
        RememberedDial('mood*1.2 - 0.5*"a b"', -0.5, False, None, "everything"),
    ),
    sampling=Sampling(temperature=0.5, seed=7),
    system_prompt='You are a poet.\nRhyme \\ "always".',
    model="practice model",
)
PLAIN = Scene("plain", dials=(), sampling=Sampling(), system_prompt="")
BY_HAND = """\
# mine

# the calm one
[[scene]]   # here
name = "calm"
dials = [{ name = "mood", strength = 1 }]  # just one

# a quick one
[[scene]]
name = "quick"
sampling = { temperature = 0, max_tokens = 20 }
# the end
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(data=tmp_path, config=tmp_path, logs=tmp_path)


def names(places: Places) -> list[str]:
    found = read_scenes(places)
    assert found.problems == ()
    return [scene.name for scene in found.scenes]


def test_what_is_saved_is_read_again_and_the_file_explains_itself(places: Places) -> None:
    assert read_scenes(places).scenes == ()
    save_scene(places, POET)
    save_scene(places, PLAIN)
    assert read_scenes(places).scenes == (POET, PLAIN)
    text = places.scenes.read_text("utf-8")
    assert text.startswith("# Scenes of localsteer")
    assert '    { name = "mood", strength = 1.2, layers = "4-5", scope = "reply" },' in text
    # The example at the top is one that can be used.
    example = "\n".join(line.removeprefix("# ") for line in text.split("#\n")[1].split("\n\n")[0].splitlines())
    places.scenes.write_text(example, "utf-8")
    assert names(places) == ["cheerful"]


def test_a_scene_of_the_same_name_takes_the_others_place(places: Places) -> None:
    save_scene(places, POET)
    save_scene(places, PLAIN)
    save_scene(places, Scene("bright poet", system_prompt="Other."))
    assert read_scenes(places).scenes == (Scene("bright poet", system_prompt="Other."), PLAIN)


def test_changes_leave_what_a_person_wrote_around_them(places: Places) -> None:
    places.scenes.write_text(BY_HAND, "utf-8")
    assert read_scenes(places).scenes == (
        Scene("calm", dials=(RememberedDial("mood", 1.0, scope=""),)),
        Scene("quick", sampling=Sampling(temperature=0, max_tokens=20)),
    )
    rename_scene(places, "calm", "calmer")
    save_scene(places, Scene("quick", system_prompt="Be quick."))
    save_scene(places, PLAIN)
    text = places.scenes.read_text("utf-8")
    assert text.startswith('# mine\n\n# the calm one\n[[scene]]   # here\nname = "calmer"\ndials = [')
    assert "# just one\n\n# a quick one\n[[scene]]" in text
    assert names(places) == ["calmer", "quick", "plain"]


def test_comments_below_a_scene_stay_when_it_is_saved_or_removed(places: Places) -> None:
    below = "# between the two\n\n# the calm one, really"
    places.scenes.write_text(BY_HAND.replace("# a quick one", f"{below}\n\n# a quick one"), encoding="utf-8")
    for name in ("calm", "quick"):
        save_scene(places, Scene(name, sampling=Sampling()))
        text = places.scenes.read_text(encoding="utf-8")
        assert all(words in text for words in ("# mine", "# the calm one\n", below, "# a quick one", "# the end"))
        assert names(places) == ["calm", "quick"]
    for name in ("calm", "quick"):
        remove_scene(places, name)
        text = places.scenes.read_text(encoding="utf-8")
        assert all(words in text for words in ("# mine", below, "# the end"))


def test_a_removed_scene_comes_back_with_its_comment(places: Places) -> None:
    places.scenes.write_text(BY_HAND, "utf-8")
    removed = remove_scene(places, "calm")
    assert names(places) == ["quick"]
    assert "the calm one" not in places.scenes.read_text("utf-8")
    restore_scene(places, removed)
    assert places.scenes.read_text("utf-8") == BY_HAND
    # The file has changed since: at the end.
    removed = remove_scene(places, "calm")
    save_scene(places, PLAIN)
    restore_scene(places, removed)
    assert names(places) == ["quick", "plain", "calm"]
    assert "# the calm one\n[[scene]]   # here" in places.scenes.read_text("utf-8")
    with pytest.raises(SceneError, match="another scene called"):
        restore_scene(places, removed)


def test_the_last_scene_can_be_removed(places: Places) -> None:
    save_scene(places, POET)
    removed = remove_scene(places, "bright poet")
    assert names(places) == []
    restore_scene(places, removed)
    assert read_scenes(places).scenes == (POET,)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
DIALS = st.builds(
    RememberedDial,
    NAMES,
    st.floats(-999, 999),
    st.booleans(),
    st.none() | st.sets(st.integers(1, 80), min_size=1).map(lambda layers: tuple(sorted(layers))),
    st.sampled_from(SCOPES),
)
SCENES = st.builds(
    Scene,
    NAMES,
    st.none() | st.lists(DIALS, max_size=3).map(tuple),
    st.none() | st.builds(Sampling, temperature=st.floats(0, 100), seed=st.none() | st.integers(0, 99)),
    st.none() | st.text(st.characters(codec="utf-8"), max_size=40),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(SCENES, max_size=4, unique_by=lambda scene: scene.name))
def test_whatever_is_saved_is_read_again_and_removed_without_harm_to_the_others(
    tmp_path_factory: pytest.TempPathFactory, scenes: list[Scene]
) -> None:
    folder = tmp_path_factory.mktemp("scenes")
    places = Places(data=folder, config=folder, logs=folder)
    for scene in scenes:
        save_scene(places, scene)
    assert read_scenes(places).scenes == tuple(scenes)
    assert read_scenes(places).problems == ()
    for scene in scenes[1:]:
        remove_scene(places, scene.name)
    assert read_scenes(places).scenes == tuple(scenes[:1])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("strength = 1", 'line 6: a scene has no "strength"; it may hold name, model'),
        ("sampling = { temprature = 1 }", 'line 6: sampling has no "temprature"; did you mean "temperature"?'),
        ("sampling = { temperature = -1 }", 'line 6: "temperature" cannot be -1; it must be a number from 0 to 100.'),
        ("system_prompt = 7", 'line 6: "system_prompt" must be a text in quotes.'),
        ('dials = ["mood"]', 'line 6: "dials" must be a list like'),
        ("dials = [{ strength = 1 }]", "line 6: a dial needs a name"),
        ('dials = [\n{ name = "a" },\n{ name = "b", strength = "1" }]', 'line 8: "strength" of the dial "b"'),
        ('dials = [{ name = "b", strength = inf }]', "line 6"),
        ('dials = [{ name = "b", layers = "9-7" }]', 'line 6: "layers" of the dial "b" must be a text'),
        ('dials = [{ name = "b", scope = "all" }]', '"scope" of the dial "b" must be "reply" or'),
        ('dials = [{ name = "b", on = 1 }]', '"on" of the dial "b" must be true or false.'),
        ('dials = [{ name = "b", strenght = 1 }]', 'the dial "b" has no "strenght"; did you mean "strength"?'),
        ('[[scene]]\nname = "good"', 'line 7: another scene is called "good", too; rename one.'),
        ("[[scene]]", "line 6: a scene needs a name"),
    ],
)
def test_a_scene_that_says_something_impossible_is_left_out_and_named_with_its_line(
    places: Places, line: str, says: str
) -> None:
    places.scenes.write_text(f'# mine\n[[scene]]\nname = "good"\n[[scene]]\nname = "bad"\n{line}\n', "utf-8")
    found = read_scenes(places)
    assert [scene.name for scene in found.scenes if scene.name != "bad"] == ["good"]
    (problem,) = found.problems
    assert says in problem
    # Changing the others leaves it as it is.
    before = tomllib.loads(places.scenes.read_text("utf-8"))["scene"]
    save_scene(places, PLAIN)
    assert tomllib.loads(places.scenes.read_text("utf-8"))["scene"][:-1] == before


@pytest.mark.parametrize(
    "change",
    [
        lambda places: save_scene(places, POET),
        lambda places: rename_scene(places, "a", "b"),
        lambda places: remove_scene(places, "a"),
    ],
)
@pytest.mark.parametrize(
    "content",
    [b'[[scene]]\nname = "a"\ndials = [\n', b'[[scene]]\nname = "\xff"', b'scene = "a"', b"[scene]\nname = 'a'"],
)
def test_a_broken_file_is_named_and_never_overwritten(
    places: Places, content: bytes, change: Callable[[Places], object]
) -> None:
    places.scenes.write_bytes(content)
    assert str(places.scenes) in read_scenes(places).problems[0]
    with pytest.raises(SceneError, match=r"scenes\.toml"):
        change(places)
    assert places.scenes.read_bytes() == content


def test_a_file_that_only_its_writer_understands_is_not_cut(places: Places) -> None:
    content = 'scene = [{ name = "a" }, { name = "b" }]\n'
    places.scenes.write_text(content, "utf-8")
    assert names(places) == ["a", "b"]
    with pytest.raises(SceneError, match="by hand"):
        remove_scene(places, "a")
    prompt = '[[scene]]\nname = "a"\nsystem_prompt = """\n[[scene]]\nname = "x"\n"""\n'
    places.scenes.write_text(prompt, "utf-8")
    with pytest.raises(SceneError, match="by hand"):
        remove_scene(places, "a")
    assert places.scenes.read_text("utf-8") == prompt


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x1b[31m"])
def test_a_name_is_short_and_readable(places: Places, name: str) -> None:
    with pytest.raises(SceneError, match="needs a name"):
        save_scene(places, Scene(name))
    assert not places.scenes.exists()


def test_a_name_that_is_taken_or_gone_is_said(places: Places) -> None:
    save_scene(places, POET)
    save_scene(places, PLAIN)
    with pytest.raises(SceneError, match="already"):
        rename_scene(places, "plain", "bright poet")
    with pytest.raises(SceneError, match="any more"):
        rename_scene(places, "gone", "other")
    with pytest.raises(SceneError, match="any more"):
        remove_scene(places, "gone")


def test_names_with_bytes_that_are_no_text_are_written_as_far_as_they_go(places: Places) -> None:
    save_scene(places, Scene("odd", dials=(RememberedDial("bad\udcff"),)))
    save_scene(places, PLAIN)
    (odd, _) = read_scenes(places).scenes
    assert odd.dials == (RememberedDial("bad?"),)
    assert names(places) == ["odd", "plain"]
