"""Each kind of file of strangers that localsteer reads: how it is spoilt, and all that is done with it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localsteer.engine.experiments.texts import read_texts
from localsteer.gguf_header import check_chat_model, model_id, vocabulary_fingerprint
from localsteer.lens.promoted import promoted_tokens
from localsteer.library.drafts import read_draft
from localsteer.library.letter_sets import find_letter_set
from localsteer.library.measured import read_sweep
from localsteer.library.model_facts import FactsBook, read_facts
from localsteer.library.places import Places
from localsteer.library.portraits import read_portrait
from localsteer.library.recipes import RecipeFile, read_card
from localsteer.library.remembered import read_remembered, write_remembered
from localsteer.library.scenes import read_scenes
from localsteer.library.scenes_file import remove_scene, save_scene
from localsteer.library.sent_messages import read_sent
from localsteer.library.settings_file import set_in_file, unset_in_file
from localsteer.library.settings_sources import read_settings
from localsteer.library.sweep_journal import SweepJournal
from localsteer.library.vector_cards import read_vector_card
from localsteer.library.vectors import origin_of_file
from localsteer.plots.terminal import draw_cost, draw_effect, draw_norms, draw_scatter, draw_separation, picture
from localsteer.steering.contrast_files import ContrastOptions, read_contrast_file, read_stems_file
from localsteer.steering.dials import Dial, buffers
from localsteer.steering.vector_file import load_vector, read_origin
from tests.hardening.hostile_gguf import ANY_FILE, mutated
from tests.hardening.hostile_models import BEHIND_THE_HEADER, MODEL
from tests.hardening.hostile_texts import spoilt_json, spoilt_text, spoilt_toml
from tests.hardening.outcomes import check_sentence

Mutate = Callable[[random.Random, bytes], bytes]
Use = Callable[[Path], object]


@dataclass(frozen=True)
class Kind:
    """``file``: what it is called. ``sound``: what it begins with; ``mutate``: such a thing with something wrong.
    ``uses``: each is tried, whatever became of the one before. ``read_only``: none of them may change it.
    """

    name: str
    file: str
    sound: tuple[bytes, ...]
    mutate: Mutate
    uses: tuple[Use, ...]
    read_only: bool = True

    def spoilt(self, rng: random.Random) -> bytes:
        """One of the sound ones with something wrong."""
        return self.mutate(rng, rng.choice(self.sound))


def as_json(*documents: object) -> tuple[bytes, ...]:
    """Each as a file."""
    return tuple(json.dumps(document).encode() for document in documents)


# ---------------------------------------------------------------- models and vectors


def facts(path: Path) -> None:
    """What the list of models asks for."""
    found = read_facts(path)
    if found.problem:
        check_sentence(found.problem)
    assert isinstance(found.steering, str)
    found.memory_need(path)
    found.memory_need(path, 4096)


def checked(path: Path) -> None:
    """What happens before llama.cpp sees a file."""
    header = check_chat_model(path)
    model_id(path, header)
    vocabulary_fingerprint(path, header)
    assert isinstance(header.quantisation, str)
    assert header.n_params >= 0


def lens(path: Path) -> None:
    """The tokens that a direction promotes."""
    promoted_tokens(path, np.ones(32, np.float32), 5)


def model(content: bytes) -> Kind:
    """Models, made from a sound one."""
    groups = (MODEL, BEHIND_THE_HEADER, ANY_FILE)
    return Kind(
        "model GGUF",
        "model.gguf",
        (content,),
        lambda rng, sound: mutated(rng, sound, rng.choice(groups)),
        (facts, checked, lens),
    )


def steered(path: Path) -> None:
    """What the engine does with a vector."""
    vector = load_vector(path)
    for strength in (1.0, -1e30, 1e300):
        buffers([Dial(vector, strength)], 5, vector.n_embd)


def card(path: Path) -> None:
    """What the library shows of a vector."""
    found = read_vector_card(path)
    assert isinstance(found.scope, str | None)
    portrait = read_portrait(found, [found])
    for draw in (draw_separation, draw_norms, draw_scatter):
        picture(lambda plt, inks, draw=draw: draw(plt, inks, portrait), 60, 15)  # type: ignore[misc]


def mixed(path: Path) -> None:
    """Arithmetic with a vector."""
    vector = load_vector(path)
    for made in (vector + vector, vector - vector, 1e30 * vector, -vector, vector.without(vector)):
        assert made.n_embd == vector.n_embd
    vector.normalised(0.5)


def vector(content: bytes) -> Kind:
    """Vector files, made from a sound one."""
    return Kind(
        "vector GGUF",
        "vector.gguf",
        (content,),
        mutated,
        (steered, card, mixed, read_origin, origin_of_file, lambda path: load_vector(path, -1, skip_layer_0=True)),
    )


# ---------------------------------------------------------------- recipes and contrast files

_POLES = ContrastOptions(positive="happy", negative="sad")


def _expanded(path: Path) -> None:
    assert read_contrast_file(path, _POLES).digest


RECIPES = tuple(sorted((Path(__file__).parents[2] / "vectors").glob("*.toml")))
RECIPE = Kind(
    "recipe",
    "recipe.toml",
    tuple(recipe.read_bytes() for recipe in RECIPES),
    spoilt_toml,
    (_expanded, read_draft, lambda path: read_card(RecipeFile("recipe", path, "own"))),
)

CONTRASTS: tuple[object, ...] = (
    [{"positive": "I love", "negative": "I hate"}, {"positive": "Yes", "negative": "No"}],
    [["I love", "I hate"], ["<s>[INST] Hi [/INST] Yes", "<s>[INST] Hi [/INST] No"]],
    ["That game", "I can", "Somewhere"],
    [
        {
            "question": "Is it?\n\nChoices:\n (A) Yes\n (B) No",
            "answer_matching_behavior": " (A)",
            "answer_not_matching_behavior": " (B)",
        }
    ],
    {"classes": ["kind", "cruel"], "data": [["who is kind", "who is cruel"], ["helps", "harms"]]},
    {"compliant_responses": ["Sure"], "non_compliant_responses": ["No"]},
    {"pre": ["You are"], "post": ["an author"]},
)


def _two_texts(path: Path) -> None:
    if path.name == "positive.txt":
        path.with_name("negative.txt").write_bytes(b"bad\nworse\n")
    read_contrast_file(path)


CONTRAST_JSON = Kind(
    "contrast JSON",
    "contrast.json",
    as_json(*CONTRASTS),
    spoilt_json,
    (_expanded, read_contrast_file, read_draft, read_stems_file, read_texts, find_letter_set),
)
_LINES = "good\\nbetter\nbest \u2028é\n".encode()
CONTRAST_TEXT = Kind(
    "contrast text",
    "positive.txt",
    (_LINES, _LINES * 300),
    spoilt_text,
    (_two_texts, read_texts, read_draft),
)


# ---------------------------------------------------------------- the library's own files


def places_in(folder: Path) -> Places:
    """All places in one folder."""
    return Places(folder, folder, folder)


SETTINGS_TEXT = b"""\
temperature = 0.7
top_k = 40
n_threads = 2
system_prompt = "Be kind."
theme = "dark"
max_tokens = 100
n_ctx = 2048
seed = 7
model_folders = ["~/models"]

[keys]
again = "ctrl+b"
add_dial = ["f7", "alt+a"]
"""

SCENES_TEXT = b"""\
# mine
[[scene]]
name = "cheerful"
model = "Small"
system_prompt = '''
Be kind.
Be brief.'''
sampling = { temperature = 0.8, top_k = 40 }
dials = [
    { name = "mood", strength = 1.2, layers = "7-9", scope = "reply" },
    { name = "sea*2 - mood", strength = -1, on = false },
]

[[scene]]
name = "plain"
dials = []
"""


def as_lines(*documents: object) -> tuple[bytes, ...]:
    """A file with each on a line."""
    return (b"\n".join(as_json(*documents)),)


def _spoilt_lines(rng: random.Random, content: bytes) -> bytes:
    return b"\n".join(spoilt_json(rng, line) for line in content.split(b"\n"))


def _settings(path: Path) -> None:
    for problem in read_settings(places_in(path.parent), environment={})[1]:
        check_sentence(problem)


def _settings_changed(path: Path) -> None:
    other = path.parent / "copy"
    other.mkdir(exist_ok=True)
    shutil.copyfile(path, other / path.name)
    set_in_file(places_in(other), "temperature", "0.5")
    unset_in_file(places_in(other), "temperature")
    set_in_file(places_in(other), "keys.again", "f9")


def _scenes(path: Path) -> None:
    for problem in read_scenes(places_in(path.parent)).problems:
        check_sentence(problem)


def _scenes_changed(path: Path) -> None:
    other = path.parent / "copy"
    other.mkdir(exist_ok=True)
    shutil.copyfile(path, other / path.name)
    for scene in read_scenes(places_in(other)).scenes:
        save_scene(places_in(other), scene)
        remove_scene(places_in(other), scene.name)


def _remembered(path: Path) -> None:
    found = read_remembered(places_in(path.parent))
    other = path.parent / "copy"
    other.mkdir(exist_ok=True)
    write_remembered(places_in(other), found)
    assert len(read_remembered(places_in(other)).dials) <= len(found.dials)


def _facts_book(path: Path) -> None:
    FactsBook(path).facts(path)


def _curve(path: Path) -> None:
    curve = read_sweep(path)
    assert isinstance(curve.by_layer, bool)
    picture(lambda plt, inks: draw_effect(plt, inks, curve), 60, 15)
    picture(lambda plt, inks: draw_cost(plt, inks, curve, "perplexity_ratio"), 60, 15)


SETTINGS = Kind("settings", "settings.toml", (SETTINGS_TEXT,), spoilt_toml, (_settings, _settings_changed))
SCENES = Kind("scenes", "scenes.toml", (SCENES_TEXT,), spoilt_toml, (_scenes, _scenes_changed))
_DIAL = {"name": "mood", "strength": 1.5, "on": True, "layers": [3, 4], "scope": "reply", "path": None}
REMEMBERED = Kind(
    "remembered",
    "remembered.json",
    as_json(
        {
            "last_model": "practice",
            "theme": "dark",
            "needles": True,
            "needles_cost": {"abc": 0.1},
            "dials": {"abc": [_DIAL, _DIAL]},
        }
    ),
    spoilt_json,
    (_remembered,),
)
SENT = Kind(
    "sent messages",
    "sent_messages.jsonl",
    as_lines("Hello", "Hello", "Hello"),
    _spoilt_lines,
    (lambda path: read_sent(places_in(path.parent)),),
    read_only=False,  # it is shortened where it has grown
)
_FINDING = {
    "kind": "row",
    "strength": 1.0,
    "layers": [3],
    "effect": 0.1,
    "effect_low": 0.0,
    "effect_high": 0.2,
    "perplexity_ratio": 1.1,
    "kl": 0.1,
}
JOURNAL = Kind(
    "sweep journal",
    "journal.jsonl",
    as_lines(_FINDING, _FINDING, _FINDING),
    _spoilt_lines,
    (lambda path: SweepJournal(path).read(),),
)
SWEEP = Kind(
    "sweep document",
    "sweep.json",
    as_json(
        {
            "vector": "mood",
            "rows": [_FINDING, {**_FINDING, "strength": -1.0}, {**_FINDING, "layers": [4]}],
            "random_effect_low": -0.1,
            "random_effect_high": 0.1,
            "safe_low": -1.0,
            "safe_high": 1.0,
        }
    ),
    spoilt_json,
    (_curve,),
)
FACTS = Kind(
    "model facts",
    "models.json",
    as_json({"version": 1, "files": {"/a\n1\n2": {"own_name": "x", "n_layer": 4}}}),
    spoilt_json,
    (_facts_book,),
)


LIBRARY = (RECIPE, CONTRAST_JSON, CONTRAST_TEXT, SETTINGS, SCENES, REMEMBERED, SENT, JOURNAL, SWEEP, FACTS)
