"""Who is asking: a random cookie, given with the page.

With it a reload finds the visitor's runs and adapters again. The id that the page itself keeps in
the browser will not do: anybody may write anything there. Where no cookie comes back (a browser
that keeps none for framed pages, a program), a visitor is a page view.
"""

from hashlib import sha256
from uuid import uuid4

from gradio.context import LocalContext
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "peft_demo_visitor"
PAGES = ("/", "/config")
"""Where a visit begins: the page, and what gradio_client reads first."""
NOBODY = "nobody"
"""Who asks while the page is being built."""


def visitor_id() -> str:
    """The visitor whose event is being handled, in 32 hexadecimal digits.

    It is a hash, so what a visitor sends is never part of a path.
    """
    event = LocalContext.request.get(None)
    if event is None:
        return NOBODY
    cookie = event.request.cookies.get(COOKIE) if event.request else None
    word = cookie or event.session_hash or ""
    return sha256(word.encode()).hexdigest()[:32]


class Cookies:
    """ASGI middleware: a browser that has no cookie yet gets one with the page.

    Spaces are framed, hence the cookie's flags.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = scope["type"] == "http" and scope["path"] in PAGES
        new = visit and COOKIE not in Request(scope).cookies
        await self.app(scope, receive, _giving(send) if new else send)


def _giving(send: Send) -> Send:
    """`send`, with a new cookie in the headers of the answer."""

    async def give(message: Message) -> None:
        if message["type"] == "http.response.start":
            cookie = f"{COOKIE}={uuid4().hex}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return give
