"""A stand-in for the Hugging Face Hub: the part of its HTTP API that making, filling and reading a
repository needs.

`repos` and `requests` may be looked at; `fail` makes the next requests go wrong in one of the ways
a network knows.
"""

import base64
import hashlib
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_0123456789abcdefghijklmnopqrstuvwx"
"""May write to what belongs to `me`."""
CUT = -1
"""Stands for a status: the connection ends in the middle."""


@dataclass
class Repo:
    """Files at its one commit."""

    private: bool = False
    kind: str = "model"
    sdk: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    commits: int = 0

    @property
    def sha(self) -> str:
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()

    @property
    def tags(self) -> list[str]:
        """Those of the front matter of its README.md."""
        listed = re.search(rb"^tags:\n((?:- .*\n)+)", self.files.get("README.md", b""), re.M)
        return listed[1].decode().replace("- ", "").split() if listed else []


class StandIn:
    """`with StandIn() as hub:` serves at `hub.url`."""

    def __init__(self):
        self.repos: dict[str, Repo] = {}
        self.stored: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, str]] = []
        """(method, path, token)"""
        self._faults: list[list] = []
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": self})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "StandIn":
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self) -> dict[str, str]:
        """What huggingface_hub must find in the environment before it is imported."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }

    def fail(self, method: str, place: str, status: int, times: int = 1, **headers: str) -> None:
        """The next requests of this method whose path holds `place` get this status, or are
        `CUT`."""
        self._faults.append([method, place, status, times, headers])

    def fault(self, method: str, path: str) -> tuple[int, dict] | None:
        for about in self._faults:
            if about[0] == method and about[1] in path and about[3] > 0:
                about[3] -= 1
                return about[2], about[4]
        return None


ROUTES: list[tuple[str, re.Pattern, Callable]] = []


def route(method: str, pattern: str):
    def keep(answer):
        ROUTES.append((method, re.compile(pattern), answer))
        return answer

    return keep


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: StandIn

    def handle_any(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.hub.requests.append((self.command, path, self.token))
        fault = self.hub.fault(self.command, path)
        if fault and fault[0] == CUT:
            return self._cut()
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or self._chunks()
        if fault:
            return self._refuse(*fault)
        for method, pattern, answer in ROUTES:
            if method == self.command and (found := pattern.fullmatch(path)):
                return answer(self, **found.groupdict())
        self._refuse(404, {})

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = handle_any

    def _chunks(self) -> bytes:
        """A body that came in pieces."""
        whole = b""
        while self.headers.get("Transfer-Encoding") == "chunked" and (
            size := int(self.rfile.readline(), 16)
        ):
            whole += self.rfile.read(size)
            self.rfile.readline()
        return whole

    def _cut(self) -> None:
        """Some of the body is read or some of an answer sent, then the connection is gone."""
        if self.command == "GET":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(1000))
        else:
            self.rfile.read(1000)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _refuse(self, status: int, headers: dict, code: str = "") -> None:
        about = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer({"error": "refused"}, status, about | ({"X-Error-Code": code} if code else {}))

    def answer(self, value, status: int = 200, headers: dict | None = None) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def repo(self, name: str, write: bool = False) -> Repo | None:
        """The repository if this token may have it; else an answer has been given."""
        found = self.hub.repos.get(name)
        if self.token not in ("", TOKEN):
            return self._refuse(
                401, {"X-Error-Message": "Invalid credentials in Authorization header"}
            )
        if found is None or (found.private and self.token != TOKEN):
            return self._refuse(404, {}, "RepoNotFound")
        if write and (self.token != TOKEN or not name.startswith("me/")):
            return self._refuse(403, {})
        return found

    def log_message(self, *_) -> None:
        pass


REPO = r"(?P<name>[^/]+/[^/]+)"
KIND = "(models|spaces)"


@route("POST", "/api/repos/create")
def create(handler: _Handler) -> None:
    asked = json.loads(handler.body)
    name = f"{asked['organization']}/{asked['name']}"
    if handler.token != TOKEN:
        return handler._refuse(
            401, {"X-Error-Message": "Invalid credentials in Authorization header"}
        )
    if name in handler.hub.repos:
        return handler.answer({"error": "exists", "url": f"{handler.hub.url}/{name}"}, 409)
    if not name.startswith("me/"):
        return handler._refuse(403, {})
    private = asked.get("private") or asked.get("visibility") == "private"
    attributes = {".gitattributes": b"*.safetensors filter=lfs\n"}
    kind = asked.get("type") or "model"
    handler.hub.repos[name] = Repo(bool(private), kind, asked.get("sdk") or "", attributes)
    place = f"spaces/{name}" if kind == "space" else name
    handler.answer({"url": f"{handler.hub.url}/{place}"})


@route("DELETE", "/api/repos/delete")
def delete(handler: _Handler) -> None:
    asked = json.loads(handler.body)
    name = f"{asked['organization']}/{asked['name']}"
    if handler.repo(name, write=True):
        del handler.hub.repos[name]
        handler.answer({})


@route("POST", "/api/validate-yaml")
def validate(handler: _Handler) -> None:
    handler.answer({"errors": [], "warnings": []})


@route("GET", f"/api/{KIND}/{REPO}(/revision/(?P<revision>.+))?")
def info(handler: _Handler, name: str, revision: str | None) -> None:
    if repo := handler.repo(name):
        if revision not in (None, "main", repo.sha):
            return handler._refuse(404, {}, "RevisionNotFound")
        siblings = [{"rfilename": n, "size": len(d)} for n, d in repo.files.items()]
        handler.answer(
            {
                "id": name,
                "sha": repo.sha,
                "private": repo.private,
                "tags": repo.tags,
                "siblings": siblings,
            }
        )


@route("GET", "/api/models")
def found(handler: _Handler) -> None:
    """Public models with all of the tags, whose names hold the words."""
    asked = parse_qs(urlsplit(handler.path).query)
    words = " ".join(asked.get("search", [])).split()
    found = [
        {"id": name, "tags": repo.tags, "downloads": 1, "likes": 0}
        for name, repo in handler.hub.repos.items()
        if repo.kind == "model"
        and not repo.private
        and set(asked.get("filter", [])) <= set(repo.tags)
        and all(word in name for word in words)
    ]
    handler.answer(found[: int(asked["limit"][0])])


@route("POST", f"/api/{KIND}/{REPO}/preupload/main")
def preupload(handler: _Handler, name: str) -> None:
    if handler.repo(name, write=True):
        paths = [f["path"] for f in json.loads(handler.body)["files"]]
        modes = ["regular" if p.endswith(".md") else "lfs" for p in paths]
        files = [
            {"path": p, "uploadMode": m, "shouldIgnore": False}
            for p, m in zip(paths, modes, strict=True)
        ]
        handler.answer({"files": files})


@route("POST", f"/(spaces/)?{REPO}.git/info/lfs/objects/batch")
def batch(handler: _Handler, name: str) -> None:
    if handler.repo(name, write=True):
        objects = [
            {"oid": o["oid"], "size": o["size"]} for o in json.loads(handler.body)["objects"]
        ]
        for wanted in objects:
            if wanted["oid"] not in handler.hub.stored:
                place = f"{handler.hub.url}/lfs/{wanted['oid']}"
                wanted["actions"] = {
                    "upload": {"href": place},
                    "verify": {"href": f"{place}/verify"},
                }
        handler.answer({"transfer": "basic", "objects": objects})


@route("PUT", "/lfs/(?P<oid>[0-9a-f]+)")
def upload(handler: _Handler, oid: str) -> None:
    if hashlib.sha256(handler.body).hexdigest() != oid:
        return handler._refuse(400, {})
    handler.hub.stored[oid] = handler.body
    handler.answer(b"")


@route("POST", "/lfs/(?P<oid>[0-9a-f]+)/verify")
def verify(handler: _Handler, oid: str) -> None:
    handler.answer({}, 200 if oid in handler.hub.stored else 404)


@route("POST", f"/api/{KIND}/{REPO}/commit/main")
def commit(handler: _Handler, name: str) -> None:
    if repo := handler.repo(name, write=True):
        for line in map(json.loads, handler.body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repo.files[value["path"]] = handler.hub.stored[value["oid"]]
        repo.commits += 1
        handler.answer(
            {"commitUrl": f"{handler.hub.url}/{name}/commit/{repo.sha}", "commitOid": repo.sha}
        )


@route("GET", f"/{REPO}/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
def resolve(handler: _Handler, name: str, revision: str, file: str) -> None:
    if repo := handler.repo(name):
        if file not in repo.files:
            return handler._refuse(404, {}, "EntryNotFound")
        data = repo.files[file]
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range", ""))
        if asked is None:
            return handler.answer(data)
        handler.answer(data[int(asked[1]) : int(asked[2]) + 1], 206)
