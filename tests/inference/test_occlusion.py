"""What an answer rests on, for models whose answer is known to rest on one place."""

from types import SimpleNamespace

import pytest
import torch

from peft_demo.contracts.errors import BadAdapter
from peft_demo.contracts.explanation import Explanation
from peft_demo.inference import Answered
from peft_demo.inference.occlusion import CELLS, occlude

SIZE = 56


def model(answer, size: int = SIZE) -> SimpleNamespace:
    """Stands in for an attached model."""
    return SimpleNamespace(answer=answer, backbone=SimpleNamespace(size=size))


def looks_at(rows: slice, columns: slice):
    """Answers by how much red there is at a place, and by nothing else."""

    def answer(images):
        red = images[:, 0, rows, columns].float().mean(dim=(1, 2)) / 255
        logits = torch.stack([8 * red, 2 + 0 * red], dim=1)
        return Answered(logits.softmax(dim=1), None)

    return model(answer)


def red_picture() -> torch.Tensor:
    """Red at the place, else black."""
    image = torch.zeros(3, SIZE, SIZE, dtype=torch.uint8)
    image[0, 8:16, 40:48] = 255
    return image


def test_the_place_that_the_answer_rests_on_stands_out():
    found = occlude(looks_at(slice(8, 16), slice(40, 48)), red_picture())
    assert found.label == 0 and found.probability > 0.95
    assert found.least < 0.2
    place = SIZE // CELLS
    inside = found.drops[8 // place : 16 // place, 40 // place : 48 // place]
    assert inside.min() > 0.5 * found.drops.max()
    assert found.strengths.max() == 1 and found.drops[8:].abs().max() < 1e-4


def test_where_nothing_matters_nothing_is_coloured():
    nothing = model(lambda images: Answered(torch.tensor([[0.9, 0.1]] * len(images)), None))
    found = occlude(nothing, red_picture())
    assert found.strengths.max() == 0 and found.least == pytest.approx(0.9)


def test_a_sure_answer_still_tells_what_it_rests_on():
    """Probabilities next to 1 hardly move; their log-odds do."""

    def answer(images):
        red = images[:, 0, 8:16, 40:48].float().mean(dim=(1, 2)) / 255
        logits = torch.stack([20 + 10 * red, 0 * red], dim=1)
        return Answered(logits.softmax(dim=1), None)

    found = occlude(model(answer), red_picture())
    assert found.least > 0.999 and found.drops.max() > 5


def test_it_tells_how_far_it_is():
    told = []
    model = looks_at(slice(0, 8), slice(0, 8))
    occlude(model, red_picture(), lambda what, fraction: told.append(fraction))
    assert told[-1] == 1 and told == sorted(told) and len(told) > 1


def test_an_answer_that_is_not_finite_is_refused():
    broken = model(lambda images: Answered(torch.full((len(images), 2), torch.nan), None))
    with pytest.raises(BadAdapter, match="not a finite number"):
        occlude(broken, red_picture())


@pytest.mark.parametrize("size", [14, 32, 97])
def test_every_pixel_is_covered_at_any_size(size):
    """Also where the size is no multiple of the places."""
    checked = torch.arange(2 * size).view(1, 1, -1).expand(3, size, -1)[..., :size] % 2
    image = (255 * checked).to(torch.uint8)
    covered = torch.zeros(size, size, dtype=torch.bool)

    def answer(images):
        covered.logical_or_((images != image).all(dim=1).any(dim=0))
        return Answered(torch.full((len(images), 2), 0.5), None)

    occlude(model(answer, size), image)
    assert covered.all()


def test_the_sentence_says_what_covering_costs():
    one = Explanation("lora", "dog", 0.98, 0.12, ((1.0,),), b"")
    assert one.words == "Covering one place takes dog from 98.0 % to 12.0 %."
    other = Explanation("lora", "dog", 0.98, 0.96, ((1.0,),), b"")
    assert other.words == "No single place decides: dog keeps 96.0 % or more."
    assert "picture" not in one.to_json()
