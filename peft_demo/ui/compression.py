"""The page itself, half a megabyte of JSON in HTML, is sent compressed: a tenth of that."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = ("", "/", "/config", "/theme.css")
"""What is text and large. Gradio's scripts come compressed, answers are streams, files are files.
"""


class CompressedPage:
    """ASGI middleware: gzip for `PATHS`, for browsers that take it."""

    def __init__(self, app: ASGIApp):
        self._app = app
        self._compressed = GZipMiddleware(app, minimum_size=10_000, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"] in PATHS
        await (self._compressed if is_page else self._app)(scope, receive, send)
