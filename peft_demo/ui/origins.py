"""Who may talk with the server: its own page, and programs that call it by a name it knows.

Two attacks come from pages of other sites that a person has open. One asks this server in the
person's name; the browser says so in `Origin`, and Gradio by itself refuses it on localhost alone.
The other gives its own site's name this machine's address (DNS rebinding), so that its page counts
as this server's; the name then stands in `Host`.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = "localhost"
"""Always a name of this server."""


class Guard:
    """ASGI middleware that answers 403 to a foreign `Origin` and to an unknown `Host`.

    `hosts` are names the server goes by, without a port. An IP address needs no entry: it cannot be
    given to another machine. `origins` are the pages of other sites that may ask, such as
    "https://huggingface.co". Programs send no `Origin`.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], origins: Collection[str] = ()):
        self._app = app
        self._hosts = {host.lower() for host in (*hosts, LOOPBACK)}
        self._origins = {origin.lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        refusal = self._refusal(Headers(scope=scope))
        if not refusal:
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        return await PlainTextResponse(refusal, status_code=403)(scope, receive, send)

    def _refusal(self, headers: Headers) -> str:
        """Why this request is not answered, "" if it is."""
        host = headers.get("host", "").lower()
        if not self._known(_name(host)):
            return (
                "This server does not go by the name in the address. "
                "Whoever runs it can add the name to PEFT_DEMO_HOSTS."
            )
        origin = headers.get("origin", "").lower()
        if origin and origin not in self._origins and _place(origin) != host:
            return "A page of another site may not use this server."
        return ""

    def _known(self, name: str) -> bool:
        return name in self._hosts or _is_address(name)


def guarded(
    launch: Mapping[str, Any], hosts: Collection[str], origins: Collection[str] = ()
) -> dict[str, Any]:
    """The arguments to launch a page with, and a `Guard` around all that Gradio answers.

    It is put there when the server starts. Given to Gradio as a middleware it would stand behind
    Gradio's own, which lets every site ask beforehand.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        assert app.middleware_stack is not None, "the server has been started through it"
        app.middleware_stack = Guard(app.middleware_stack, hosts, origins)
        yield

    app_kwargs = {**launch.get("app_kwargs", {}), "lifespan": lifespan}
    return {**launch, "app_kwargs": app_kwargs}


def _name(host: str) -> str:
    """The host without its port; "" if it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _place(origin: str) -> str:
    """Host and port of an origin. Its scheme is left out: a proxy may have taken off the TLS."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
