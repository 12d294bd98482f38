"""Runs on a Ray cluster: as on this machine alone, also when a machine is lost, or the driver."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from peft_demo.bench import on_ray
from peft_demo.bench.cluster import Cluster, cluster_of
from peft_demo.contracts.errors import BadValue

WORDS = ["compare", "--data", "digits", "--methods", "linear,lora:rank=2", "--seeds", "3"]
WORDS += ["--shots", "2", "--epochs", "2", "--test-images", "40", "--offline", "--json"]
SAME = ("id", "val_accuracy", "test_accuracy", "right", "curve", "threads")


def test_no_cluster_is_asked_for_unless_there_is_a_word():
    assert cluster_of("", 0.0) is None
    assert cluster_of("auto", 0.25) == Cluster("auto", 0.25)
    with pytest.raises(BadValue, match="--gpus-per-run is for runs on Ray"):
        cluster_of("", 0.5)


def test_without_ray_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadValue, match="Ray is not installed") as caught:
        on_ray.RayWorkers(Cluster("auto"), None, None)
    assert "peft-demo[ray]" in caught.value.hint


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "no.such.host:{}"])
def test_nobody_there_is_told_at_once(address):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(OSError):
            on_ray._check_answers(address.format(free.getsockname()[1]))
    for word in (None, "auto", "nonsense"):
        on_ray._check_answers(word)


def command(results: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "peft_demo", *WORDS, "--results", str(results), *more]


def lines_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.slow
def test_a_lost_machine_and_a_lost_driver_cost_nothing_and_change_nothing(tmp_path):
    pytest.importorskip("ray")
    places = {"PEFT_DEMO_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    how = {"env": {**os.environ, **places}, "text": True}
    alone = subprocess.run(command(tmp_path / "alone.jsonl"), capture_output=True, **how)
    assert alone.returncode == 0, alone.stderr

    script = Path(__file__).with_name("ray_cluster.py")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, str(script)], **pipes, **how) as cluster:
        address = cluster.stdout.readline().strip()
        on_cluster = command(tmp_path / "cluster.jsonl", "--ray", address)
        driver = subprocess.Popen(on_cluster, **how, stdout=subprocess.DEVNULL)
        file = tmp_path / "cluster.jsonl"
        while not file.exists() or not lines_of(file):
            assert driver.poll() is None
            time.sleep(0.05)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        assert len(lines_of(file)) < 6

        again = subprocess.Popen(on_cluster, **how, stdout=subprocess.PIPE)
        cluster.stdin.write("kill\n")
        cluster.stdin.flush()
        assert cluster.stdout.readline() == "killed\n"
        out, _ = again.communicate(timeout=300)
        assert again.returncode == 0

    lines = {line["id"]: line for line in lines_of(file)}
    assert len(lines_of(file)) == len(lines) == 6
    for line in lines_of(tmp_path / "alone.jsonl"):
        assert {name: lines[line["id"]].get(name) for name in SAME} == {
            name: line.get(name) for name in SAME
        }
    rows = [json.loads(text)["methods"] for text in (alone.stdout, out)]
    for mine, theirs in zip(*rows, strict=True):
        assert mine["test_accuracy"] == theirs["test_accuracy"]
