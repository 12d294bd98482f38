"""What the Space is told about itself, in the README's front matter and in pre-requirements.txt."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def settings() -> dict:
    return yaml.safe_load((ROOT / "README.md").read_text("utf-8").split("---\n")[1])


def wanted(name: str) -> tuple[int, ...]:
    """The least version that requirements.txt takes."""
    return version(
        re.search(rf"^{name}>=([\d.]+)", (ROOT / "requirements.txt").read_text(), re.M)[1]
    )


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_the_space_starts_this_app_with_a_gradio_that_fits():
    told = settings()
    assert (told["sdk"], told["hf_oauth"], told["license"]) == ("gradio", True, "apache-2.0")
    assert (ROOT / told["app_file"]).is_file() and version(told["sdk_version"]) >= wanted("gradio")
    assert len(told["short_description"]) <= 60 and isinstance(told["python_version"], str)


def test_torch_is_one_that_zero_gpu_takes():
    pinned = dict(re.findall(r"^(\w+)==(.+)$", (ROOT / "pre-requirements.txt").read_text(), re.M))
    assert (2, 8) <= version(pinned["torch"])[:2] <= (2, 11)
    assert all(version(pinned[name]) >= wanted(name) for name in ("torch", "torchvision"))


def test_every_requirement_has_an_upper_bound():
    """A rebuild of the Space installs what was tested."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert lines and all(re.fullmatch(r"[\w-]+>=[\d.]+,<\d+", line) for line in lines)
