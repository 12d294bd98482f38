"""The event that carries a few answers on held-out images, with the pictures."""

from dataclasses import dataclass

from .events import Event


@dataclass(frozen=True)
class HeldOutAnswer:
    """What the best state says of one image that it has not learned from."""

    image: int
    """Its place among the images of its part."""
    label: int
    """Number of the class it belongs to."""
    answer: int
    """Number of the class it was taken for."""
    probability: float
    """Of the answer, from 0 to 1."""
    picture: bytes = b""
    """PNG or JPEG; whoever has the dataset fills it in."""


@dataclass(frozen=True)
class HeldOut(Event):
    """A few answers on held-out images, wrong ones first: the test images, or where they were not
    looked at the validation images.

    It carries pictures, which are kept with the run, so it does not go into the journal.
    """

    part: str
    """ "test" or "val"."""
    split: str
    """SHA-256 over the hashes of all images of the run."""
    answers: tuple[HeldOutAnswer, ...]
    right: str = ""
    """A digit for every image of the part, in order: 1 where it was recognised, else 0. Two runs on
    the same images are compared by it; "" in what was kept with a run."""

    def to_json(self) -> dict:
        raise TypeError("a HeldOut event carries pictures; the journal does not keep them")
