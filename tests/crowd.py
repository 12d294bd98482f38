"""Fifty visitors of a Space ask at once: how many get an answer, how soon.

    python tests/crowd.py --visitors 50 --rounds 4

Prints one line of JSON: requests, answered, seconds (median and 95th percentile), answers a second.
Run it on a quiet machine; `load` is the machine's load average beforehand.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

ADAPTER = "lora-digits-s0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=4, help="questions of each visitor")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as home:
        os.environ["PEFT_DEMO_HOME"] = home
        os.environ["GRADIO_TEMP_DIR"] = f"{home}/tmp"
        print(json.dumps({"load": round(load, 1)} | crowd(Path(home), options)))


def crowd(home: Path, options: argparse.Namespace) -> dict:
    """What a served Space answers to the visitors."""
    from PIL import Image

    from peft_demo import space, ui

    visitors = space.open_visitors(offline=True)
    blocks, launch = ui.build(visitors, space.banner)
    launch = ui.guarded({**launch, **space.LAUNCH}, [])
    blocks.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True, **launch)
    picture = home / "picture.png"
    buffer = BytesIO()
    Image.new("RGB", (64, 64), "white").save(buffer, "PNG")
    picture.write_bytes(buffer.getvalue())
    started = Barrier(options.visitors)
    try:
        with ThreadPoolExecutor(options.visitors) as pool:
            began = perf_counter()
            jobs = [
                pool.submit(ask, blocks.local_url, picture, started, options.rounds)
                for _ in range(options.visitors)
            ]
            waits = [wait for job in jobs for wait in job.result()]
            seconds = perf_counter() - began
    finally:
        blocks.close()
        visitors.close()
    answered = sorted(wait for wait in waits if wait is not None)
    return {
        "requests": len(waits),
        "answered": len(answered),
        "median_s": round(statistics.median(answered), 2),
        "p95_s": round(answered[int(0.95 * (len(answered) - 1))], 2),
        "answers_per_second": round(len(answered) / seconds, 1),
    }


def ask(address: str, picture: Path, started: Barrier, rounds: int) -> list[float | None]:
    """Seconds of each question of one visitor, None for one that was refused."""
    from gradio_client import Client, handle_file

    client = Client(address, verbose=False, analytics_enabled=False)
    started.wait()
    waits: list[float | None] = []
    for _ in range(rounds):
        start = perf_counter()
        try:
            client.predict(handle_file(picture), [ADAPTER], api_name="/classify")
            waits.append(perf_counter() - start)
        except Exception:
            waits.append(None)
    return waits


if __name__ == "__main__":
    main()
