"""Requests to a served page: odd values for public and private handlers, odd paths and headers."""

import http.client
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st

from peft_demo import ui
from peft_demo.studio import Studio

from .odd import PLAIN, VALUES
from .runner import REFUSED, SOUND, Judge, Kind

SECRET = "a secret of this machine"
PATIENCE_S = 60
OFTEN = 10
"""After so many requests the page is asked whether it still answers."""
FILES = (
    "{secret}", "../../{secret}", "/etc/passwd", "file:///etc/passwd", "..%2f..%2fetc/passwd",
    "C:\\windows\\win.ini", "\\\\host\\share", "//etc/passwd", "\0", "http://127.0.0.1:1/x",
    "{tmp}/../secret", "{tmp}", "~", "", "/proc/self/environ", "a" * 5000,
)  # fmt: skip
PATHS = (
    "file={}", "file/{}", "proxy={}", "stream/{}", "component_server/{}",
    "upload_progress?upload_id={}",
    "heartbeat/{}", "call/{}", "queue/data?session_hash={}", "custom_component/{}", "cancel/{}",
    "deep_link?session_hash={}",
)  # fmt: skip
HEADERS = (
    {}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Host": "evil.example"},
    {"Host": "user@127.0.0.1"}, {"Host": "127.0.0.1.evil.example"}, {"Host": "[::1"},
    {"X-Forwarded-Host": "evil.example"}, {"Cookie": "peft_demo_visitor=../../x"},
    {"Range": "bytes=0-999999999999,5-"}, {"Content-Type": "text/plain"},
    {"X-Gradio-User": "a" * 1000}, {"Authorization": "Bearer x"},
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A request; in paths and values {secret} and {tmp} are places of this machine."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    raw: bytes = b""

    def placed(self, places: dict[str, str]) -> "tuple[str, bytes]":
        path = self.path
        body = self.raw
        if self.body is not None:
            body = json.dumps(self.body).encode("utf-8", "surrogatepass")
        for name, place in places.items():
            path = path.replace(f"{{{name}}}", place)
            body = body.replace(f"{{{name}}}".encode(), place.encode())
        return quote(path, safe="/=?&%:+.~-_"), body


def cases() -> st.SearchStrategy[Case]:
    """Calls of handlers as often as anything else."""
    file = st.sampled_from(FILES)
    meta = st.sampled_from(({"_type": "gradio.FileData"}, {}, None))
    data_file = st.fixed_dictionaries({"path": file, "meta": meta}, optional={"url": file})
    value = st.sampled_from(VALUES) | PLAIN | data_file | st.lists(data_file, max_size=2)
    values = st.lists(value, max_size=8)
    headers = st.just({}) | st.sampled_from(HEADERS)
    name = st.sampled_from(("classify", "adapters", "ask", "x"))
    call = st.builds(
        lambda name, data, given: Case("POST", f"/gradio_api/call/{name}", given, {"data": data}),
        name, values | value, headers,
    )  # fmt: skip
    event = st.fixed_dictionaries(
        {"data": values, "fn_index": st.integers(-1, 90), "session_hash": st.just("s") | value},
        optional={"trigger_id": value, "event_data": value, "batched": st.booleans()},
    )
    joined = st.builds(
        lambda where, body, given: Case("POST", f"/gradio_api/{where}", given, body),
        st.sampled_from(("queue/join", "queue/join", "run/predict", "api/predict", "reset")),
        event | value, headers,
    )  # fmt: skip
    path = st.builds(lambda path, file: path.format(file), st.sampled_from(PATHS), file)
    got = st.builds(lambda path, given: Case("GET", f"/gradio_api/{path}", given), path, headers)
    sent = st.builds(
        lambda raw, given: Case("POST", "/gradio_api/upload", given, raw=raw),
        st.binary(max_size=200), headers,
    )  # fmt: skip
    return call | joined | got | sent


class _Faults(logging.Handler):
    """What the page logs as not foreseen."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.messages.append(f"{record.getMessage()}: {error!r:.300}")


class _Server:
    """A page in this process, with a file beside its home that nobody may read."""

    def __init__(self, folder: Path):
        self.secret = folder / "secret"
        self.secret.write_text(SECRET)
        self.studio = Studio(folder / "home", offline=True, device="cpu")
        self.blocks, launch = ui.build(self.studio)
        launch = ui.guarded(launch, [])
        self.blocks.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True, **launch)
        self.address = urlsplit(self.blocks.local_url).netloc
        self.places = {"secret": str(self.secret), "tmp": str(folder / "home" / "tmp")}
        self.faults = _Faults()
        self.asked = 0
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # of Gradio's own routes
        logging.getLogger("peft_demo").addHandler(self.faults)

    def judge(self, case: Case) -> str:
        status, content = self._ask(case)
        answers = content
        if status == 200 and case.path.startswith("/gradio_api/call/") and case.method == "POST":
            event = json.loads(content)["event_id"]
            answers += self._ask(Case("GET", f"{case.path}/{event}"))[1]
        if SECRET.encode() in answers or b"root:x:" in answers or b"Traceback" in answers:
            raise AssertionError(f"not to be told: {answers[:300]!r}")
        if self.faults.messages:
            raise AssertionError(self.faults.messages.pop())
        self.asked += 1
        if self.asked % OFTEN == 0 and self._ask(Case("GET", "/config"))[0] != 200:
            raise AssertionError("the page does not answer any more")
        return SOUND if status == 200 and b"event: error" not in answers else REFUSED

    def _ask(self, case: Case) -> tuple[int, bytes]:
        path, body = case.placed(self.places)
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        headers = {"Content-Type": "application/json", "Host": self.address, **case.headers}
        try:
            connection.request(case.method, path, body or None, headers)
            response = connection.getresponse()
            if response.getheader("content-type", "").startswith("text/event-stream"):
                return response.status, _events(response)
            return response.status, response.read(100_000)
        finally:
            connection.close()

    def close(self) -> None:
        logging.getLogger("peft_demo").removeHandler(self.faults)
        self.blocks.close()
        self.studio.close()


def _events(response: http.client.HTTPResponse) -> bytes:
    """The stream up to its answer."""
    lines = b""
    while line := response.readline(100_000):
        lines += line
        if line.startswith(b"data:") and b"heartbeat" not in lines[-200:]:
            break
    return lines


@contextmanager
def _open(folder: Path) -> Iterator[Judge]:
    server = _Server(folder)
    try:
        yield server.judge
    finally:
        server.close()


KIND = Kind("requests", cases, _open, share=25)
