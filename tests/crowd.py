"""Fifty visitors of a Space ask at once: how many get an answer, how soon.

    python tests/crowd.py --visitors 50 --rounds 4

Prints one line of JSON: requests, answered, seconds (median and 95th percentile), answers a second.
The Space is a process of its own, and the visitors are plain requests, as a browser sends them.
Run it on a quiet machine; `load` is the machine's load average beforehand.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from time import perf_counter, sleep

import httpx

ROOT = Path(__file__).parents[1]
ADAPTER = "lora-digits-s0"
PORT = 7961
START_S = 120
PATIENCE_S = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=4, help="questions of each visitor")
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as home:
        server = serve(Path(home), options.port)
        try:
            address = f"http://127.0.0.1:{options.port}/"
            wait_for(address, server)
            measured = asyncio.run(crowd(address, options.visitors, options.rounds))
        finally:
            server.terminate()
            server.wait(30)
    print(json.dumps({"load": round(load, 1)} | measured))


def serve(home: Path, port: int) -> subprocess.Popen:
    """The Space, as a process that has just begun."""
    environment = os.environ | {
        "SPACE_ID": "owner/name",
        "PEFT_DEMO_HOME": str(home),
        "GRADIO_TEMP_DIR": str(home / "tmp"),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port), "--offline"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def wait_for(address: str, server: subprocess.Popen) -> None:
    """Returns once the Space answers."""
    ends = perf_counter() + START_S
    while perf_counter() < ends and server.poll() is None:
        try:
            if httpx.get(address, timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            sleep(0.5)
    raise SystemExit("the Space did not start")


async def crowd(address: str, visitors: int, rounds: int) -> dict[str, float]:
    """What the Space answers to so many visitors, each of whom asks so many times."""
    began = perf_counter()
    waits = [
        wait
        for answered in await asyncio.gather(*(visit(address, n, rounds) for n in range(visitors)))
        for wait in answered
    ]
    seconds = perf_counter() - began
    answered = sorted(wait for wait in waits if wait is not None)
    return {
        "requests": len(waits),
        "answered": len(answered),
        "median_s": round(statistics.median(answered), 2),
        "p95_s": round(answered[int(0.95 * (len(answered) - 1))], 2),
        "answers_per_second": round(len(answered) / seconds, 1),
    }


async def visit(address: str, number: int, rounds: int) -> list[float | None]:
    """Seconds that each question of a visitor took, None for one that was not answered."""
    cookies = {"Cookie": f"peft_demo_visitor=visitor{number}"}
    async with httpx.AsyncClient(base_url=address, headers=cookies, timeout=PATIENCE_S) as client:
        return [await ask(client, number) for _ in range(rounds)]


async def ask(client: httpx.AsyncClient, number: int) -> float | None:
    """Sends a picture of the visitor's own and waits for the answer."""
    start = perf_counter()
    sent = await client.post("gradio_api/upload", files={"files": ("a.png", picture(number))})
    image = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
    asked = await client.post("gradio_api/call/classify", json={"data": [image, [ADAPTER], 5]})
    if asked.status_code != 200:
        return None
    answer = await client.get(f"gradio_api/call/classify/{asked.json()['event_id']}")
    return perf_counter() - start if '"label"' in answer.text else None


def picture(number: int) -> bytes:
    """A small picture, another one for each number."""
    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (64, 64), (number % 256, 80, 160)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    main()
