"""Datasets from nothing, and the pictures they are made of."""

import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def zipped(tmp_path):
    """zipped(counts) or zipped(files) → the dataset of a zip that holds them."""
    from pictures import tree, write_zip

    from peft_demo.contracts.specs import DataSpec
    from peft_demo.data import open_dataset

    def build(content: dict):
        files = content if any(isinstance(v, bytes) for v in content.values()) else tree(content)
        path = (
            Path(mkdtemp(dir=tmp_path)) / "photos.zip"
        )  # a new one each time: datasets read from theirs later
        return open_dataset(DataSpec("zip", "photos.zip"), write_zip(path, files))

    return build
