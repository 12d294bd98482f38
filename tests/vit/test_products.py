"""Low-rank products, side by side and folded into the weight of their linear."""

import pytest
import torch
from torch import Tensor

from peft_demo.vit.products import LowRank, folded, side_by_side


def test_products_side_by_side_reach_their_own_rows() -> None:
    first = LowRank(torch.randn(2, 5), torch.randn(3, 2), torch.randn(3))
    second = LowRank(torch.randn(1, 5), torch.randn(4, 1))
    both = side_by_side(9, [(slice(0, 3), first), (slice(5, 9), second)])
    W = both.up @ both.down
    assert torch.allclose(W[:3], first.up @ first.down, atol=1e-6)
    assert torch.allclose(W[5:], second.up @ second.down, atol=1e-6)
    assert not W[3:5].any()
    assert both.shift is not None and both.shift.tolist() == [*first.shift.tolist(), *[0.0] * 6]


def test_products_without_a_shift_have_none_together() -> None:
    part = LowRank(torch.randn(2, 5), torch.randn(3, 2))
    assert side_by_side(3, [(slice(0, 3), part)]).shift is None


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("with_shift", [True, False])
def test_folded_has_the_gradients_of_the_formula(with_bias: bool, with_shift: bool) -> None:
    W, b = random(4, 5), random(4) if with_bias else None
    shift = learned(4) if with_shift else None

    def both(x: Tensor, down: Tensor, up: Tensor) -> Tensor:
        return folded(x, W, b, LowRank(down, up, shift))

    x, down, up = learned(2, 3, 5), learned(2, 5), learned(4, 2)
    expected = x @ (W + up @ down).T
    expected = expected if b is None else expected + b
    expected = expected if shift is None else expected + shift
    assert torch.allclose(both(x, down, up), expected)
    assert torch.autograd.gradcheck(both, (x, down, up))
    both(x, down, up).sum().backward()
    assert shift is None or torch.equal(shift.grad, torch.full_like(shift, 6.0))


def test_folded_multiplies_in_the_type_of_what_it_is_given() -> None:
    x = torch.randn(2, 3, 5, dtype=torch.bfloat16)
    product = LowRank(torch.randn(2, 5), torch.randn(4, 2))
    assert folded(x, torch.randn(4, 5), torch.randn(4), product).dtype == torch.bfloat16


def random(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def learned(*shape: int) -> Tensor:
    return random(*shape).requires_grad_()
