"""PEFT Demo in the browser: `python app.py` composes the studio and the page, and serves them to this machine only.

The environment is set before anything heavy is imported: Gradio and huggingface_hub read it while they load.
"""

import argparse
import os
import signal
from threading import Thread


def main() -> None:
    """Serves the page until Ctrl-C or a polite kill; a run in progress then stops and keeps its best."""
    asked = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prepare(asked.offline)
    service, demo, launch = on_space(asked) if "SPACE_ID" in os.environ else at_home(asked)
    from peft_demo.ui import warm_up

    try:
        about = {"server_name": asked.host, "server_port": asked.port, "inbrowser": asked.open}
        demo.launch(**about, quiet=True, prevent_thread_lock=True, **launch)
        Thread(
            target=warm_up, args=(service,), daemon=True
        ).start()  # the first page finds its answer in memory
        print(f"PEFT Demo is at {demo.local_url} (Ctrl-C ends it)", flush=True)
        demo.block_thread()
    except OSError as trouble:
        raise SystemExit(f"cannot serve on {asked.host}, port {asked.port}: {trouble}") from None
    finally:
        service.close()


def at_home(asked: argparse.Namespace) -> tuple:
    """(service, page, launch arguments) for the person at this machine."""
    from peft_demo.studio import Studio

    shared = asked.host not in ("127.0.0.1", "localhost", "::1")
    studio = Studio(
        zoo=asked.zoo,
        offline=asked.offline,
        allow_local_paths=asked.allow_local_paths,
        shared=shared,
    )
    os.environ.setdefault("GRADIO_TEMP_DIR", str(studio.home.tmp))
    from peft_demo import ui

    return studio, *ui.build(studio)


def on_space(asked: argparse.Namespace) -> tuple:
    """The same for everybody who visits a Hugging Face Space, each with a studio of their own."""
    if os.environ.get("SPACES_ZERO_GPU"):
        import spaces  # noqa: F401  before torch, which it changes
    from peft_demo.storage.home import find_home

    os.environ.setdefault("GRADIO_TEMP_DIR", str(find_home().tmp))
    from peft_demo import space, ui

    visitors = space.open_visitors(asked.offline)
    demo, launch = ui.build(visitors, space.banner)
    return visitors, demo, launch | space.LAUNCH


def arguments() -> argparse.Namespace:
    """The command line; Gradio's own environment variables stand where it says nothing."""
    parser = argparse.ArgumentParser(
        description="Fine-tune frozen Vision Transformers in the browser."
    )
    host, port = (
        os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        os.environ.get("GRADIO_SERVER_PORT"),
    )
    parser.add_argument(
        "--host", default=host, help="address to listen on (default: this machine only)"
    )
    parser.add_argument(
        "--port", type=int, default=port, help="port (default: the first free one from 7860)"
    )
    parser.add_argument(
        "--zoo", metavar="DIR", help="where adapters are kept (default: in PEFT_DEMO_HOME)"
    )
    parser.add_argument("--offline", action="store_true", help="look nothing up on the network")
    parser.add_argument(
        "--allow-local-paths", action="store_true", help="let the page name folders of this machine"
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    return parser.parse_args()


def prepare(offline: bool) -> None:
    """No telemetry, no proxy between the app and itself, and with `offline` no look-up of weights either."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [*filter(None, os.environ.get(name, "").split(",")), "127.0.0.1", "localhost"]
        os.environ[name] = ",".join(dict.fromkeys(hosts))


if __name__ == "__main__":
    main()
