import pytest
import torch
from small import by_decay, random_vit

from peft_demo.adapters import attach, create
from peft_demo.methods import find_method
from peft_demo.vit import anatomy_of
from peft_demo.vit.catalogue import Source

ARCHS = {
    "class token": {},
    "registers": {"reg_tokens": 4},
    "none": {"class_token": False, "global_pool": "avg"},
}
each_prefix = pytest.mark.parametrize("prefix", ARCHS)


def model_of(name, backbone, **knobs):
    method = find_method(name)
    adapter = create(method, method.config({"prompts": 3} | knobs), backbone, 5, seed=1)
    torch.manual_seed(2)
    adapter.head.weight.data.normal_()
    return adapter.eval(), attach(backbone, adapter).eval()


def embedded(backbone, images):
    """Tokens as they enter the blocks, from timm's own parts."""
    vit = backbone.model
    return vit.norm_pre(vit._pos_embed(vit.patch_embed(images)))


def by_hand(backbone, adapter, images, deep):
    """The paper's loop: prompts stay between the blocks, in the deep form replaced at each, and
    never leave."""
    vit = backbone.model
    prefix = backbone.anatomy.prefix
    prompts = [d.prompts.expand(len(images), -1, -1) for d in adapter.deltas.values()]
    P = prompts[0].shape[1]
    x = embedded(backbone, images)
    x = torch.cat([x[:, :prefix], prompts[0], x[:, prefix:]], 1)
    for i, block in enumerate(vit.blocks):
        if deep and i:
            x = torch.cat([x[:, :prefix], prompts[i], x[:, prefix + P :]], 1)
        x = block(x)
    tokens = torch.cat([x[:, :prefix], x[:, prefix + P :]], 1)
    return adapter.head(vit.forward_head(vit.norm(tokens), pre_logits=True))


@each_prefix
@pytest.mark.parametrize(("name", "deep"), [("vpt_shallow", False), ("vpt_deep", True)])
def test_it_is_the_papers_formula(name, deep, prefix):
    backbone = random_vit(depth=3, **ARCHS[prefix])
    images = torch.randn(2, 3, 32, 32)
    adapter, model = model_of(name, backbone)
    with torch.no_grad():
        assert torch.allclose(model(images), by_hand(backbone, adapter, images, deep), atol=1e-5)


@each_prefix
def test_prompts_stand_after_all_prefix_tokens_and_leave_again(prefix):
    backbone = random_vit(depth=1, **ARCHS[prefix])
    adapter, _ = model_of("vpt_deep", backbone)
    (delta,) = adapter.deltas.values()
    x = torch.randn(2, 16 + backbone.anatomy.prefix, 48)
    seen = []
    assert torch.equal(delta(lambda tokens: seen.append(tokens) or tokens, x), x)
    k = backbone.anatomy.prefix
    assert torch.equal(seen[0][:, k : k + 3], delta.prompts.expand(2, -1, -1))
    assert torch.equal(seen[0][:, :k], x[:, :k]) and torch.equal(seen[0][:, k + 3 :], x[:, k:])


@pytest.mark.parametrize(
    ("name", "prompts", "count"),
    [
        ("vpt_shallow", 10, 7_680),
        ("vpt_deep", 10, 92_160),
        ("vpt_deep", 50, 460_800),
        ("vpt_deep", 100, 921_600),
    ],
)
def test_counts_on_vit_b(name, prompts, count):
    vit_b = anatomy_of(Source("b", "b", "vit_base_patch16_224"))
    assert find_method(name).count(vit_b, find_method(name).config({"prompts": prompts})) == count
    assert find_method(name).config().prompts == 10


def test_prompts_start_uniform_within_xaviers_bound():
    adapter, _ = model_of("vpt_deep", random_vit(), prompts=200)
    bound = (6 / (3 * 8 * 8 + 48)) ** 0.5
    for delta in adapter.deltas.values():
        assert 0.98 * bound < delta.prompts.abs().max() <= bound
        assert abs(delta.prompts.std() - bound / 3**0.5) < 0.02 * bound
    first, second = adapter.deltas.values()
    assert not torch.equal(first.prompts, second.prompts)


def test_prompts_take_no_weight_decay():
    adapter, _ = model_of("vpt_deep", random_vit())
    decayed, free = by_decay(adapter)
    assert [p.shape for p in decayed] == [adapter.head.weight.shape]
    assert len(free) == len(adapter.deltas) + 1


def test_dropout_differs_between_images():
    adapter, _ = model_of("vpt_shallow", random_vit(), dropout=0.5)
    (delta,) = adapter.deltas.values()
    seen = []
    delta.train()(lambda tokens: seen.append(tokens[:, 1:4]) or tokens, torch.randn(2, 17, 48))
    assert not torch.equal(*seen[0])
