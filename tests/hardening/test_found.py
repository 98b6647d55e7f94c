"""The smallest case of each defect that hostile input has found."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import struct
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from localsteer.chat.exporting import exported
from localsteer.chat.importing import read_conversation
from localsteer.chat.store import ConversationStore
from localsteer.chat.turns import as_turn
from localsteer.engine.death import how_it_ended, last_words
from localsteer.errors import LocalsteerError, ModelError, RecipeError, StorageError
from localsteer.gguf_header import check_chat_model, read_header
from localsteer.lens.promoted import promoted_tokens
from localsteer.lens.token_texts import token_texts
from localsteer.library.measured import read_sweep
from localsteer.library.remembered import Remembered, RememberedDial, read_remembered, write_remembered
from localsteer.library.scenes import read_scenes
from localsteer.library.vector_cards import read_vector_card
from localsteer.llama.model import Model
from localsteer.plots.curve import spoken_window
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.expressions import quoted, written_layers
from localsteer.steering.vector import LayerStatistics
from localsteer.steering.vector_file import load_vector, save_vector
from localsteer.toml_reading import parse_toml
from tests.chat.conftest import CARD
from tests.cli.bad_vectors import write_tensors
from tests.hardening.hostile_databases import sound_database
from tests.hardening.hostile_gguf import ARRAY, STRING, Gguf, array, strings_of, taken_apart, text, word, written
from tests.hardening.hostile_kinds import card, places_in
from tests.hardening.hostile_parts import NAMES, in_two_parts
from tests.hardening.hostile_talks import OWN_JSON
from tests.random_models import write_random_llama
from tests.steering.vectors import make


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "sound.gguf"
    return write_random_llama(path, vocabulary="spm", n_layer=2, n_embd=32, n_vocab=400).read_bytes()


def _u32(key: str, number: int) -> Callable[[Gguf], None]:
    return lambda file: file.put(f"llama.{key}", 4, struct.pack("<I", number))


def _same_tokens(file: Gguf) -> None:
    tokens = strings_of(file.raw("tokenizer.ggml.tokens"))
    tokens[300:302] = [b"a", b"a\0b"]  # llama.cpp reads up to the NUL
    file.put("tokenizer.ggml.tokens", ARRAY, array(STRING, [text(token) for token in tokens]))


def _other_token(number: int, spelled: bytes) -> Callable[[Gguf], None]:
    def spoil(file: Gguf) -> None:
        tokens = strings_of(file.raw("tokenizer.ggml.tokens"))
        tokens[number] = spelled
        file.put("tokenizer.ggml.tokens", ARRAY, array(STRING, [text(token) for token in tokens]))

    return spoil


def _vocabulary(kind: bytes) -> Callable[[Gguf], None]:
    return lambda file: file.put("tokenizer.ggml.model", STRING, text(kind))


def _architecture(new: bytes) -> Callable[[Gguf], None]:
    def spoil(file: Gguf) -> None:
        for entry in file.entries:
            if entry[0] == b"general.architecture":
                entry[1:] = [STRING, text(new)]
            else:
                entry[0] = re.sub(b"^llama(?=[.])", new, bytes(entry[0]))  # type: ignore[call-overload]

    return spoil


def _experts_by_layer(file: Gguf) -> None:
    used = [struct.pack("<I", each) for each in (2, 9)]
    file.put("llama.expert_used_count", ARRAY, array(4, used))
    file.put("llama.expert_count", 4, struct.pack("<I", 8))


def _type(tensor: bytes, number: int) -> Callable[[Gguf], None]:
    def spoil(file: Gguf) -> None:
        next(one for one in file.tensors if one.name == tensor).type = number

    return spoil


def _second_tensor_one_further(file: Gguf) -> None:
    file.tensors[1].offset += 32


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_u32("block_count", 513), "513 layers"),
        (_u32("nextn_predict_layers", 3), "predicts ahead"),
        (_u32("expert_count", 1025), "experts"),
        (_u32("expert_count", 8), "experts"),
        (_u32("expert_used_count", 1), "experts"),
        (_u32("expert_group_count", 1), "experts"),
        (lambda file: file.put("llama.rope.scaling.type", STRING, text(b"wrong")), "scales positions"),
        (lambda file: file.put("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", -1.0)), "epsilon"),
        (lambda file: file.put("general.alignment", 4, struct.pack("<I", 1)), "multiple of 32|does not begin"),
        (lambda file: file.put("tokenizer.ggml.model", STRING, text(b"no_vocab")), "no vocabulary"),
        (lambda file: file.drop("tokenizer.ggml.tokens"), "no vocabulary"),
        (_same_tokens, "two tokens"),
        (lambda file: file.put("tokenizer.ggml.scores", ARRAY, array(6, [bytes(4)])), "1 scores"),
        (lambda file: file.put("tokenizer.ggml.token_type", ARRAY, array(4, [bytes(4)] * 400)), "wrong type"),
        (_other_token(3 + ord("\n"), b"nothing"), "cannot spell every text"),
        (_vocabulary(b"rwkv"), "cannot spell every text"),
        (_vocabulary(b"bert"), "tokens for bytes"),
        (_other_token(300, b"x" * 20_000), "20,000 bytes"),
        (_experts_by_layer, "uses 9 of 8 experts"),
        (_type(b"output_norm.weight", 26), "cannot compute with I32"),
        (_type(b"output_norm.weight", 1), "cannot compute with F16"),
        (_type(b"output.weight", 26), "cannot compute with I32"),
        (_type(b"output.weight", 24), "cannot compute with I8"),
        (_architecture(b"smallthinker"), "experts"),
        (_architecture(b"llada"), "a diffusion model"),
        (_architecture(b"eagle3"), "a draft model"),
        (_architecture(b"t5"), "an encoder with a decoder"),
        (_second_tensor_one_further, "does not begin where"),
        (lambda file: file.entries.append(file.entries[0]), "twice"),
        (lambda file: file.tensors.append(file.tensors[0]), "two tensors"),
        (lambda file: file.put("x", ARRAY, struct.pack("<IQ", ARRAY, 1) * 5000 + array(4, [])), "array of arrays"),
        (lambda file: file.put("x", ARRAY, array(STRING, [], 2**60)), "says that it has"),
        (lambda file: file.put("x", STRING, word(2**40)), "cut off"),
        (lambda file: setattr(file, "data", file.data[:-1]), "cut off"),
    ],
)
def test_what_llama_cpp_would_die_of_or_python_drown_in(
    sound: bytes, tmp_path: Path, spoil: Callable[[Gguf], None], says: str
) -> None:
    file = taken_apart(sound)
    spoil(file)
    path = tmp_path / "spoilt.gguf"
    path.write_bytes(file.content())
    with pytest.raises(ModelError, match=says):
        check_chat_model(path)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda file: file.put("split.no", 4, struct.pack("<I", 1)), "which part"),
        (lambda file: file.put("general.alignment", 4, struct.pack("<I", 1)), "multiple of 32|does not begin"),
        (lambda file: setattr(file, "magic", b"GGML"), "not a GGUF file"),
        (lambda file: setattr(file, "data", file.data[:-1]), "cut off"),
    ],
)
def test_a_later_part_is_looked_at_like_the_first(
    sound: bytes, tmp_path: Path, spoil: Callable[[Gguf], None], says: str
) -> None:
    paths = [written(tmp_path / name, part) for name, part in zip(NAMES, in_two_parts(sound), strict=True)]
    check_chat_model(paths[0])
    later = taken_apart(paths[1].read_bytes())
    spoil(later)
    paths[1].write_bytes(later.content())
    with pytest.raises(ModelError, match=f"00002-of-00002.*({says})"):
        check_chat_model(paths[0])


def test_a_sound_model_is_none_of_this(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sound.gguf"
    path.write_bytes(taken_apart(sound).content())
    assert check_chat_model(path).n_layer == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only there are names bytes, whatever they spell")
def test_a_model_whose_name_is_no_utf_8_is_loaded(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd\udcff.gguf"
    path.write_bytes(sound)
    with Model(path) as model:
        assert model.n_layer == 2


def test_a_byte_token_that_spells_no_byte(sound: bytes, tmp_path: Path) -> None:
    file = taken_apart(sound)
    tokens = strings_of(file.raw("tokenizer.ggml.tokens"))
    tokens[300] = b"<0xZZ>"
    file.put("tokenizer.ggml.tokens", ARRAY, array(STRING, [text(token) for token in tokens]))
    path = tmp_path / "model.gguf"
    path.write_bytes(file.content())
    assert token_texts(path, read_header(path), [300]) == {300: "<0xZZ>"}


def test_weights_that_are_no_numbers_put_no_warning_on_the_terminal(sound: bytes, tmp_path: Path) -> None:
    file = taken_apart(sound)
    at = next(tensor.offset for tensor in file.tensors if tensor.name == b"output_norm.weight")
    file.data = file.data[:at] + struct.pack("<f", math.inf) + file.data[at + 4 :]
    path = written(tmp_path / "model.gguf", file.content())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert promoted_tokens(path, np.zeros(32, np.float32), 5).promoted == ()


@pytest.mark.parametrize("content", ["[" + "9" * 5000 + "]", "[[1e999]]", "[" * 100_000])
def test_json_numbers_and_depths_that_python_refuses(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pairs.json"
    path.write_text(content)
    with pytest.raises(RecipeError):
        read_contrast_file(path)
    with pytest.raises(StorageError):
        read_sweep(path)


@pytest.mark.parametrize("content", ["a = " + "9" * 5000, "a = " + "[" * 5000, ".".join(["a"] * 50_000) + " = 1"])
def test_toml_numbers_and_depths_that_python_refuses(tmp_path: Path, content: str) -> None:
    with pytest.raises(ValueError):
        parse_toml(content)
    path = tmp_path / "recipe.toml"
    path.write_text(content)
    with pytest.raises(RecipeError):
        read_contrast_file(path)


def test_names_that_no_list_has_room_for(tmp_path: Path) -> None:
    """In the window that adds dials the end of such a name was 17,000 lines further down."""
    long = "x" * 1_000_000
    for label in ("description", "group", "positive", "negative"):
        values = dict.fromkeys(("description", "group", "positive", "negative"), "some") | {"negative": "other"}
        values[label] = long
        path = tmp_path / "recipe.toml"
        path.write_text(
            'description = "{description}"\ngroup = "{group}"\n'
            'poles = {{ positive = "{positive}", negative = "{negative}" }}\n'
            '[[texts]]\npositive = ["a"]\nnegative = ["b"]\n'.format(**values)
        )
        with pytest.raises(RecipeError, match="1,000,000 characters; 1,000 are the most"):
            read_contrast_file(path)
    vector = tmp_path / "mood.gguf"
    save_vector(replace(make(), positive_pole=long), vector)
    assert len(read_vector_card(vector).positive_pole) == 1000


def test_a_direction_of_a_layer_that_no_number_is_read_for(tmp_path: Path) -> None:
    path = write_tensors(tmp_path / "bad.gguf", {f"direction.{'9' * 5000}": [1.0] * 8})
    assert "holds no directions" in (read_vector_card(path).error or "")


def test_an_imported_chat_sends_nobody_to_another_computer() -> None:
    document = json.loads(json.dumps(OWN_JSON))
    for path, kept in (
        ("\\\\elsewhere\\share\\mood.gguf", "mood.gguf"),
        ("/\\elsewhere/share/mood.gguf", "mood.gguf"),
        ("\\\\?\\UNC\\elsewhere\\share\\mood.gguf", "mood.gguf"),
        ("\\\\?\\C:\\mood.gguf", "\\\\?\\C:\\mood.gguf"),
        ("/home/me/mood.gguf", "/home/me/mood.gguf"),
    ):
        dial = {"name": "mood", "vector_path": path, "strength": 1.0}
        document["messages"][1]["reply"]["marks"] = [{"start": 0, "dials": [dial]}]
        record = read_conversation(json.dumps(document).encode(), "talk.json").tree.messages[1].reply
        assert record is not None
        assert record.marks[0].dials[0].vector_path == kept


def test_an_imported_reply_is_known_for_one_wherever_its_turn_is_read(tmp_path: Path) -> None:
    document = json.loads(json.dumps(OWN_JSON))
    reply = document["messages"][1]["reply"]
    reply.update(vocabulary=CARD.vocabulary, tokens=[1, 2])
    with ConversationStore(tmp_path / "conversations.sqlite3") as store:
        for _ in range(2):
            talk = store.add_tree(read_conversation(json.dumps(document).encode(), "talk.json").tree)
            messages = store.open(talk.id).messages
            said = [as_turn(message, CARD) for message in messages]
            assert tuple(said) == store.path_turns(messages[-1].id, CARD)
            assert (said[1].foreign, said[1].tokens) == (True, (1, 2))
            # It goes out as it came in, and comes in again as a stranger's.
            document = json.loads(exported(store, talk.id, tmp_path / "talk.json"))
            assert document["messages"][1]["reply"]["vocabulary"] == CARD.vocabulary


def test_toml_with_dots_in_its_texts_is_read() -> None:
    assert parse_toml('a.b."c.d" = "' + "x. " * 500 + '"')["a"]["b"]["c.d"].startswith("x. x.")


def test_whole_numbers_that_no_float_holds(tmp_path: Path) -> None:
    document = {**OWN_JSON, "created": 10**400}  # type: ignore[dict-item]
    with pytest.raises(StorageError, match="created: a number is expected"):
        read_conversation(json.dumps(document).encode(), "talk.json")
    (tmp_path / "remembered.json").write_text(json.dumps({"dials": {"m": [{"name": "mood", "strength": 10**400}]}}))
    assert read_remembered(places_in(tmp_path)).dials == {"m": ()}
    (tmp_path / "scenes.toml").write_text(
        f'[[scene]]\nname = "x"\ndials = [{{ name = "mood", strength = {10**400} }}]\n'
    )
    assert "must be a number" in read_scenes(places_in(tmp_path)).problems[0]


@pytest.mark.parametrize("name", ["'", "'quoted'", "the boys'", '"'])
def test_a_name_in_quotes_keeps_the_quotes_that_are_its_own(name: str) -> None:
    assert parse_expression(quoted(name)).names == (name,)


def test_layers_that_lie_far_apart_are_not_counted_through() -> None:
    assert written_layers((1, 2**62)) == f"1,{2**62}"
    assert spoken_window((1, 2**62)) == f"layers 1, {2**62}"


def test_a_vector_whose_statistics_cannot_be_is_drawn_without_them(tmp_path: Path) -> None:
    path = tmp_path / "mood.gguf"
    measured = {layer: LayerStatistics(0.0, -1.0, 1e30) for layer in (2, 3, 4)}
    save_vector(replace(make(layers=(2, 3, 4)), layers=measured, default_layers=(3,)), path)
    assert {(one.residual_norm, one.auc) for one in load_vector(path).layers.values()} == {(None, None)}
    card(path)


def test_half_a_surrogate_pair_in_a_name_is_remembered(tmp_path: Path) -> None:
    found = Remembered(last_model="\ud800", dials={"m": (RememberedDial("mood\udcff"),)})
    write_remembered(places_in(tmp_path), found)
    assert read_remembered(places_in(tmp_path)) == found


def test_a_message_that_quotes_a_file_is_one_line() -> None:
    said = str(LocalsteerError("a\nb\x1b[31m\ud800" + "x" * 100_000))
    assert said.startswith("a b\ufffd[31m\ufffdxxx")
    assert len(said) < 1000


def test_the_last_words_of_a_death_are_its_reason(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("/home/who/build/llama-vocab.cpp:2544: GGML_ASSERT(a == b) failed\nFatal Python error: Aborted\n")
    assert last_words(log, 0) == "llama-vocab.cpp:2544: GGML_ASSERT(a == b) failed"


def test_a_crash_is_told_from_an_end_on_windows_too() -> None:
    assert how_it_ended(0xC0000005) == "crashed (Windows calls it 0xc0000005)"
    assert how_it_ended(3) == "ended by itself with status 3"


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "songs.sqlite3"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (id)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        ConversationStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE conversations SET title = x'ff00', created = 'then', updated = 'now', system_prompt = 7",
        "UPDATE conversations SET titled_by = 'nobody', pinned = 'x', archived = x'', leaf_id = 'y'",
    ],
)
def test_a_damaged_conversation_is_shown_as_far_as_possible(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "conversations.sqlite3"
    path.write_bytes(sound_database(tmp_path / "sound.sqlite3"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(spoil)
    with ConversationStore(path) as store:
        for talk in (*store.summaries(), *store.summaries(archived=True)):
            assert store.open(talk.id).messages
            assert store.tree(talk.id).messages
            assert store.turns(talk.id, CARD)


def test_a_column_that_is_gone_is_told(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite3"
    path.write_bytes(sound_database(tmp_path / "sound.sqlite3"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE conversations DROP COLUMN system_prompt")
    with pytest.raises(StorageError, match="system_prompt"):
        ConversationStore(path)
