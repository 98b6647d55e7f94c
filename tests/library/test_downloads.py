"""Models are fetched into the hub's cache: resumed where they were cut off, checked, refused in clear sentences."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.utils import WeakFileLock

from localsteer.errors import DownloadError, LocalsteerError, Stopped, StorageError
from localsteer.library import downloads
from localsteer.library.downloads import DownloadProgress, download_model
from localsteer.library.hub import list_gguf_files
from localsteer.library.hub_names import read_hub_name
from localsteer.library.models import list_models
from localsteer.library.places import Places
from tests.library.hub_server import COMMIT, Hub, running_hub

NAME = "org/Small-GGUF:small.Q8_0.gguf"


@pytest.fixture
def hub(random_bpe_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(downloads, "PAUSES", (0.01, 0.01))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    with running_hub() as hub:
        content = random_bpe_model.read_bytes()
        hub.files["org/Small-GGUF"] = {"small.Q8_0.gguf": content, "small.F16.gguf": content[::-1], "README.md": b"# S"}
        yield hub


@pytest.fixture
def pull(hub: Hub, tmp_path: Path) -> Callable[..., Path]:
    def pull(name: str = NAME, **options: object) -> Path:
        return download_model(read_hub_name(name), environment=hub.environment(), home=tmp_path, **options)  # type: ignore[arg-type]

    return pull


def cache(home: Path) -> Path:
    return home / ".cache" / "huggingface" / "hub"


def partial_files(home: Path) -> list[int]:
    return [path.stat().st_size for path in cache(home).rglob("*.incomplete")]


def test_a_model_lands_in_the_hubs_cache_where_every_program_finds_it(
    hub: Hub, pull: Callable[..., Path], tmp_path: Path, places: Places
) -> None:
    path = pull()
    assert path.read_bytes() == hub.files["org/Small-GGUF"]["small.Q8_0.gguf"]
    assert path == cache(tmp_path) / "models--org--Small-GGUF" / "snapshots" / COMMIT / "small.Q8_0.gguf"
    found = try_to_load_from_cache("org/Small-GGUF", "small.Q8_0.gguf", cache_dir=cache(tmp_path), revision="main")
    assert found == str(path)
    models = list_models(places, environment={}, home=tmp_path)
    assert ("small.Q8_0", path, "Hugging Face") in [(one.name, one.path, one.origin) for one in models]
    assert partial_files(tmp_path) == []


@pytest.mark.parametrize(("variable", "below"), [("HF_HOME", "hub"), ("HF_HUB_CACHE", "")])
def test_the_cache_is_where_the_hubs_variables_say(hub: Hub, tmp_path: Path, variable: str, below: str) -> None:
    environment = hub.environment(**{variable: str(tmp_path / "disk")})
    path = download_model(read_hub_name(NAME), environment=environment, home=tmp_path)
    assert path.is_relative_to(tmp_path / "disk" / below / "models--org--Small-GGUF")


def test_progress_runs_from_nothing_to_everything_and_then_checks(pull: Callable[..., Path]) -> None:
    said: list[DownloadProgress] = []
    size = pull(progress=said.append).stat().st_size
    assert [one.stage for one in said if one.done == one.total] == ["fetching", "checking"]
    assert {one.total for one in said} == {size}
    for stage in ("fetching", "checking"):
        done = [one.done for one in said if one.stage == stage]
        assert done == sorted(done)


def test_what_is_there_already_is_not_fetched_again(hub: Hub, pull: Callable[..., Path]) -> None:
    assert pull() == pull()
    assert hub.bodies_asked_for() == [""]


def test_a_connection_cut_in_the_middle_is_resumed(hub: Hub, pull: Callable[..., Path]) -> None:
    hub.cuts = [50_000, 70_000]
    assert pull().read_bytes() == hub.files["org/Small-GGUF"]["small.Q8_0.gguf"]
    assert hub.bodies_asked_for() == ["", "bytes=50000-", "bytes=120000-"]


def test_what_came_is_kept_when_the_connection_stays_lost_and_the_next_call_goes_on(
    hub: Hub, pull: Callable[..., Path], tmp_path: Path
) -> None:
    hub.cuts = [50_000, 0, 0, 0]
    with pytest.raises(DownloadError, match=r"is lost at 0\.1 of .* MB\. What has come is kept.*same command"):
        pull()
    assert partial_files(tmp_path) == [50_000]
    hub.cuts, hub.requests = [], []
    assert pull().read_bytes() == hub.files["org/Small-GGUF"]["small.Q8_0.gguf"]
    assert hub.bodies_asked_for() == ["bytes=50000-"]


def test_a_server_that_fails_for_a_moment_is_asked_again(hub: Hub, pull: Callable[..., Path]) -> None:
    hub.fails = [503]
    pull()
    assert hub.bodies_asked_for() == ["", ""]


def test_a_server_that_knows_no_ranges_sends_everything_again(
    hub: Hub, pull: Callable[..., Path], tmp_path: Path
) -> None:
    hub.cuts, hub.ignores_ranges = [50_000], True
    assert pull().read_bytes() == hub.files["org/Small-GGUF"]["small.Q8_0.gguf"]
    assert partial_files(tmp_path) == []


def test_stopping_keeps_what_has_come(hub: Hub, pull: Callable[..., Path], tmp_path: Path) -> None:
    hub.pause = threading.Event()
    said: list[DownloadProgress] = []
    with pytest.raises(Stopped):
        pull(progress=said.append, stopped=lambda: bool(said))
    hub.pause.set()
    hub.pause = None
    (kept,) = partial_files(tmp_path)
    assert kept > 0
    hub.requests.clear()
    pull()
    assert hub.bodies_asked_for() == [f"bytes={kept}-"]


def test_a_wrong_checksum_deletes_the_file_and_says_so(hub: Hub, pull: Callable[..., Path], tmp_path: Path) -> None:
    hub.claimed_sha256 = hashlib.sha256(b"another file").hexdigest()
    with pytest.raises(DownloadError, match=r"came damaged.*checksum.*deleted"):
        pull()
    assert not [path for path in cache(tmp_path).rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_more_bytes_than_announced_are_no_file(hub: Hub, pull: Callable[..., Path], tmp_path: Path) -> None:
    hub.claimed_size = 1000
    with pytest.raises(DownloadError, match="came damaged"):
        pull()
    assert partial_files(tmp_path) == []


def test_a_disk_with_too_little_room_is_known_beforehand(
    hub: Hub, pull: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(StorageError, match=r"needs .* GB.* free; make room, or set HF_HOME"):
        pull()
    assert hub.bodies_asked_for() == []
    assert not cache(tmp_path).exists()


def test_two_downloads_of_one_file_do_not_write_into_each_other(
    pull: Callable[..., Path], tmp_path: Path, hub: Hub
) -> None:
    digest = hashlib.sha256(hub.files["org/Small-GGUF"]["small.Q8_0.gguf"]).hexdigest()
    lock = cache(tmp_path) / ".locks" / "models--org--Small-GGUF" / f"{digest}.lock"
    lock.parent.mkdir(parents=True)
    with WeakFileLock(lock), pytest.raises(DownloadError, match="by another program"):
        pull()


def test_all_parts_of_a_split_model_come(hub: Hub, pull: Callable[..., Path]) -> None:
    names = [f"Q4/big-{number:05}-of-00002.gguf" for number in (1, 2)]
    hub.files["org/Big"] = dict(zip(names, (b"GGUF first", b"GGUF second"), strict=True))
    said: list[DownloadProgress] = []
    first = pull(f"org/Big:{names[1]}", progress=said.append)
    assert [part.name for part in sorted(first.parent.iterdir())] == [Path(name).name for name in names]
    assert first.name == Path(names[0]).name
    assert {one.total for one in said} == {21}


def test_a_quantisation_names_a_file(pull: Callable[..., Path]) -> None:
    assert pull("org/Small-GGUF:f16").name == "small.F16.gguf"
    with pytest.raises(DownloadError, match="means no one file of org/Small-GGUF"):
        pull("org/Small-GGUF:Q2_K")


def test_the_gguf_files_of_a_repository_are_listed_with_their_sizes(hub: Hub) -> None:
    files = list_gguf_files("org/Small-GGUF", hub.address)
    assert [file.file for file in files] == ["small.F16.gguf", "small.Q8_0.gguf"]
    assert files[1].size_bytes == len(hub.files["org/Small-GGUF"]["small.Q8_0.gguf"])


def test_a_model_in_parts_is_listed_once_and_meant_by_its_quantisation(hub: Hub, pull: Callable[..., Path]) -> None:
    hub.files["org/Big"] = {f"Q4_K_M/big-Q4_K_M-{number:05}-of-00002.gguf": b"GGUF" * number for number in (1, 2)}
    hub.files["org/Big"]["mmproj-F16.gguf"] = b"GGUF"
    (big,) = list_gguf_files("org/Big", hub.address)
    assert (big.file, big.size_bytes) == ("Q4_K_M/big-Q4_K_M-00001-of-00002.gguf", 12)
    assert pull("org/Big:Q4_K_M").name == "big-Q4_K_M-00001-of-00002.gguf"


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ((401, "RepoNotFound"), "There is no repository org/Small-GGUF at 127.0.0.1.*or it is private"),
        ((404, "RepoNotFound"), "There is no repository org/Small-GGUF"),
        ((403, "GatedRepo"), "is gated: agree to its terms at http://127.0.0.1.*hf auth login"),
        ((401, "GatedRepo"), "is gated"),
        ((403, ""), "only to people it knows: log in"),
        ((429, ""), "asked too often; wait"),
        ((502, ""), "is in trouble .status 502.; try again later"),
    ],
)
def test_what_the_hub_refuses_is_one_clear_sentence(
    hub: Hub, pull: Callable[..., Path], refusal: tuple[int, str], sentence: str
) -> None:
    hub.refusals["org/Small-GGUF"] = refusal
    with pytest.raises(DownloadError, match=sentence) as refused:
        pull()
    assert "\n" not in str(refused.value)
    with pytest.raises(DownloadError, match=sentence):
        list_gguf_files("org/Small-GGUF", hub.address)


def test_a_file_that_is_not_there_is_said_with_the_way_to_those_that_are(pull: Callable[..., Path]) -> None:
    with pytest.raises(
        DownloadError, match=r"no file other\.gguf in org/Small-GGUF; `localsteer models pull org/Small"
    ):
        pull("org/Small-GGUF:other.gguf")


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DownloadError, match=r"cannot be reached; check the network \(and HF_ENDPOINT\)"):
            download_model(read_hub_name(NAME), environment={"HF_ENDPOINT": nobody}, home=tmp_path)


def test_nothing_is_fetched_where_that_is_forbidden(
    hub: Hub, pull: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE forbids every download; unset it"):
        pull()
    assert hub.requests == []


def test_a_server_that_is_no_hub(hub: Hub, pull: Callable[..., Path]) -> None:
    hub.claimed_sha256 = "../../escaped"
    with pytest.raises(DownloadError, match="does not answer as a Hugging Face hub does"):
        pull()


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/hostname",
        "ftp://127.0.0.1/x",
        "http://[::1",
        "http://127.0.0.1:99999/x",
        "http://exa mple/\x80",
        "javascript:alert(1)",
        "http://" + "a" * 70_000,
        "",
    ],
)
def test_a_server_that_leads_elsewhere_than_the_network_costs_a_sentence(
    location: str, hub: Hub, pull: Callable[..., Path], tmp_path: Path
) -> None:
    hub.leads_to = location or "/org/Small-GGUF/resolve/main/small.Q8_0.gguf"  # in a ring
    with pytest.raises(DownloadError) as said:
        pull()
    assert "\n" not in str(said.value)
    assert not [path for path in cache(tmp_path).rglob("*.gguf") if path.exists()]


@pytest.mark.parametrize("name", [NAME, "org/Small-GGUF", "org/Small-GGUF:Q8_0"])
def test_a_page_where_one_has_to_log_in_is_no_model(
    name: str, hub: Hub, pull: Callable[..., Path], tmp_path: Path
) -> None:
    hub.portal = b"<html><body>Welcome to our network! Please log in.</body></html>"
    with pytest.raises(DownloadError) as said:
        pull(name)
    assert "\n" not in str(said.value)
    assert not list(cache(tmp_path).rglob("*.gguf"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("org/repo", "org/repo"),
        ("org/repo:a.gguf", "org/repo:a.gguf"),
        ("hf.co/org/repo:Q4_K_M", "org/repo:Q4_K_M"),
        ("https://huggingface.co/org/repo", "org/repo"),
        ("https://huggingface.co/org/repo/blob/main/sub/a.gguf?download=true", "org/repo:sub/a.gguf"),
    ],
)
def test_names_are_understood_as_people_write_them(text: str, name: str) -> None:
    assert str(read_hub_name(text)) == name


@pytest.mark.parametrize(
    "text", ["", "llama", "a/b/c", "../x:y.gguf", "org/..:a.gguf", "org/repo:../../a.gguf", "o r/g"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(LocalsteerError):
        read_hub_name(text)


def test_the_network_is_not_even_imported_before_a_download() -> None:
    program = (
        "import sys, localsteer.cli, localsteer.library.downloads\n"
        "assert not {'huggingface_hub', 'httpx2', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
