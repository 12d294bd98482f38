"""What anybody may send to a Space, whether a visitor or a program: for a while, and not too much.

Gradio stores uploads before anybody asks about them, and forgets those that nobody asks about.
"""

from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..storage.home import keep_newest

KEPT_S = 1800.0
"""Seconds that an upload stays; whoever comes or sends something after that removes it."""
KEPT_BYTES = 4_000_000_000
"""Of all uploads together: the oldest make room."""
REQUEST_BYTES = 200_000_000
"""Of the files that are sent at once."""


class Uploads:
    """ASGI middleware: refuses requests that are too large, and removes old uploads."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" else None
        size = 0
        if path is not None and path.endswith("/upload"):
            size = _announced(Headers(scope=scope))
            if size > REQUEST_BYTES:
                words = f"At most {REQUEST_BYTES // 10**6} MB can be sent at once."
                return await PlainTextResponse(words, status_code=413)(scope, receive, send)
        if size or path == "":
            keep_newest(Path(get_upload_folder()), KEPT_S, KEPT_BYTES - size)
        return await self._app(scope, receive, send)


def _announced(headers: Headers) -> int:
    """Bytes of the body, to which the server holds the sender; too many where it is not said."""
    size = headers.get("content-length", "")
    return int(size) if size.isdigit() else REQUEST_BYTES + 1
