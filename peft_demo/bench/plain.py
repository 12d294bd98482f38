"""LoRA as one writes it by hand on a timm model, the yardstick. Nothing of this project is in it, by intention."""

from timm.layers import Attention
from timm.models.swin_transformer import WindowAttention
from torch import Tensor, nn


class PlainLoRA(nn.Module):
    """timm's fused qkv [... D] → [... 3D] with a product of rank 8 added to q and to v."""

    def __init__(self, qkv: nn.Linear, rank: int = 8):
        super().__init__()
        D = qkv.in_features
        self.qkv = qkv
        self.D = D
        self.q_down, self.v_down = (nn.Linear(D, rank, bias=False) for _ in range(2))
        self.q_up, self.v_up = (nn.Linear(rank, D, bias=False) for _ in range(2))
        nn.init.zeros_(self.q_up.weight)
        nn.init.zeros_(self.v_up.weight)

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.qkv(x)
        qkv[..., : self.D] += self.q_up(self.q_down(x))
        qkv[..., -self.D :] += self.v_up(self.v_down(x))
        return qkv


def plain_lora(model: nn.Module, classes: int) -> nn.Module:
    """`model` itself, frozen, with a new head and a `PlainLoRA` around each fused qkv that is called as a module."""
    model.requires_grad_(False)
    model.reset_classifier(classes)
    for module in list(model.modules()):
        if isinstance(module, Attention | WindowAttention):
            module.qkv = PlainLoRA(module.qkv)
    return model
