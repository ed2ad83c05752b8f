"""A loopback server with the layout of the Hugging Face Hub and of a plain file host, and its bad days."""

import hashlib
import json
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

API = re.compile(
    r"/api/(?:datasets|models)/(?P<repo>[^/]+/[^/]+)(?:/(?P<what>revision|tree|paths-info)/(?P<revision>[^/]+)(?:/(?P<path>.*))?)?$"
)
RESOLVE = re.compile(r"/(?:datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)$")


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one answer: a status in its place, or the connection lost after some bytes."""

    status: int = 200
    retry_after: str | None = None
    location: str | None = None
    cut_after: int | None = None


@dataclass
class Host:
    """What the server has, what is to go wrong with each path, and what it was asked."""

    url: str = ""
    repos: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    troubles: defaultdict[str, deque[Trouble]] = field(default_factory=lambda: defaultdict(deque))
    headers: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    ranges: bool = True
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def add_repo(self, repo: str, commit: str, files: dict[str, bytes]) -> None:
        """Serve `files` as the dataset or model `repo` at `commit`, which is also its `main`."""
        self.repos[repo] = {commit: files, "main": files}

    def tag(self, path: str) -> str:
        """Return the ETag of a plain file."""
        return f'"{hashlib.sha1(self.files[path]).hexdigest()}"'

    def ranges_asked(self, path: str) -> list[str | None]:
        """Return the ranges that were asked of a path with GET."""
        return [wanted for method, asked, wanted in self.asked if method == "GET" and asked == path]


@contextmanager
def serving() -> Iterator[Host]:
    """Yield a host that answers on a free port until the block ends."""
    host = Host()

    class Handler(_Handler):
        served = host

    server = _Server(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of connections that a client has cut."""


class _Handler(BaseHTTPRequestHandler):
    served: Host
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing: tests look at `Host.asked`."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.served.asked.append((self.command, path, self.headers.get("Range")))
        self.served.times.append(time.monotonic())
        waiting = self.served.troubles[path] if self.command == "GET" else deque()
        trouble = waiting.popleft() if waiting else Trouble()
        if trouble.status != 200:
            more = {"Retry-After": trouble.retry_after or "", "Location": trouble.location or ""}
            self._send(trouble.status, b"trouble", more)
        elif found := API.fullmatch(path):
            self._api(found, body, parse_qs(parts.query))
        elif found := RESOLVE.fullmatch(path):
            self._resolve(found, trouble)
        elif path in self.served.files:
            data = self.served.files[path]
            self._file(data, {"ETag": self.served.tag(path)} | self.served.headers[path], trouble)
        else:
            self._send(404, b"no such file", {})

    def _api(self, found: re.Match[str], body: bytes, query: dict[str, list[str]]) -> None:
        commits = self.served.repos.get(found["repo"])
        if commits is None:
            return self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        files = commits.get(found["revision"] or "main")
        if files is None:
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if found["what"] == "tree":
            under = found["path"] or ""
            recursive = query.get("recursive", ["false"])[0].lower() in ("1", "true")
            return self._json(_tree(files, under, recursive))
        if found["what"] == "paths-info":
            paths = json.loads(body)["paths"] if body.startswith(b"{") else parse_qs(body.decode())["paths"]
            return self._json(
                [row for path in paths for row in _tree(files, "", True) if row["path"] == path]
            )
        return self._json(
            {
                "_id": "0" * 24, "id": found["repo"], "sha": _commit(commits), "private": False,
                "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0,
                "siblings": [{"rfilename": name} for name in files],
            }
        )  # fmt: skip

    def _resolve(self, found: re.Match[str], trouble: Trouble) -> None:
        commits = self.served.repos.get(found["repo"])
        if commits is None:
            return self._send(401, b"", {"X-Error-Code": "RepoNotFound"})
        if found["revision"] not in commits:
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        files = commits[found["revision"]]
        commit = {"X-Repo-Commit": _commit(commits)}
        if found["path"] not in files:
            return self._send(404, b"", commit | {"X-Error-Code": "EntryNotFound"})
        data = files[found["path"]]
        tag = hashlib.sha256(data).hexdigest()
        linked = {"ETag": f'"{tag}"', "X-Linked-Etag": f'"{tag}"', "X-Linked-Size": str(len(data))}
        return self._file(data, commit | linked, trouble)

    def _file(self, data: bytes, headers: dict[str, str], trouble: Trouble) -> None:
        status, start = 200, 0
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        same = self.headers.get("If-Range") in (None, headers.get("ETag"))
        end = len(data)
        if wanted and self.served.ranges and same:
            start = int(wanted[1])
            end = min(int(wanted[2]) + 1, end) if wanted[2] else end
            if start >= len(data):
                return self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            status = 206
            headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"} | headers
        return self._send(status, data[start:end], headers, trouble.cut_after)

    def _json(self, answer: object) -> None:
        self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str], cut_after: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in ({"Content-Length": str(len(data)), "Accept-Ranges": "bytes"} | headers).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data if cut_after is None else data[:cut_after])
        if cut_after is not None:
            self.close_connection = True


def _commit(commits: dict[str, Any]) -> str:
    return next(name for name in commits if name != "main")


def _tree(files: dict[str, bytes], under: str, recursive: bool) -> list[dict[str, Any]]:
    prefix = f"{under}/" if under else ""
    inside = [name for name in files if name.startswith(prefix)]
    rows: dict[str, dict[str, Any]] = {}
    for name in inside:
        parts = name.removeprefix(prefix).split("/")
        for depth in range(1, len(parts)):
            folder = prefix + "/".join(parts[:depth])
            if recursive or depth == 1:
                rows[folder] = {"type": "directory", "path": folder, "oid": "1" * 40, "size": 0}
        if recursive or len(parts) == 1:
            digest = hashlib.sha256(files[name]).hexdigest()
            size = len(files[name])
            rows[name] = {
                "type": "file", "path": name, "oid": "2" * 40, "size": size,
                "lfs": {"oid": digest, "size": size, "pointerSize": 134},
            }  # fmt: skip
    return list(rows.values())
