"""Who is asking: a random cookie, given with the page, so that a reload finds the visitor's runs
and adapters again.

The browser's own id (`ui.session`) will not do: a page may write anything there. Where no cookie
comes back (a browser that keeps none for framed pages, a program), it is the page view.
"""

from hashlib import sha256
from uuid import uuid4

from gradio.context import LocalContext
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

COOKIE = "peft_demo_visitor"
PAGES = ("/", "/config")
"""Where a visit begins: the page, and what gradio_client reads first."""
NOBODY = "nobody"
"""Who asks while the page is being built."""


def visitor_id() -> str:
    """The visitor whose event is being handled, in 32 hexadecimal digits; their word is never part
    of a path."""
    asked = LocalContext.request.get(None)
    if asked is None:
        return NOBODY
    word = (asked.request.cookies.get(COOKIE) if asked.request else "") or asked.session_hash or ""
    return sha256(word.encode()).hexdigest()[:32]


class Cookies:
    """ASGI middleware: a browser that has no cookie yet gets one with the page. Spaces are framed,
    hence the flags."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        new = (
            scope["type"] == "http"
            and scope["path"] in PAGES
            and COOKIE not in Request(scope).cookies
        )
        await self.app(scope, receive, _giving(send) if new else send)


def _giving(send):
    async def give(message):
        if message["type"] == "http.response.start":
            cookie = f"{COOKIE}={uuid4().hex}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return give
