"""What the tests of all methods share."""

import pytest

from peft_demo.vit import Anatomy, anatomy_of
from peft_demo.vit.catalogue import Source


@pytest.fixture(scope="session")
def vit_b() -> Anatomy:
    """The anatomy of a ViT-B/16 at 224 px, on which papers count their parameters."""
    return anatomy_of(Source("b", "b", "vit_base_patch16_224"))
