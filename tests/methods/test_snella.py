"""SNELLA: the kernel, which entries stay, and how matrices compete."""

from math import sqrt

import numpy as np
import pytest
import torch
from small import images, labels, material
from torch import nn
from torch.nn import functional as F

from peft_demo.adapters import attach, create
from peft_demo.contracts.errors import BadAdapter, BadValue
from peft_demo.contracts.events import Checkpointed, Finished, Improved, Resumed
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.methods import find_method
from peft_demo.methods.snella.allocator import FIRST_SHARE, Allocator, Importance, shared_out
from peft_demo.methods.snella.delta import Config, SparseKernel
from peft_demo.training import train
from peft_demo.vit import Site, anatomy_of
from peft_demo.vit.catalogue import Source

SNELLA = find_method("snella")
SITE = Site("blocks.0.fc1", "fc1", "blocks.0.mlp.map.fc1", 6, 10, 0)


def away(kept: int) -> SparseKernel:
    """A delta whose parameters are far from their start, in float64."""
    torch.manual_seed(0)
    delta = SparseKernel(SITE, Config(rank=6)).double()
    for parameter in delta.parameters():
        parameter.data = torch.randn_like(parameter)
    delta.kept.fill_(kept)
    return delta.eval()


def dense(delta: SparseKernel, kept: int) -> np.ndarray:
    """ΔW [D_out D_in] by the paper's words, entry by entry."""
    a, b = (points.detach().numpy() for points in (delta.inward, delta.outward))
    alpha, gamma, beta = (p.item() for p in (delta.alpha, delta.gamma, delta.beta))
    K = np.empty((6, 10))
    for i in range(6):
        far = [
            0.1 * (np.linalg.norm(a[0, i] - b[0, o]) - np.linalg.norm(a[1, i] - b[1, o]))
            for o in range(10)
        ]
        share = np.exp(np.array(far) / gamma)
        K[i] = far + alpha * share / share.sum() + beta
    smallest_first = np.argsort(np.abs(K), axis=None)
    W = K * np.abs(K)
    W.flat[smallest_first[: 60 - kept]] = 0
    return W.T


@pytest.mark.parametrize("kept", [0, 13, 59])
def test_it_is_the_papers_formula(kept):
    delta = away(kept)
    f = nn.Linear(6, 10).double()
    x = torch.randn(7, 6, dtype=torch.float64)
    W = torch.from_numpy(dense(delta, kept))
    with torch.no_grad():
        assert torch.allclose(delta(f, x), f(x) + x @ W.T, atol=1e-7)
        merged, shift = delta.merged(f)
        assert torch.allclose(merged, f.weight + W, atol=1e-7) and torch.equal(shift, f.bias)
    assert int((delta.change() != 0).sum()) == kept


def test_the_size_of_a_kernel_value_takes_no_gradient():
    """As in the authors' code: d(K |K|) = |K| dK, half of the whole derivative."""
    delta = away(59)
    delta.change().sum().backward()
    assert torch.allclose(delta.beta.grad, _kept_sizes(delta).sum(), atol=1e-9)


def _kept_sizes(delta: SparseKernel) -> torch.Tensor:
    return delta.kernel().detach().abs()[delta.change().detach() != 0]


def test_points_start_at_kaimings_bound_and_the_rest_at_one_one_zero():
    torch.manual_seed(0)
    delta = SparseKernel(Site("a", "q", "a", 768, 768), Config())
    bound = 1 / sqrt(768 * 4)
    assert 0.95 * bound < delta.inward.abs().max() <= bound
    assert delta.inward.shape == delta.outward.shape == (2, 768, 4)
    assert (delta.alpha, delta.gamma, delta.beta) == (1, 1, 0)
    assert int(delta.kept) == int(FIRST_SHARE * 768 * 768)


def test_only_the_input_of_proj_is_not_dropped():
    config = Config(dropout=0.3)
    roles = ("q", "k", "v", "proj", "fc1", "fc2")
    dropped = {role: SparseKernel(Site(role, role, role, 4, 4), config).dropout for role in roles}
    assert dropped == {**dict.fromkeys(roles, 0.3), "proj": 0.0}


def test_counts_on_vit_b():
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    blocks = 12 * (4 * (8 * 1536 + 3) + 2 * (8 * 3840 + 3))
    assert SNELLA.count(vit_b, SNELLA.config()) == blocks + 768 == 1_328_088


def test_importance_is_smoothed_twice():
    importance = Importance(torch.zeros(2))
    mean = spread = np.zeros(2)
    for w, g in ((3.0, -1.0), (-2.0, 0.5), (1.0, float("nan"))):
        importance.add(torch.tensor([w, 1.0]), torch.tensor([g, 0.1]))
        now = np.nan_to_num(np.abs([w * g, 0.1]))
        mean = 0.85 * mean + 0.15 * now
        spread = 0.85 * spread + 0.15 * np.abs(now - mean)
    assert importance.score == pytest.approx((mean * spread).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("volume", "scores", "sizes", "expected"),
    [
        (100, [1, 3], [1000, 1000], [25, 75]),
        (100, [0, 0], [1000, 1000], [50, 50]),
        (100, [1, 1, 8], [100, 100, 40], [30, 30, 40]),  # what is full leaves its rest
        (100, [1, 0], [60, 100], [60, 40]),  # also to those that never mattered
        (500, [1, 9], [60, 40], [60, 40]),
    ],
)
def test_entries_are_shared_out_by_score_up_to_the_size(volume, scores, sizes, expected):
    given = shared_out(volume, scores, sizes)
    assert given == pytest.approx(expected, abs=1) and sum(given) <= volume


def test_fewer_are_kept_from_epoch_to_epoch_by_a_cube():
    deltas = {name: SparseKernel(SITE, Config()) for name in "ab"}
    allocator = Allocator(deltas, 0.2)
    totals = []
    for epoch in range(10):
        allocator.begin_epoch(epoch, 10)
        totals.append(sum(int(delta.kept) for delta in deltas.values()))
    expected = [118 * (0.2 + (FIRST_SHARE - 0.2) * (1 - e / 10) ** 3) for e in range(1, 10)]
    assert totals[0] == 2 * int(FIRST_SHARE * 60)
    assert totals[1:] == pytest.approx(expected, abs=3)


def test_a_matrix_that_matters_more_keeps_more(tiny):
    adapter = create(SNELLA, SNELLA.config(), tiny, 5, seed=0)
    model = attach(tiny, adapter).train()
    for delta in adapter.by_site().values():
        delta.outward.requires_grad_(delta is adapter.by_site()["blocks.1.fc2"])
        delta.inward.requires_grad_(delta.outward.requires_grad)
    nn.init.normal_(adapter.head.weight)
    F.cross_entropy(model(images()), labels()).backward()
    adapter.allocator.after_step()
    adapter.allocator.begin_epoch(9, 10)
    kept = {name: int(delta.kept) for name, delta in adapter.by_site().items()}
    assert max(kept, key=kept.get) == "blocks.1.fc2"
    assert kept["blocks.1.fc2"] == adapter.by_site()["blocks.1.fc2"].size - 1


def test_a_resumed_run_goes_on_with_what_its_allocator_remembers(tiny):
    run = RunSpec(
        "snella", data=DataSpec(shots=2), recipe=Recipe(epochs=4, batch=4, augment="none")
    )
    events = list(train(run, tiny, material()))
    states = [event.state() for event in events if isinstance(event, Checkpointed)]
    again = list(train(run, tiny, material(), state=states[0]))
    assert isinstance(again[0], Resumed) and isinstance(again[-1], Finished)
    last = [[e for e in told if isinstance(e, Improved)][-1].adapter for told in (events, again)]
    assert _tensors(last[0]) == _tensors(last[1])


def _tensors(content: bytes) -> dict[str, bytes]:
    from safetensors.torch import load

    return {name: tensor.numpy().tobytes() for name, tensor in load(content).items()}


def test_bad_input_gets_a_sentence():
    with pytest.raises(BadValue, match="even"):
        SNELLA.config({"rank": 3})
    delta = SparseKernel(SITE, Config())
    for wrong in (-1, 60):
        delta.kept.fill_(wrong)
        with pytest.raises(BadAdapter, match="of 60 entries"):
            delta.check()
