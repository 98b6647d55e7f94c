"""A Hugging Face hub on 127.0.0.1, as far as a download needs one, that can be told to misbehave."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """``files``: ``org/repo`` to paths and contents. What went wrong, or is to, stands in the other fields.

    ``cuts``: after how many bytes each of the next answers ends; ``ignores_ranges``: every answer is the whole file;
    ``claimed``: what the hub says of a file's SHA-256 or size instead of the truth; ``refusals``: repository to status
    and the hub's error code; ``pause``: an answer's body stops half-way until this is set; ``leads_to``: where every
    body is said to be instead; ``portal``: a page that answers everything, as where one has to log in to the network.
    """

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    address: str = ""
    cuts: list[int] = field(default_factory=list)
    ignores_ranges: bool = False
    claimed_sha256: str = ""
    claimed_size: int = 0
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    pause: threading.Event | None = None
    fails: list[int] = field(default_factory=list)
    leads_to: str = ""
    portal: bytes = b""
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        """What sends a download here."""
        return {"HF_ENDPOINT": self.address, **more}

    def bodies_asked_for(self) -> list[str]:
        """The ranges of all downloads so far; empty for a whole file."""
        return [given for method, path, given in self.requests if method == "GET" and "/resolve/" in path]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub of its own for each test."""
    hub = Hub()
    server = _Server(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        if hub.pause is not None:
            hub.pause.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append((self.command, path, self.headers.get("Range", "")))
            if hub.portal:
                self._send(200, hub.portal if body else b"", {"Content-Type": "text/html"})
                return
            listing = re.fullmatch(r"/api/models/([^/]+/[^/]+)", path)
            content = re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path)
            if listing is not None and not self._refuses(listing[1]):
                self._send(200, json.dumps(self._listing(listing[1])).encode(), {"Content-Type": "application/json"})
            elif content is not None and not self._refuses(content[1]):
                self._file(content[1], content[2], body)

        def _refuses(self, repo: str) -> bool:
            status, code = hub.refusals.get(repo, (0, ""))
            if not status and repo not in hub.files:
                status, code = 401, "RepoNotFound"
            if status:
                self._send(status, b"", {"X-Error-Code": code} if code else {})
            return bool(status)

        def _listing(self, repo: str) -> dict[str, Any]:
            siblings = [
                {
                    "rfilename": name,
                    "size": len(data),
                    "lfs": {"sha256": _sha256(data), "size": len(data), "pointerSize": 130},
                }
                for name, data in hub.files[repo].items()
            ]
            return {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}

        def _file(self, repo: str, name: str, body: bool) -> None:
            data = hub.files[repo].get(name)
            if data is None:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            elif not body:
                sha256 = hub.claimed_sha256 or _sha256(data)
                size = str(hub.claimed_size or len(data))
                headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{sha256}"', "X-Linked-Etag": f'"{sha256}"'}
                self._send(200, b"", {**headers, "X-Linked-Size": size, "Content-Length": size})
            elif hub.leads_to:
                self._send(302, b"", {"Location": hub.leads_to})
            elif hub.fails:
                self._send(hub.fails.pop(0), b"", {})
            else:
                self._body(data)

        def _body(self, data: bytes) -> None:
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(wanted[1]) if wanted is not None and not hub.ignores_ranges else 0
            part = data[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(part)))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            cut = hub.cuts.pop(0) if hub.cuts else len(part)
            first = part[: min(cut, len(part) // 2)] if hub.pause is not None else part[:cut]
            self.wfile.write(first)
            self.wfile.flush()
            if hub.pause is not None:
                hub.pause.wait(30)
                self.wfile.write(part[len(first) : cut])
            if cut < len(part):
                self.close_connection = True

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
