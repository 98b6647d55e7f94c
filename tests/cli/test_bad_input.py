"""Bad input: one clear sentence that says what to do, exit status 2, nothing lost, nothing half-written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from localsteer.chat.schema import STEPS
from localsteer.chat.store import ConversationStore
from localsteer.steering.fit import ModelStamp
from tests.cli.bad_vectors import BAD_VECTORS, write_tensors
from tests.cli.conftest import RECIPE, Run, Said, ended, stamp, write_vector
from tests.random_models import write_encoder, write_vocabulary_only

Child = Callable[..., subprocess.Popen[bytes]]


def files_below(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size < 1 << 24 and "logs" not in path.parts
    }


@pytest.fixture
def refused(localsteer: Run, tmp_path: Path) -> Callable[..., str]:
    """Run a command that must fail as it should and leave every file as it is; gives its one line on stderr."""

    def run(*arguments: object) -> str:
        before = files_below(tmp_path)
        said = localsteer(*arguments)
        assert files_below(tmp_path) == before
        return one_clear_line(said)

    return run


def one_clear_line(said: Said) -> str:
    assert (said.status, said.out) == (2, ""), said
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("localsteer: ")
    assert "Traceback" not in said.err
    return said.err.removeprefix("localsteer: ").strip()


class TestModels:
    def test_missing_file(self, refused: Callable[..., str], tmp_path: Path) -> None:
        assert "no file" in refused("say", "Hi", "-m", tmp_path / "missing.gguf")

    def test_unknown_name(self, refused: Callable[..., str]) -> None:
        assert 'no model named "llama-9"' in refused("say", "Hi", "-m", "llama-9")

    def test_directory(self, refused: Callable[..., str], tmp_path: Path) -> None:
        assert "is a folder" in refused("say", "Hi", "-m", tmp_path)

    def test_not_a_gguf(self, refused: Callable[..., str], tmp_path: Path) -> None:
        file = tmp_path / "text.gguf"
        file.write_text("this is no model")
        assert "not a GGUF" in refused("say", "Hi", "-m", file)

    @pytest.mark.parametrize("kept", [0, 3, 20, 2_000, 0.5, 0.999])
    def test_truncated_gguf(
        self, refused: Callable[..., str], random_bpe_model: Path, tmp_path: Path, kept: float
    ) -> None:
        content = random_bpe_model.read_bytes()
        file = tmp_path / "cut.gguf"
        file.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
        message = refused("extract", "glad", "-m", file)
        assert "cut off" in message or "not a GGUF" in message or "empty" in message

    def test_vocabulary_only(self, refused: Callable[..., str], tmp_path: Path) -> None:
        assert "no weights" in refused("say", "Hi", "-m", write_vocabulary_only(tmp_path / "vocabulary.gguf"))

    def test_encoder(self, refused: Callable[..., str], tmp_path: Path) -> None:
        assert "encoder" in refused("say", "Hi", "-m", write_encoder(tmp_path / "encoder.gguf"))

    def test_a_vector_is_no_model(self, refused: Callable[..., str], tmp_path: Path) -> None:
        file = write_vector(tmp_path / "vector.gguf", ModelStamp(n_embd=4))
        assert "control vector" in refused("say", "Hi", "-m", file)

    def test_too_large_for_the_memory(
        self, refused: Callable[..., str], random_bpe_model: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "huge.gguf"
        shutil.copyfile(random_bpe_model, file)
        try:
            # A hole, not bytes: takes no room on most systems.
            os.truncate(file, 2 * psutil.virtual_memory().total)
        except OSError:
            pytest.skip("no sparse files here")
        assert "too large" in refused("say", "Hi", "-m", file)


class TestRecipes:
    def test_unknown_recipe(self, refused: Callable[..., str]) -> None:
        assert 'no recipe named "glat"' in refused("extract", "glat")

    def test_missing_file(self, refused: Callable[..., str]) -> None:
        assert "no file" in refused("extract", "missing.toml")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (RECIPE.replace('"happy", negative', '"happy" negative'), "line 3"),
            ('description = "d"\npoles = { positive = "a", negative = "b" }\n', "empty"),
            (RECIPE.replace('["You are sad.", "Be gloomy."]', "[]"), "negative"),
            (RECIPE.replace('"sad"', '"happy"'), "two different ends"),
            (RECIPE.replace("negative = [", "negativ = ["), "negativ"),
            (
                RECIPE.replace('"You are sad.", "Be gloomy."', '"You are happy.", "Be merry."'),
                "for both poles",
            ),
        ],
        ids=["syntax error", "empty", "one-sided", "identical poles", "unknown key", "identical prompts"],
    )
    def test_broken_recipe(self, refused: Callable[..., str], tmp_path: Path, text: str, says: str) -> None:
        recipe = tmp_path / "recipe.toml"
        recipe.write_text(text, encoding="utf-8")
        assert says in refused("extract", recipe, "-o", tmp_path / "out.gguf")

    def test_unknown_method(self, refused: Callable[..., str], random_bpe_model: Path, tmp_path: Path) -> None:
        message = refused("extract", "glad", "-m", random_bpe_model, "--method", "magic", "-o", tmp_path / "o.gguf")
        assert 'no method "magic"' in message

    @pytest.mark.parametrize("layers", ["", "x", "3-", "3-1", "-1", "1;2"])
    def test_layers_that_are_none(self, refused: Callable[..., str], layers: str) -> None:
        assert "write" in refused("extract", "glad", "--layers", layers)


class TestDials:
    def test_unknown_dial(self, refused: Callable[..., str], random_bpe_model: Path) -> None:
        assert "did you mean glad" in refused("say", "Hi", "-m", random_bpe_model, "--dial", "glat=1")

    def test_unknown_scope(self, refused: Callable[..., str]) -> None:
        assert "reply, everything or prompt-start" in refused("say", "Hi", "--scope", "answer")

    @pytest.mark.parametrize("strength", ["nan", "inf", "-inf", "1e999", "strong", ""])
    def test_a_strength_that_is_no_finite_number(self, refused: Callable[..., str], strength: str) -> None:
        assert "finite number" in refused("say", "Hi", "--dial", f"glad={strength}")

    @pytest.mark.parametrize("dial", ["=1", "", "  "])
    def test_what_is_no_dial(self, refused: Callable[..., str], dial: str) -> None:
        assert "NAME=STRENGTH" in refused("say", "Hi", "--dial", dial)

    def test_a_dial_given_twice(self, refused: Callable[..., str]) -> None:
        assert "twice" in refused("say", "Hi", "--dial", "glad=1", "--dial", "glad=2")

    @pytest.mark.parametrize("temperature", ["nan", "-1", "inf", "hot"])
    def test_a_temperature_that_is_none(self, refused: Callable[..., str], temperature: str) -> None:
        assert "temperature" in refused("say", "Hi", "--temperature", temperature).lower()


class TestVectors:
    @pytest.mark.parametrize("kind", BAD_VECTORS)
    def test_bad_vectors_are_not_imported(self, refused: Callable[..., str], tmp_path: Path, kind: str) -> None:
        file = write_tensors(tmp_path / "bad.gguf", BAD_VECTORS[kind])
        assert str(file) in (message := refused("vectors", "import", file)) or "bad" in message

    def test_a_model_is_no_vector(self, refused: Callable[..., str], random_bpe_model: Path) -> None:
        assert "is a model" in refused("vectors", "import", random_bpe_model)

    def test_wrong_width_on_import(self, refused: Callable[..., str], random_bpe_model: Path, tmp_path: Path) -> None:
        file = write_vector(tmp_path / "wide.gguf", ModelStamp(n_embd=8))
        assert "8 wide" in refused("vectors", "import", file, "-m", random_bpe_model)

    @pytest.mark.parametrize("kind", ["wide", "NaN"])
    def test_a_vector_that_cannot_be_used_ends_say(
        self, refused: Callable[..., str], random_bpe_model: Path, tmp_path: Path, kind: str
    ) -> None:
        tensors = {"direction.1": [1.0] * 8} if kind == "wide" else BAD_VECTORS[kind]
        file = write_tensors(tmp_path / "bad.gguf", tensors)
        message = refused("say", "Hi", "-m", random_bpe_model, "--dial", f"{file}=1")
        assert "wide" in message if kind == "wide" else "NaN" in message

    @pytest.mark.parametrize("command", ["show", "remove"])
    def test_unknown_vector(self, refused: Callable[..., str], command: str) -> None:
        assert "nonsense" in refused("vectors", command, "nonsense")

    def test_missing_vector_file(self, refused: Callable[..., str], random_bpe_model: Path) -> None:
        assert "no vector file" in refused("say", "Hi", "-m", random_bpe_model, "--dial", "missing.gguf=1")


class TestPrompts:
    def test_a_prompt_longer_than_the_context(self, refused: Callable[..., str], random_bpe_model: Path) -> None:
        message = refused("say", "the people " * 600, "-m", random_bpe_model)
        assert "512" in message
        assert "shorten" in message

    def test_an_empty_prompt(self, refused: Callable[..., str], random_bpe_model: Path) -> None:
        assert "empty" in refused("say", "  ", "-m", random_bpe_model)

    def test_a_prompt_that_is_no_text(self, child: Child, random_bpe_model: Path) -> None:
        assert "UTF-8" in one_clear_line(ended(child("say", "-", "-m", random_bpe_model), b"\xff\xfe"))

    @pytest.mark.parametrize("arguments", [["say"], ["say", "a", "b"], ["say", "a", "--max-tokens", "0"], ["sing"]])
    def test_wrong_arguments(self, refused: Callable[..., str], arguments: list[str]) -> None:
        assert refused(*arguments)


class TestTerminal:
    @pytest.mark.parametrize("arguments", [[], ["chat"]])
    def test_piped_where_a_terminal_is_needed(self, child: Child, arguments: list[str]) -> None:
        assert "terminal" in one_clear_line(ended(child(*arguments)))

    @pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals there")
    def test_a_terminal_that_is_too_small(self, child: Child) -> None:
        import fcntl
        import pty
        import struct
        import termios

        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 20, 0, 0))
        said = ended(child("chat", stdin=theirs, stdout=theirs))
        os.close(ours)
        os.close(theirs)
        assert "too small" in one_clear_line(said)


needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
needs_limits = pytest.mark.skipif(sys.platform == "win32", reason="needs limits on file size")


def no_file_over(n_bytes: int) -> Callable[[], None]:
    """For a child: any file that grows larger fails as on a full disk (EFBIG for ENOSPC)."""

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))

    return limit


class TestFullDisk:
    @pytest.fixture(autouse=True)
    def _no_bytecode(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Python would keep what it could write of a module, and every later process would fail with that."""
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    @needs_dev_full
    @pytest.mark.parametrize("options", [[], ["--json"]])
    def test_the_output_of_say(self, child: Child, random_bpe_model: Path, options: list[str]) -> None:
        with Path("/dev/full").open("wb") as full:
            said = ended(child("say", "Hi", "-m", random_bpe_model, "--max-tokens", 2, *options, stdout=full))
        assert "no room" in one_clear_line(said)

    @needs_limits
    def test_a_vector_that_is_extracted(self, child: Child, random_bpe_model: Path, tmp_path: Path) -> None:
        out = tmp_path / "out" / "glad.gguf"
        command = ("extract", "glad", "-m", random_bpe_model, "-o", out)
        said = ended(child(*command, preexec_fn=no_file_over(300)))
        assert "no room" in one_clear_line(said)
        assert list(out.parent.iterdir()) == []

    @needs_limits
    @pytest.mark.parametrize(
        "command",
        [
            ("chats", "rename", "1", "Another"),
            ("chats", "backup", "OUT"),
            ("chats", "rescue", "OUT"),
            ("chats", "export", "1", "OUT.html"),
            ("settings", "set", "seed", "3"),
        ],
        ids=" ".join,
    )
    def test_what_is_written_besides(self, command: tuple[str, ...], child: Child, home: Path, tmp_path: Path) -> None:
        with ConversationStore(home / "conversations.sqlite3") as store:
            store.new_conversation("", "One")
        (home / "settings.toml").write_text("# mine\n" * 100)
        before = files_below(home)
        (tmp_path / "out").mkdir()
        given = [word.replace("OUT", str(tmp_path / "out" / "file")) for word in command]
        said = ended(child(*given, preexec_fn=no_file_over(300)))
        assert "no room" in one_clear_line(said)
        assert list((tmp_path / "out").iterdir()) == []
        assert {path: content for path, content in files_below(home).items() if path in before} == before

    @needs_limits
    def test_conversations_of_an_older_version(self, child: Child, localsteer: Run, home: Path) -> None:
        path = home / "conversations.sqlite3"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(STEPS[0])
            connection.execute("INSERT INTO conversations (title, created, updated) VALUES ('Tea', 1, 1)")
            connection.commit()
            connection.execute("PRAGMA user_version = 1")
        # Room for the log to begin, and not for all that is new.
        said = ended(child("chats", "list", preexec_fn=no_file_over(path.stat().st_size)))
        assert "no room" in one_clear_line(said)
        assert "Tea" in localsteer("chats", "list").out

    @needs_limits
    def test_a_vector_that_is_exported(
        self, localsteer: Run, child: Child, random_bpe_model: Path, tmp_path: Path
    ) -> None:
        file = write_vector(tmp_path / "mood.gguf", stamp(random_bpe_model))
        assert localsteer("vectors", "import", file).status == 0
        (tmp_path / "out").mkdir()
        earlier = tmp_path / "out" / "mood.gguf"
        write_vector(earlier, stamp(random_bpe_model), layer=3)
        before = earlier.read_bytes()
        said = ended(child("vectors", "export", "mood", earlier, preexec_fn=no_file_over(300)))
        assert "no room" in one_clear_line(said)
        assert {path.name: path.read_bytes() for path in earlier.parent.iterdir()} == {"mood.gguf": before}
