"""The page: composes a studio and `ui`, and serves them to this machine, or as a Space.

The environment is set before anything heavy is imported: Gradio and huggingface_hub read it while
they load. On a Space with ZeroGPU `spaces` is imported before torch, which it changes.
"""

import errno
import os
import signal
import socket
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from typer import Option

from .cli.options import Offline, Zoo
from .contracts.errors import PeftDemoError
from .lazy import LazyModule
from .storage.home import find_home

if TYPE_CHECKING:
    from gradio import Blocks

    from . import space, studio, ui
    from .contracts.service import Service
else:
    space = LazyModule("peft_demo.space")
    studio = LazyModule("peft_demo.studio")
    ui = LazyModule("peft_demo.ui")

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
THE_HUB = "https://huggingface.co"
"""Spaces are shown in a frame on its pages."""


class ServedPage(NamedTuple):
    """A page that can be served, the service behind it, and how Gradio is to launch it."""

    service: "Service"
    blocks: "Blocks"
    launch: dict[str, Any]


def serve(
    host: Annotated[
        str,
        Option(envvar="GRADIO_SERVER_NAME", metavar="ADDRESS", help="Address to listen on."),
    ] = THIS_MACHINE[0],
    port: Annotated[
        int | None,
        Option(
            envvar="GRADIO_SERVER_PORT",
            metavar="PORT",
            help="The first free one from 7860 if left out.",
        ),
    ] = None,
    zoo: Zoo = None,
    offline: Offline = False,
    allow_local_paths: Annotated[
        bool, Option("--allow-local-paths", help="Let the page name folders of this machine.")
    ] = False,
    open_browser: Annotated[bool, Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Serve the page until Ctrl-C. A run in progress then stops and keeps its best."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prepare_environment(offline)
    if "SPACE_ID" in os.environ:
        page = page_for_visitors(offline)
    else:
        page = page_for_this_machine(host, zoo, offline, allow_local_paths)
    try:
        _launch(page, host, port, open_browser)
    finally:
        page.service.close()


def _cannot_serve(host: str, port: int | None, error: OSError) -> PeftDemoError:
    """Why nothing can listen there, in the words of the system instead of Gradio's."""
    try:
        socket.create_server((host, port or 0)).close()
    except OSError as refusal:
        if refusal.errno == errno.EADDRINUSE:
            sentence = f"port {port} of {host} is in use already."
            return PeftDemoError(sentence, "Choose another one with --port, or end what uses it.")
        error = refusal
    reason = error.strerror or "no free port was found"
    return PeftDemoError(
        f"cannot serve on {host}, port {port or 'any'}: {reason}.",
        "Choose another address with --host, or another --port.",
    )


def _launch(page: ServedPage, host: str, port: int | None, open_browser: bool) -> None:
    """Serves the page and blocks until Ctrl-C."""
    try:
        page.blocks.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            quiet=True,
            prevent_thread_lock=True,
            **page.launch,
        )
    except OSError as error:
        raise _cannot_serve(host, port, error) from None
    # Torch is loaded for the first answer, while the browser draws the page: before, the page would
    # be later and the answer no sooner. Whoever asks meanwhile waits for it.
    Thread(target=ui.warm_up, args=(page.service,), daemon=True).start()
    print(f"PEFT Demo is at {page.blocks.local_url} (Ctrl-C ends it)", flush=True)
    page.blocks.block_thread()


def page_for_this_machine(
    host: str, zoo: Path | None, offline: bool, allow_local_paths: bool
) -> ServedPage:
    """The page of the person at this machine. Other people may look on where it listens to them."""
    service = studio.Studio(
        zoo=zoo,
        offline=offline,
        allow_local_paths=allow_local_paths,
        shared=host not in THIS_MACHINE,
    )
    os.environ.setdefault("GRADIO_TEMP_DIR", str(service.home.tmp))
    blocks, launch = ui.build(service)
    hosts = [host, *_names_by_environment()]
    if host not in THIS_MACHINE:
        hosts += [socket.gethostname(), f"{socket.gethostname()}.local"]
    return ServedPage(service, blocks, ui.guarded(launch, hosts))


def page_for_visitors(offline: bool) -> ServedPage:
    """The page of a Hugging Face Space, where each visitor has a studio of their own."""
    if os.environ.get("SPACES_ZERO_GPU"):
        import_module("spaces")  # before torch, which it changes; only a Space has it
    os.environ.setdefault("GRADIO_TEMP_DIR", str(find_home().tmp))
    visitors = space.open_visitors(offline)
    blocks, launch = ui.build(visitors, space.banner)
    hosts = _names_by_environment()
    origins = [THE_HUB]
    if "SPACE_HOST" in os.environ:
        hosts.append(os.environ["SPACE_HOST"])
        origins.append(f"https://{os.environ['SPACE_HOST']}")
    launch = ui.guarded(space.launch_arguments(launch), hosts, origins)
    return ServedPage(visitors, blocks, launch)


def _names_by_environment() -> list[str]:
    """Further names the server goes by, behind a proxy for instance: PEFT_DEMO_HOSTS=a.org,b.org"""
    names = os.environ.get("PEFT_DEMO_HOSTS", "").split(",")
    return [name.strip() for name in names if name.strip()]


def prepare_environment(offline: bool) -> None:
    """No telemetry, no proxy between the app and itself; with `offline` no look-up of weights."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        hosts += ["127.0.0.1", "localhost"]
        os.environ[name] = ",".join(dict.fromkeys(hosts))
